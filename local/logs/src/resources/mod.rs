//! CloudWatch Logs: groups, and streams that are there from the start.

mod metric_filter;

pub(crate) use metric_filter::LogMetricFilter;

use crate::Logs;
use crate::{GroupSettings, RETENTION_DAYS, group_arn, stream_arn};
use async_trait::async_trait;
use cloud_core::context::blocking;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::log_names::{group_name_problem, stream_name_problem};
use cloud_resource::resource::{
    AutoName, Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest name of a group or a stream (API reference, `CreateLogGroup`).
const MAX_NAME: usize = 512;

/// `aws:cloudwatch/logGroup:LogGroup`.
pub(crate) struct LogGroup;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogGroupInputs {
    name: String,
    name_prefix: Option<String>,
    retention_in_days: Option<u32>,
    log_group_class: Option<String>,
    skip_destroy: Option<bool>,
    deletion_protection_enabled: Option<bool>,
    kms_key_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

impl LogGroupInputs {
    /// Days; nothing for events that stay, for which the provider also takes 0.
    fn retention(&self) -> Option<u32> {
        self.retention_in_days.filter(|days| *days > 0)
    }
}

fn deployed_group(region: &str, name: &str, created: i64) -> Deployed {
    Deployed::new(
        name,
        json!({
            "arn": group_arn(region, name),
            "name": name,
            "creationTime": created,
            "logGroupClass": "STANDARD",
        }),
    )
}

#[async_trait]
impl ResourceType for LogGroup {
    type Inputs = LogGroupInputs;
    type Service = Logs;

    const TOKEN: &'static str = "aws:cloudwatch/logGroup:LogGroup";
    const REPLACES_ON: &'static [&'static str] = &["name", "logGroupClass"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });

    fn validate(&self, inputs: &LogGroupInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Some(problem) = group_name_problem(&inputs.name) {
            refusals.push(Refusal::new("name", problem));
        }
        // The provider takes 0 for events that stay.
        if let Some(days) = inputs.retention_in_days
            && days != 0
            && !RETENTION_DAYS.contains(&days)
        {
            refusals.push(Refusal::new(
                "retentionInDays",
                format!("{days} is none of 0, {RETENTION_DAYS:?}"),
            ));
        }
        if let Some(class) = inputs.log_group_class.as_deref()
            && class != "STANDARD"
        {
            refusals.push(Refusal::new(
                "logGroupClass",
                format!("the embedded cloud has the class STANDARD, not {class}"),
            ));
        }
        if inputs.skip_destroy == Some(true) {
            refusals.push(Refusal::new(
                "skipDestroy",
                "the embedded cloud leaves nothing behind",
            ));
        }
        if inputs.kms_key_id.is_some() {
            refusals.push(Refusal::new(
                "kmsKeyId",
                "the embedded cloud encrypts nothing with KMS",
            ));
        }
        refusals
    }

    const HOLDS: &'static [&'static str] = &[LogStream::TOKEN, LogMetricFilter::TOKEN];

    async fn create(
        &self,
        logs: &Arc<Logs>,
        new: &New,
        inputs: &LogGroupInputs,
    ) -> AwsResult<Deployed> {
        if logs.has_group(&new.region, &inputs.name) {
            return Err(AwsError::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log group already exists",
            ));
        }
        let created = logs.context.clock.unix_millis();
        Ok(deployed_group(&new.region, &inputs.name, created))
    }

    async fn activate(
        &self,
        logs: &Arc<Logs>,
        resource: &Resource<LogGroupInputs>,
    ) -> AwsResult<()> {
        let created = resource.outputs.get("creationTime");
        let settings = GroupSettings {
            region: resource.region.clone(),
            name: resource.inputs.name.clone(),
            retention_days: resource.inputs.retention(),
            created: created.and_then(|time| time.as_i64()).unwrap_or_default(),
        };
        let logs = Arc::clone(logs);
        blocking(move || logs.deploy_group(settings).map_err(failed)).await
    }

    async fn read(
        &self,
        logs: &Arc<Logs>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<LogGroupInputs>>,
    ) -> AwsResult<Option<Resource<LogGroupInputs>>> {
        let Some(mut known) = known else {
            return Ok(None);
        };
        let settings = logs.group(&known.region, &known.inputs.name);
        let Some(settings) = settings else {
            return Ok(None);
        };
        if known.inputs.retention() != settings.retention_days {
            known.inputs.retention_in_days = Some(settings.retention_days.unwrap_or_default());
        }
        Ok(Some(known))
    }

    async fn import(
        &self,
        logs: &Arc<Logs>,
        scope: &Scope<'_>,
        id: &str,
    ) -> AwsResult<Option<Resource<LogGroupInputs>>> {
        let Some(settings) = logs.group(scope.region, id) else {
            return Ok(None);
        };
        let inputs = LogGroupInputs {
            name: id.to_owned(),
            retention_in_days: settings.retention_days,
            ..LogGroupInputs::default()
        };
        let deployed = deployed_group(scope.region, id, settings.created);
        Ok(Some(Resource::undeclared(scope.region, deployed, inputs)))
    }

    async fn delete(&self, logs: &Arc<Logs>, resource: &Resource<LogGroupInputs>) -> AwsResult<()> {
        let inputs = &resource.inputs;
        if inputs.deletion_protection_enabled == Some(true) {
            return Err(AwsError::new(
                400,
                "ValidationException",
                "The log group is protected from deletion; set deletionProtectionEnabled to \
                 false first",
            ));
        }
        let (logs, region, name) = (
            Arc::clone(logs),
            resource.region.clone(),
            inputs.name.clone(),
        );
        blocking(move || logs.remove_group(&region, &name).map_err(failed)).await
    }
}

/// `aws:cloudwatch/logStream:LogStream`.
pub(crate) struct LogStream;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogStreamInputs {
    name: String,
    log_group_name: String,
}

fn deployed_stream(region: &str, inputs: &LogStreamInputs) -> Deployed {
    let LogStreamInputs {
        name,
        log_group_name: group,
        ..
    } = inputs;
    Deployed::new(
        name,
        json!({ "arn": stream_arn(region, group, name), "name": name }),
    )
}

#[async_trait]
impl ResourceType for LogStream {
    type Inputs = LogStreamInputs;
    type Service = Logs;

    const TOKEN: &'static str = "aws:cloudwatch/logStream:LogStream";
    const REPLACES_ON: &'static [&'static str] = &["name", "logGroupName"];
    /// A stream's name is one of its group alone.
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["logGroupName", "name"],
        separator: ":",
    });
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });

    fn validate(&self, inputs: &LogStreamInputs) -> Vec<Refusal> {
        stream_name_problem(&inputs.name)
            .map(|problem| Refusal::new("name", problem))
            .into_iter()
            .collect()
    }

    async fn create(
        &self,
        logs: &Arc<Logs>,
        new: &New,
        inputs: &LogStreamInputs,
    ) -> AwsResult<Deployed> {
        let LogStreamInputs {
            name,
            log_group_name: group,
            ..
        } = inputs;
        if !logs.has_group(&new.region, group) {
            return Err(AwsError::new(
                400,
                "ResourceNotFoundException",
                "The specified log group does not exist.",
            ));
        }
        if logs.has_stream(&new.region, group, name) {
            return Err(AwsError::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        Ok(deployed_stream(&new.region, inputs))
    }

    async fn activate(
        &self,
        logs: &Arc<Logs>,
        resource: &Resource<LogStreamInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        logs.deploy_stream(&resource.region, &inputs.log_group_name, &inputs.name)
    }

    async fn read(
        &self,
        logs: &Arc<Logs>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<LogStreamInputs>>,
    ) -> AwsResult<Option<Resource<LogStreamInputs>>> {
        Ok(known.filter(|stream| {
            let inputs = &stream.inputs;
            logs.has_stream(&stream.region, &inputs.log_group_name, &inputs.name)
        }))
    }

    async fn import(
        &self,
        logs: &Arc<Logs>,
        scope: &Scope<'_>,
        id: &str,
    ) -> AwsResult<Option<Resource<LogStreamInputs>>> {
        let Some((group, name)) = id.split_once(':') else {
            return Ok(None);
        };
        let inputs = LogStreamInputs {
            name: name.to_owned(),
            log_group_name: group.to_owned(),
        };
        let is_there = logs.has_stream(scope.region, group, name);
        let deployed = deployed_stream(scope.region, &inputs);
        Ok(is_there.then(|| Resource::undeclared(scope.region, deployed, inputs)))
    }

    async fn update(
        &self,
        _logs: &Arc<Logs>,
        old: &Resource<LogStreamInputs>,
        _inputs: &LogStreamInputs,
    ) -> AwsResult<Properties> {
        Ok(old.outputs.clone())
    }

    async fn delete(
        &self,
        logs: &Arc<Logs>,
        resource: &Resource<LogStreamInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        logs.remove_stream(&resource.region, &inputs.log_group_name, &inputs.name)
            .map_err(failed)
    }
}

fn failed(error: anyhow::Error) -> AwsError {
    AwsError::internal(format!("{error:#}"))
}
