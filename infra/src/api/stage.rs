//! The API as it is live: a deployment of it, on a stage that is logged and throttled.

use std::collections::HashMap;

use aws::apigateway::{account, deployment, method_settings, stage};
use aws::cloudwatch::log_group;
use aws::iam::{role, role_policy};
use aws::types::apigateway::{MethodSettingsSettings, StageAccessLogSettings};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output};
use serde_json::json;

use super::Api;
use super::snapshot::Snapshot;
use crate::policy;
use crate::scope::Scope;

/// The last part of the API's base URL.
const STAGE: &str = "prod";
/// PUT /clicks, as settings name a method: the path without its first slash.
const CLICKS: &str = "clicks/PUT";

/// The API as it can be called.
pub struct Stage {
    pub urn: Output<String>,
    pub name: Output<String>,
    pub invoke_url: Output<String>,
}

/// Puts the API as `snapshot` shows it on its stage.
pub fn deploy(api: &Api<'_>, component: &Component, snapshot: Snapshot) -> Stage {
    let scope = api.scope;
    let program = scope.program;
    let options = &api.options;

    let after_the_api = options.clone().depends_on(&snapshot.urns());
    let deployment = deployment::create_with_options(
        program,
        "mysfits-api",
        deployment::DeploymentArgs::builder()
            .rest_api(api.id.clone())
            .triggers(
                snapshot
                    .digest()
                    .map(|digest| HashMap::from([("definition".to_owned(), digest)])),
            )
            .build_struct(),
        after_the_api,
    );
    let logs = log_group::create_with_options(
        program,
        "mysfits-api",
        log_group::LogGroupArgs::builder()
            .retention_in_days(scope.config.log_retention.cast_signed())
            .tags(scope.tags())
            .build_struct(),
        options.clone(),
    );
    let mut after_the_account = options.clone();
    if scope.config.api.manage_account {
        after_the_account = after_the_account.depends_on(&[&account(scope, component)]);
    }
    let stage = stage::create_with_options(
        program,
        "mysfits-api",
        stage::StageArgs::builder()
            .rest_api(api.id.clone())
            .deployment(deployment.id)
            .stage_name(STAGE)
            .access_log_settings(logs.arn.map(access_log))
            .tags(scope.tags())
            .build_struct(),
        after_the_account,
    );
    throttle(api, "mysfits-api", "*/*", &stage.stage_name);
    throttle(api, "mysfits-api-put", CLICKS, &stage.stage_name);
    Stage {
        urn: stage.urn,
        name: stage.stage_name,
        invoke_url: stage.invoke_url,
    }
}

/// Limits the methods that `path` stands for: each for itself, so that preflights take nothing from
/// clicks.
fn throttle(api: &Api<'_>, name: &str, path: &str, stage: &Output<String>) {
    let limits = &api.scope.config.api;
    method_settings::create_with_options(
        api.scope.program,
        name,
        method_settings::MethodSettingsArgs::builder()
            .rest_api(api.id.clone())
            .stage_name(stage.clone())
            .method_path(path)
            .settings(
                MethodSettingsSettings::builder()
                    .throttling_rate_limit(f64::from(limits.throttle_rate))
                    .throttling_burst_limit(limits.throttle_burst.cast_signed())
                    .build_struct(),
            )
            .build_struct(),
        api.options.clone(),
    );
}

/// The role with which API Gateway writes the logs of every API of this account and region.
fn account(scope: &Scope<'_>, component: &Component) -> Output<String> {
    let options = Options::new().parent(component);
    let role = role::create_with_options(
        scope.program,
        "mysfits-api-logs",
        role::RoleArgs::builder()
            .description("What API Gateway may do in this account and region: write logs")
            .assume_role_policy(policy::trust("apigateway.amazonaws.com"))
            .tags(scope.tags())
            .build_struct(),
        options.clone(),
    );
    let may_log = role_policy::create_with_options(
        scope.program,
        "mysfits-api-logs",
        role_policy::RolePolicyArgs::builder()
            .role(role.name)
            .policy(may_write_any_log())
            .build_struct(),
        options.clone(),
    );
    let account = account::create_with_options(
        scope.program,
        "mysfits-api",
        account::AccountArgs::builder()
            .cloudwatch_role_arn(role.arn)
            .build_struct(),
        // API Gateway tries the role when it is set.
        options.depends_on(&[&may_log.urn]),
    );
    account.urn
}

/// As the managed policy AmazonAPIGatewayPushToCloudWatchLogs, which API Gateway asks for: the role
/// serves APIs that this stack does not know, so their log groups cannot be named.
fn may_write_any_log() -> String {
    policy::document(&[policy::allow(
        "Log",
        &[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:FilterLogEvents",
            "logs:GetLogEvents",
            "logs:PutLogEvents",
        ],
        &["*".to_owned()],
    )])
}

/// One JSON object a request.
fn access_log(group: String) -> StageAccessLogSettings {
    let format = json!({
        "requestId": "$context.requestId",
        "requestTime": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "path": "$context.resourcePath",
        "protocol": "$context.protocol",
        "status": "$context.status",
        "responseLength": "$context.responseLength",
        "responseLatency": "$context.responseLatency",
        "integrationStatus": "$context.integrationStatus",
        "integrationLatency": "$context.integrationLatency",
        "error": "$context.error.message",
    });
    StageAccessLogSettings::builder()
        .destination_arn(group)
        .format(format.to_string())
        .build_struct()
}
