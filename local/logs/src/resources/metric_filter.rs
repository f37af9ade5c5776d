//! Metric filters. Declared only: no metric is kept here.

use crate::Logs;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_resource::resource::{
    AutoName, Deployed, ImportId, New, Refusal, Resource, ResourceType, Scope,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: CloudWatch Logs' service model, as in botocore.
const MAX_FILTER_NAME: usize = 512;
const MAX_FILTER_PATTERN: usize = 1_024;

/// `aws:cloudwatch/logMetricFilter:LogMetricFilter`.
pub(crate) struct LogMetricFilter;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct LogMetricFilterInputs {
    name: String,
    log_group_name: String,
    pattern: String,
    metric_transformation: MetricTransformation,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MetricTransformation {
    name: String,
    namespace: String,
    value: String,
    default_value: Option<String>,
    dimensions: Option<BTreeMap<String, String>>,
    unit: Option<String>,
}

#[async_trait]
impl ResourceType for LogMetricFilter {
    type Inputs = LogMetricFilterInputs;
    type Service = Logs;

    const TOKEN: &'static str = "aws:cloudwatch/logMetricFilter:LogMetricFilter";
    const REPLACES_ON: &'static [&'static str] = &["logGroupName", "name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_FILTER_NAME,
    });
    const DECLARED_ONLY: bool = true;
    /// PutMetricFilter.
    const OVERWRITES: bool = true;
    /// A filter's name is one of its group alone.
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["logGroupName", "name"],
        separator: ":",
    });

    fn validate(&self, inputs: &LogMetricFilterInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if inputs.pattern.chars().count() > MAX_FILTER_PATTERN {
            let reason = format!("must have at most {MAX_FILTER_PATTERN} characters");
            refusals.push(Refusal::new("pattern", reason));
        }
        let metric = &inputs.metric_transformation;
        for (property, text) in [("name", &metric.name), ("namespace", &metric.namespace)] {
            if text.is_empty() || text.len() > 255 || text.contains([':', '*', '$']) {
                refusals.push(Refusal::new(
                    format!("metricTransformation.{property}"),
                    format!("{text:?} must be 1 to 255 characters without :, * and $"),
                ));
            }
        }
        if metric.default_value.is_some() && metric.dimensions.is_some() {
            refusals.push(Refusal::new(
                "metricTransformation.defaultValue",
                "conflicts with dimensions",
            ));
        }
        refusals
    }

    async fn create(
        &self,
        logs: &Arc<Logs>,
        new: &New,
        inputs: &LogMetricFilterInputs,
    ) -> AwsResult<Deployed> {
        let group = &inputs.log_group_name;
        if !logs.has_group(&new.region, group) {
            return Err(AwsError::new(
                400,
                "ResourceNotFoundException",
                format!("The specified log group does not exist: {group}"),
            ));
        }
        Ok(Deployed::new(&inputs.name, json!({})))
    }

    async fn read(
        &self,
        logs: &Arc<Logs>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<LogMetricFilterInputs>>,
    ) -> AwsResult<Option<Resource<LogMetricFilterInputs>>> {
        Ok(known.filter(|filter| {
            let group = &filter.inputs.log_group_name;
            logs.has_group(&filter.region, group)
        }))
    }
}
