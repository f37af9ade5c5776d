//! The processor: the Lambda function that enriches a batch of clicks.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use aws::cloudwatch::log_group;
use aws::iam::{role, role_policy};
use aws::lambda::function;
use aws::types::lambda::{FunctionEnvironment, FunctionLoggingConfig};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Output};

use crate::config::HOST;
use crate::policy;
use crate::scope::Scope;

const MEMORY_MB: i32 = 128;
pub const TIMEOUT_SECONDS: i32 = 30;

pub struct Processor {
    pub name: Output<String>,
    pub arn: Output<String>,
    pub log_group: Output<String>,
}

impl Processor {
    /// `mysfits_api`: the base URL of the mysfits service.
    ///
    /// # Errors
    /// When there is no package of the function, or one for another architecture.
    pub fn new(scope: &Scope<'_>, mysfits_api: &Output<String>) -> Result<Self> {
        let program = scope.program;
        let package = program.package()?;
        let wanted = scope.config.processor.architecture;
        ensure!(
            wanted == HOST || wanted == package.architecture,
            "mysfits:architecture is {wanted}, and the processor was packaged for {}: does \
             [workspace.metadata.pulumi] in Cargo.toml have `architecture-config = \
             \"mysfits:architecture\"`?",
            package.architecture
        );
        let component = scope.component("Processor", "processor");
        let options = Options::new().parent(&component);

        let logs = log_group::create_with_options(
            program,
            "mysfits-processor",
            log_group::LogGroupArgs::builder()
                .retention_in_days(scope.config.log_retention.cast_signed())
                .build_struct(),
            options.clone(),
        );
        let role = role::create_with_options(
            program,
            "mysfits-processor",
            role::RoleArgs::builder()
                .description("What the clicks processor may do: write its log")
                .assume_role_policy(policy::trust("lambda.amazonaws.com"))
                .build_struct(),
            options.clone(),
        );
        let may_log = role_policy::create_with_options(
            program,
            "mysfits-processor",
            role_policy::RolePolicyArgs::builder()
                .role(role.name.clone())
                .policy(logs.arn.map(|group| permissions(&group)))
                .build_struct(),
            options.clone(),
        );
        let function = function::create_with_options(
            program,
            "mysfits-processor",
            function::FunctionArgs::builder()
                .description("Enriches clicks with what the mysfits service knows")
                .runtime("provided.al2023")
                .handler("bootstrap")
                .architectures([package.architecture.as_str()])
                .code(package.archive())
                .memory_size(MEMORY_MB)
                .timeout(TIMEOUT_SECONDS)
                .role(role.arn)
                .environment(mysfits_api.map(environment))
                .logging_config(logs.name.map(logging))
                .build_struct(),
            // So that its first invocation can log.
            options.depends_on(&[&may_log.urn]),
        );
        component.output("function", &function.name);
        Ok(Self {
            name: function.name,
            arn: function.arn,
            log_group: logs.name,
        })
    }
}

fn environment(mysfits_api: String) -> FunctionEnvironment {
    FunctionEnvironment::builder()
        .variables(HashMap::from([("MYSFITS_API_URL".to_owned(), mysfits_api)]))
        .build_struct()
}

/// The levels are AWS's own for JSON, written out because the provider has shown them as a
/// difference: <https://github.com/hashicorp/terraform-provider-aws/issues/42181>.
fn logging(group: String) -> FunctionLoggingConfig {
    FunctionLoggingConfig::builder()
        .log_format("JSON")
        .application_log_level("INFO")
        .system_log_level("INFO")
        .log_group(group)
        .build_struct()
}

/// `log_group` is the group's ARN; the function makes a stream in it for every environment.
fn permissions(log_group: &str) -> String {
    policy::document(&[policy::allow(
        "Log",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        &[format!("{log_group}:*")],
    )])
}
