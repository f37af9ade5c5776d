//! What every part of the stack is built with.

use std::collections::HashMap;

use aws::functions::{get_caller_identity, get_region};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, Program};

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

    /// The configured tags, or nothing.
    pub fn tags(&self) -> Option<HashMap<String, String>> {
        let tags = &self.config.tags;
        (!tags.is_empty()).then(|| tags.clone().into_iter().collect())
    }
}
