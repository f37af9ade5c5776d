//! `aws:apigateway/stage:Stage` and `aws:apigateway/methodSettings:MethodSettings`

use super::part::Part;
use super::{refusals, refused};
use crate::ApiGateway;
use crate::declarations::{Api, Declarations, DeclaredStage};
use crate::definition::{MethodSettings as SettingsInputs, Stage as StageInputs};
use crate::problem::{Problem, Problems};
use crate::program::settings_path;
use crate::rules::conflict;
use crate::steps::access_log::AccessLog;
use cloud_core::error::AwsResult;
use cloud_core::identity::{PARTITION, arn};
use cloud_resource::resource::{New, Properties, Refusal, Resource};

/// A deployment under a name, with settings of its own.
pub(super) struct Stage;

impl Part for Stage {
    type Inputs = StageInputs;

    const TOKEN: &'static str = "aws:apigateway/stage:Stage";
    const REPLACES_ON: &'static [&'static str] = &["restApi", "stageName"];
    const HOLDS: &'static [&'static str] = &[MethodSettings::TOKEN];
    const IMPORT_ID: &'static [&'static str] = &["restApi", "stageName"];

    fn api(inputs: &StageInputs) -> &str {
        &inputs.rest_api
    }

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

    fn check(
        &self,
        declared: &Declarations,
        api: &Api,
        old: Option<&Resource<StageInputs>>,
        inputs: &StageInputs,
    ) -> AwsResult<()> {
        api.check_deployment(&inputs.deployment)?;
        if inputs.access_log_settings.is_some() {
            declared.check_logging(&api.region)?;
        }
        if old.is_none() && self.is_in(api, "", inputs) {
            return Err(conflict("Stage already exists"));
        }
        Ok(())
    }

    fn id(&self, _new: &New, inputs: &StageInputs) -> String {
        format!("ags-{}-{}", inputs.rest_api, inputs.stage_name)
    }

    fn outputs(&self, gateway: &ApiGateway, api: &Api, inputs: &StageInputs) -> Properties {
        let (id, name) = (&inputs.rest_api, &inputs.stage_name);
        let (region, port) = (&api.region, gateway.port);
        [
            (
                "arn",
                format!("arn:{PARTITION}:apigateway:{region}::/restapis/{id}/stages/{name}"),
            ),
            (
                "executionArn",
                arn("execute-api", region, &format!("{id}/{name}")),
            ),
            ("invokeUrl", format!("http://127.0.0.1:{port}/{id}/{name}")),
            ("webAclArn", String::new()),
        ]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect()
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: StageInputs) -> AwsResult<()> {
        let access_log = access_log(&inputs).map_err(|problems| refused(&problems))?;
        api.check_deployment(&inputs.deployment)?;
        let stage = DeclaredStage { access_log, inputs };
        api.stages.insert(stage.inputs.stage_name.clone(), stage);
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &StageInputs) -> bool {
        api.stages.contains_key(&inputs.stage_name)
    }

    /// With its method settings, as on AWS.
    fn remove(&self, api: &mut Api, _id: &str, inputs: &StageInputs) -> AwsResult<()> {
        api.stages.remove(&inputs.stage_name);
        let settings = &mut api.settings;
        settings.retain(|(stage, _), _| *stage != inputs.stage_name);
        Ok(())
    }
}

fn access_log(inputs: &StageInputs) -> Result<Option<AccessLog>, Vec<Problem>> {
    let stage = format!("{}/{}", inputs.rest_api, inputs.stage_name);
    let settings = inputs.access_log_settings.as_ref();
    settings
        .map(|settings| AccessLog::compile(settings, &stage))
        .transpose()
}

/// Settings of a stage's methods, or of one of them.
pub(super) struct MethodSettings;

impl Part for MethodSettings {
    type Inputs = SettingsInputs;

    const TOKEN: &'static str = "aws:apigateway/methodSettings:MethodSettings";
    const REPLACES_ON: &'static [&'static str] = &["methodPath", "restApi", "stageName"];
    /// UpdateStage.
    const OVERWRITES: bool = true;
    const IMPORT_ID: &'static [&'static str] = &["restApi", "stageName", "methodPath"];

    fn api(inputs: &SettingsInputs) -> &str {
        &inputs.rest_api
    }

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

    fn check(
        &self,
        _declared: &Declarations,
        api: &Api,
        _old: Option<&Resource<SettingsInputs>>,
        inputs: &SettingsInputs,
    ) -> AwsResult<()> {
        api.check_stage(&inputs.stage_name)
    }

    fn id(&self, _new: &New, inputs: &SettingsInputs) -> String {
        format!(
            "{}-{}-{}",
            inputs.rest_api, inputs.stage_name, inputs.method_path
        )
    }

    fn put(&self, api: &mut Api, _id: &str, inputs: SettingsInputs) -> AwsResult<()> {
        api.check_stage(&inputs.stage_name)?;
        api.settings.insert(key(&inputs), inputs.settings);
        Ok(())
    }

    fn is_in(&self, api: &Api, _id: &str, inputs: &SettingsInputs) -> bool {
        api.settings.contains_key(&key(inputs))
    }

    fn remove(&self, api: &mut Api, _id: &str, inputs: &SettingsInputs) -> AwsResult<()> {
        api.settings.remove(&key(inputs));
        Ok(())
    }
}

fn key(inputs: &SettingsInputs) -> (String, String) {
    (
        inputs.stage_name.clone(),
        settings_path(&inputs.method_path),
    )
}
