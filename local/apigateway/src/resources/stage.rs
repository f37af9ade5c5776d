//! `aws:apigateway/stage:Stage` and `aws:apigateway/methodSettings:MethodSettings`

use super::{check_region, refusals, refused};
use crate::ApiGateway;
use crate::definition::{MethodSettings as SettingsInputs, Stage as StageInputs};
use crate::problem::{Problem, Problems};
use crate::program::settings_path;
use crate::rules::conflict;
use crate::state::{StageState, State};
use crate::steps::access_log::AccessLog;
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use cloud_core::identity::{PARTITION, arn};
use cloud_resource::resource::{
    Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde_json::json;
use std::sync::Arc;

/// A deployment under a name, with settings of its own.
pub(super) struct Stage;

#[async_trait]
impl ResourceType for Stage {
    type Inputs = StageInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/stage:Stage";
    const REPLACES_ON: &'static [&'static str] = &["restApi", "stageName"];
    const HOLDS: &'static [&'static str] = &[MethodSettings::TOKEN];
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "stageName"],
        separator: "/",
    });

    fn validate(&self, inputs: &StageInputs) -> Vec<Refusal> {
        let mut problems = Problems::default();
        let name = inputs.stage_name.as_str();
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || !name.chars().all(allowed) {
            problems.add("stageName", "Stage name only allows a-zA-Z0-9_-");
        }
        let given = |value: &Option<String>| value.as_ref().is_some_and(|text| !text.is_empty());
        problems.unsupported(
            inputs.cache_cluster_enabled == Some(true),
            "cacheClusterEnabled",
            "caching",
        );
        problems.unsupported(
            given(&inputs.cache_cluster_size),
            "cacheClusterSize",
            "caching",
        );
        problems.unsupported(
            inputs.canary_settings.is_some(),
            "canarySettings",
            "canaries",
        );
        problems.unsupported(
            given(&inputs.client_certificate_id),
            "clientCertificateId",
            "client certificates",
        );
        problems.unsupported(
            given(&inputs.documentation_version),
            "documentationVersion",
            "documentation versions",
        );
        problems.unsupported(
            inputs.xray_tracing_enabled == Some(true),
            "xrayTracingEnabled",
            "X-Ray",
        );
        let mut found = refusals(problems.none(()));
        found.extend(refusals(access_log(inputs)));
        found
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &StageInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        let (api, name) = (&inputs.rest_api, &inputs.stage_name);
        apigateway.look(|state| {
            check_stage(state, inputs)?;
            if state.api(api)?.stages.contains_key(name) {
                return Err(conflict("Stage already exists"));
            }
            Ok(())
        })?;
        let region = &new.region;
        let port = apigateway.port;
        let outputs = json!({
            "arn": format!("arn:{PARTITION}:apigateway:{region}::/restapis/{api}/stages/{name}"),
            "executionArn": arn("execute-api", region, &format!("{api}/{name}")),
            "invokeUrl": format!("http://127.0.0.1:{port}/{api}/{name}"),
            "webAclArn": "",
        });
        Ok(Deployed::new(format!("ags-{api}-{name}"), outputs))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<StageInputs>,
    ) -> AwsResult<()> {
        let inputs = resource.inputs.clone();
        let access_log = access_log(&inputs).map_err(|problems| refused(&problems))?;
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            api.check_deployment(&inputs.deployment)?;
            let stage = StageState { access_log, inputs };
            api.stages.insert(stage.inputs.stage_name.clone(), stage);
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Resource<StageInputs>,
        inputs: &StageInputs,
    ) -> AwsResult<Properties> {
        apigateway.look(|state| check_stage(state, inputs))?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<StageInputs>>,
    ) -> AwsResult<Option<Resource<StageInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                api.stages.contains_key(&inputs.stage_name)
            })
        }))
    }

    /// With its method settings, as on AWS.
    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<StageInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            if let Some(api) = state.apis.get_mut(&inputs.rest_api) {
                api.stages.remove(&inputs.stage_name);
                api.settings
                    .retain(|(stage, _), _| *stage != inputs.stage_name);
            }
            Ok(())
        })
    }
}

fn access_log(inputs: &StageInputs) -> Result<Option<AccessLog>, Vec<Problem>> {
    let stage = format!("{}/{}", inputs.rest_api, inputs.stage_name);
    let settings = inputs.access_log_settings.as_ref();
    settings
        .map(|settings| AccessLog::compile(settings, &stage))
        .transpose()
}

fn check_stage(state: &State, inputs: &StageInputs) -> AwsResult<()> {
    let api = state.api(&inputs.rest_api)?;
    api.check_deployment(&inputs.deployment)?;
    if inputs.access_log_settings.is_some() {
        state.check_logging(&api.region)?;
    }
    Ok(())
}

/// Settings of a stage's methods, or of one of them.
pub(super) struct MethodSettings;

#[async_trait]
impl ResourceType for MethodSettings {
    type Inputs = SettingsInputs;
    type Service = ApiGateway;

    const TOKEN: &'static str = "aws:apigateway/methodSettings:MethodSettings";
    const REPLACES_ON: &'static [&'static str] = &["methodPath", "restApi", "stageName"];
    /// UpdateStage.
    const OVERWRITES: bool = true;
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["restApi", "stageName", "methodPath"],
        separator: "/",
    });

    fn validate(&self, inputs: &SettingsInputs) -> Vec<Refusal> {
        let mut problems = Problems::default();
        let settings = &inputs.settings;
        problems.unsupported(
            settings.caching_enabled == Some(true),
            "settings.cachingEnabled",
            "caching",
        );
        problems.unsupported(
            settings.data_trace_enabled == Some(true),
            "settings.dataTraceEnabled",
            "the logging of payloads",
        );
        match settings.logging_level.as_deref() {
            None | Some("OFF") => {}
            Some("ERROR" | "INFO") => problems.unsupported(
                true,
                "settings.loggingLevel",
                "execution logs; there are access logs",
            ),
            Some(other) => problems.add(
                "settings.loggingLevel",
                format!("{other} is none of OFF, ERROR and INFO"),
            ),
        }
        if !inputs.method_path.contains('/') {
            problems.add(
                "methodPath",
                "a method path is RESOURCE-PATH/HTTP-METHOD, or */* for all",
            );
        }
        refusals(problems.none(()))
    }

    async fn create(
        &self,
        apigateway: &Arc<ApiGateway>,
        new: &New,
        inputs: &SettingsInputs,
    ) -> AwsResult<Deployed> {
        check_region(apigateway, &inputs.rest_api, new)?;
        apigateway.look(|state| check_settings(state, inputs))?;
        let id = format!(
            "{}-{}-{}",
            inputs.rest_api, inputs.stage_name, inputs.method_path
        );
        Ok(Deployed::new(id, json!({})))
    }

    async fn activate(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<SettingsInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            let api = state.api_mut(&inputs.rest_api)?;
            api.check_stage(&inputs.stage_name)?;
            api.settings.insert(key(inputs), inputs.settings.clone());
            Ok(())
        })
    }

    async fn update(
        &self,
        apigateway: &Arc<ApiGateway>,
        old: &Resource<SettingsInputs>,
        inputs: &SettingsInputs,
    ) -> AwsResult<Properties> {
        apigateway.look(|state| check_settings(state, inputs))?;
        Ok(old.outputs.clone())
    }

    async fn read(
        &self,
        apigateway: &Arc<ApiGateway>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<SettingsInputs>>,
    ) -> AwsResult<Option<Resource<SettingsInputs>>> {
        Ok(known.filter(|known| {
            let inputs = &known.inputs;
            apigateway.has(&inputs.rest_api, |api| {
                api.settings.contains_key(&key(inputs))
            })
        }))
    }

    async fn delete(
        &self,
        apigateway: &Arc<ApiGateway>,
        resource: &Resource<SettingsInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        apigateway.change(|state| {
            if let Some(api) = state.apis.get_mut(&inputs.rest_api) {
                api.settings.remove(&key(inputs));
            }
            Ok(())
        })
    }
}

fn key(inputs: &SettingsInputs) -> (String, String) {
    (
        inputs.stage_name.clone(),
        settings_path(&inputs.method_path),
    )
}

fn check_settings(state: &State, inputs: &SettingsInputs) -> AwsResult<()> {
    let api = state.api(&inputs.rest_api)?;
    api.check_stage(&inputs.stage_name)
}
