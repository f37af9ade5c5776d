//! What every part of the stack is built with.

use aws::functions::{get_caller_identity, get_region};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, Program, Transform};

use crate::config::Config;

/// The program, its configuration, and where the provider deploys to.
pub struct Scope<'a> {
    pub program: &'a Program,
    pub config: &'a Config,
    /// The account, as the provider knows it.
    pub account: Output<String>,
    /// The region, as the provider knows it.
    pub region: Output<String>,
}

impl<'a> Scope<'a> {
    pub fn new(program: &'a Program, config: &'a Config) -> Self {
        let tags = config.tags.clone();
        program.transform(Transform::new(move |resource| {
            // An object has at most ten tags, and those of its bucket say as much.
            if resource.takes("tags") && !resource.r#type().starts_with("aws:s3/bucketObject") {
                resource.add_to_map("tags", &tags);
            }
        }));
        Self {
            program,
            config,
            account: get_caller_identity::invoke(program).account_id,
            region: get_region::invoke(program).region,
        }
    }

    /// A part of the stack; its resources have it as their parent.
    pub fn component(&self, kind: &str, name: &str) -> Component {
        let kind = format!("mysfits:index:{kind}");
        Component::new(self.program, &kind, name, Options::new())
    }
}
