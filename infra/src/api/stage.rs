//! The API as it is live: a deployment of it, on a stage that is logged and throttled.

use std::collections::HashMap;

use aws::apigateway::{deployment, method_settings, stage};
use aws::cloudwatch::log_group;
use aws::types::apigateway::{MethodSettingsSettings, StageAccessLogSettings};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Output, Urn, all};
use serde_json::json;

use super::{Api, account, definition};

/// The last part of the API's base URL.
const STAGE: &str = "prod";
/// PUT /clicks, as settings name a method: the path without its first slash.
const CLICKS: &str = "clicks/PUT";

/// The API as it can be called.
pub struct Stage {
    pub urn: Urn,
    pub name: Output<String>,
    pub invoke_url: Output<String>,
}

/// Puts the API, as it is described by now, on its stage.
pub fn deploy(api: &Api<'_>, component: &Component) -> Stage {
    let scope = api.scope;
    let program = scope.program;
    let options = &api.options;

    let parts = api.parts.urns();
    let after_the_api = options
        .clone()
        .depends_on(&parts.iter().collect::<Vec<_>>());
    let digest = api
        .parts
        .definitions()
        .map(|definitions| definition::digest(&definitions));
    let deployment = deployment::create_with_options(
        program,
        "mysfits-api",
        deployment::DeploymentArgs::builder()
            .rest_api(api.id.clone())
            .triggers(digest.map(|digest| HashMap::from([("definition".to_owned(), digest)])))
            .build_struct(),
        after_the_api,
    );
    let logs = log_group::create_with_options(
        program,
        "mysfits-api",
        log_group::LogGroupArgs::builder()
            .retention_in_days(scope.config.log_retention.cast_signed())
            .build_struct(),
        options.clone(),
    );
    let mut after_the_account = options.clone();
    let group = if scope.config.api.manage_account {
        after_the_account = after_the_account.depends_on(&[&account::own(scope, component)]);
        logs.arn
    } else {
        let role = account::of_another_stack(scope, component);
        all((&logs.arn, &role)).map(|(group, _)| group)
    };
    let stage = stage::create_with_options(
        program,
        "mysfits-api",
        stage::StageArgs::builder()
            .rest_api(api.id.clone())
            .deployment(deployment.id)
            .stage_name(STAGE)
            .access_log_settings(group.map(access_log))
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

/// Limits the methods that `path` means: each for itself, so that preflights take nothing from
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
        // The first is documented for Lambda proxies alone, and may be empty here.
        "integrationStatus": "$context.integrationStatus",
        "integrationResponseStatus": "$context.integration.status",
        "integrationLatency": "$context.integrationLatency",
        "error": "$context.error.message",
    });
    StageAccessLogSettings::builder()
        .destination_arn(group)
        .format(format.to_string())
        .build_struct()
}
