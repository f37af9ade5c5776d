//! Questions about the clicks, for Athena: tables over what is in the bucket, a workgroup that
//! limits what a question can cost, the questions of `analytics/queries`, and the policy of those who
//! may ask them.

mod access;
mod queries;
mod tables;
mod workgroup;

use anyhow::Result;
use pulumi_program::Output;

use crate::bucket::PrivateBucket;
use crate::scope::Scope;

pub struct Analytics {
    pub workgroup: Output<String>,
    pub database: Output<String>,
    pub analyst_policy_arn: Output<String>,
}

impl Analytics {
    /// # Errors
    /// When a question cannot be read.
    pub fn new(scope: &Scope<'_>, bucket: &PrivateBucket) -> Result<Self> {
        let component = scope.component("Analytics", "analytics");
        let database = tables::create(scope, &component, bucket);
        let workgroup = workgroup::create(scope, &component);
        queries::create(scope, &component, &workgroup.name, &database.name)?;
        let analyst_policy_arn = access::policy(scope, &component, bucket, &workgroup, &database);
        component.output("workgroup", &workgroup.name);
        Ok(Self {
            workgroup: workgroup.name,
            database: database.name,
            analyst_policy_arn,
        })
    }
}
