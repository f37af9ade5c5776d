//! Athena: workgroups and named queries. Declared only: there is no query engine here, and `aws
//! athena` finds nothing. The objects are in S3, where other engines can read them.

use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: Athena's service model (`WorkGroupName`, `NameString`, `DescriptionString`,
// `QueryString`, `BytesScannedCutoffValue`), as in botocore; the provider has the same.
const MAX_WORKGROUP_NAME: usize = 128;
const MAX_NAME: usize = 128;
const MAX_DESCRIPTION: usize = 1_024;
const MAX_QUERY: usize = 262_144;
const MIN_CUTOFF: f64 = 10_000_000.0;
/// The provider asks for more than Athena: 10 MiB.
const MIN_CUTOFF_OF_PROVIDER: f64 = 10_485_760.0;

/// `aws:athena/workgroup:Workgroup`.
pub(crate) struct Workgroup;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct WorkgroupInputs {
    name: String,
    description: Option<String>,
    configuration: Option<Configuration>,
    force_destroy: Option<bool>,
    state: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Configuration {
    bytes_scanned_cutoff_per_query: Option<f64>,
    enforce_workgroup_configuration: Option<bool>,
    engine_version: Option<EngineVersion>,
    managed_query_results_configuration: Option<ManagedResults>,
    publish_cloudwatch_metrics_enabled: Option<bool>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EngineVersion {
    selected_engine_version: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ManagedResults {
    enabled: Option<bool>,
}

/// What `ListEngineVersions` gives for SQL, by
/// <https://docs.aws.amazon.com/athena/latest/ug/engine-versions.html>.
const ENGINES: [&str; 2] = ["AUTO", "Athena engine version 3"];

#[async_trait]
impl ResourceType for Workgroup {
    type Inputs = WorkgroupInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:athena/workgroup:Workgroup";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_WORKGROUP_NAME,
    });
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &WorkgroupInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let name = &inputs.name;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if name.is_empty() || name.len() > MAX_WORKGROUP_NAME || !name.chars().all(allowed) {
            refusals.push(Refusal::new(
                "name",
                format!("{name:?} must be 1 to {MAX_WORKGROUP_NAME} letters, digits, ., _ and -"),
            ));
        }
        refusals.extend(check_description(inputs.description.as_deref()));
        if let Some(state) = inputs.state.as_deref()
            && !["ENABLED", "DISABLED"].contains(&state)
        {
            let reason = format!("{state:?} is neither ENABLED nor DISABLED");
            refusals.push(Refusal::new("state", reason));
        }
        let Some(configuration) = &inputs.configuration else {
            return refusals;
        };
        if let Some(cutoff) = configuration.bytes_scanned_cutoff_per_query
            && (cutoff < MIN_CUTOFF_OF_PROVIDER.max(MIN_CUTOFF) || cutoff.fract() != 0.0)
        {
            refusals.push(Refusal::new(
                "configuration.bytesScannedCutoffPerQuery",
                format!("{cutoff} is no whole number of at least {MIN_CUTOFF_OF_PROVIDER}"),
            ));
        }
        let engine = configuration.engine_version.as_ref();
        if let Some(engine) = engine.and_then(|engine| engine.selected_engine_version.as_deref())
            && !ENGINES.contains(&engine)
        {
            refusals.push(Refusal::new(
                "configuration.engineVersion.selectedEngineVersion",
                format!("{engine:?} is none of {}", ENGINES.join(", ")),
            ));
        }
        refusals
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &WorkgroupInputs,
    ) -> AwsResult<Deployed> {
        let name = &inputs.name;
        if name == "primary"
            || deployments
                .find(Self::TOKEN, name, Some(&new.region))
                .is_some()
        {
            return Err(AwsError::new(
                400,
                "InvalidRequestException",
                "WorkGroup is already created",
            ));
        }
        let arn = arn("athena", &new.region, &format!("workgroup/{name}"));
        Ok(Deployed::new(name, json!({ "arn": arn })))
    }

    async fn delete(
        &self,
        deployments: &Arc<Deployments>,
        resource: &Resource<WorkgroupInputs>,
    ) -> AwsResult<()> {
        // https://docs.aws.amazon.com/athena/latest/APIReference/API_DeleteWorkGroup.html:
        // RecursiveDeleteOption, which the provider takes from forceDestroy.
        let holds_queries = deployments.all().into_iter().any(|record| {
            record.token == NamedQuery::TOKEN
                && record.resource.region == resource.region
                && record
                    .resource
                    .inputs
                    .get("workgroup")
                    .and_then(Value::as_str)
                    == Some(resource.id.as_str())
        });
        if holds_queries && resource.inputs.force_destroy != Some(true) {
            return Err(AwsError::new(
                400,
                "InvalidRequestException",
                format!("WorkGroup {} is not empty", resource.id),
            ));
        }
        Ok(())
    }
}

/// `aws:athena/namedQuery:NamedQuery`.
pub(crate) struct NamedQuery;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NamedQueryInputs {
    name: String,
    database: String,
    query: String,
    description: Option<String>,
    workgroup: Option<String>,
}

#[async_trait]
impl ResourceType for NamedQuery {
    type Inputs = NamedQueryInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:athena/namedQuery:NamedQuery";
    const REPLACES_ON: &'static [&'static str] =
        &["name", "database", "query", "description", "workgroup"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &NamedQueryInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let lengths = [
            ("name", &inputs.name, MAX_NAME),
            ("database", &inputs.database, 255),
            ("query", &inputs.query, MAX_QUERY),
        ];
        for (property, text, most) in lengths {
            if text.is_empty() || text.chars().count() > most {
                let reason = format!("must have 1 to {most} characters");
                refusals.push(Refusal::new(property, reason));
            }
        }
        refusals.extend(check_description(inputs.description.as_deref()));
        refusals
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &NamedQueryInputs,
    ) -> AwsResult<Deployed> {
        let workgroup = inputs.workgroup.as_deref().unwrap_or("primary");
        let there = deployments.find(Workgroup::TOKEN, workgroup, Some(&new.region));
        if workgroup != "primary" && there.is_none() {
            return Err(AwsError::new(
                400,
                "InvalidRequestException",
                format!("WorkGroup {workgroup} is not found."),
            ));
        }
        let id = new.suffix(32);
        let id = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
        Ok(Deployed::new(id, json!({})))
    }
}

fn check_description(description: Option<&str>) -> Option<Refusal> {
    let count = description.unwrap_or_default().chars().count();
    (count > MAX_DESCRIPTION).then(|| {
        let reason = format!("must have at most {MAX_DESCRIPTION} characters");
        Refusal::new("description", reason)
    })
}
