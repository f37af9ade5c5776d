//! The outputs of the stack.

use pulumi_program::{Output, Program};

use crate::analytics::Analytics;
use crate::repository::Repository;

/// What a deployment tells: addresses, names, the region.
pub struct Outputs<'a> {
    pub clicks_endpoint: &'a Output<String>,
    pub site_url: &'a Output<String>,
    pub mysfits_api_endpoint: &'a Output<String>,
    pub clicks_bucket: &'a Output<String>,
    pub site_bucket: &'a Output<String>,
    pub delivery_stream: &'a Output<String>,
    pub processor: &'a Output<String>,
    pub repository: Option<&'a Repository>,
    pub analytics: Option<&'a Analytics>,
    pub region: &'a Output<String>,
}

impl Outputs<'_> {
    pub fn export(&self, program: &Program) {
        program.export("clicksEndpoint", self.clicks_endpoint);
        program.export("siteUrl", self.site_url);
        program.export("mysfitsApiEndpoint", self.mysfits_api_endpoint);
        program.export("clicksBucket", self.clicks_bucket);
        program.export("siteBucket", self.site_bucket);
        program.export("deliveryStream", self.delivery_stream);
        program.export("processor", self.processor);
        if let Some(repository) = self.repository {
            program.export("repositoryCloneUrlHttp", &repository.clone_url_http);
            program.export("repositoryCloneUrlSsh", &repository.clone_url_ssh);
        }
        if let Some(analytics) = self.analytics {
            program.export("queryWorkgroup", &analytics.workgroup);
            program.export("queryDatabase", &analytics.database);
            program.export("analystPolicyArn", &analytics.analyst_policy_arn);
        }
        program.export("region", self.region);
    }
}
