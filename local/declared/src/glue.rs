//! Glue: databases and tables of the Data Catalog. Declared only: nothing here uses them to read.

use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::{ACCOUNT_ID, arn};
use cloud_resource::deployments::Deployments;
use cloud_resource::resource::{AutoName, Deployed, New, Refusal, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: Glue's service model (`NameString`, `DescriptionString`, `KeyString`,
// `ParametersMapValue`), as in botocore.
const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 2_048;
const MAX_KEY: usize = 255;
const MAX_VALUE: usize = 512_000;

/// `aws:glue/catalogDatabase:CatalogDatabase`.
pub(crate) struct CatalogDatabase;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CatalogDatabaseInputs {
    name: String,
    description: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for CatalogDatabase {
    type Inputs = CatalogDatabaseInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:glue/catalogDatabase:CatalogDatabase";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });
    const LOWER_CASE_NAME: bool = true;
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &CatalogDatabaseInputs) -> Vec<Refusal> {
        let description = check_description(inputs.description.as_deref());
        check_name(&inputs.name)
            .into_iter()
            .chain(description)
            .collect()
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &CatalogDatabaseInputs,
    ) -> AwsResult<Deployed> {
        let name = &inputs.name;
        let id = format!("{ACCOUNT_ID}:{name}");
        if deployments
            .find(Self::TOKEN, &id, Some(&new.region))
            .is_some()
        {
            return Err(exists("Database"));
        }
        let arn = arn("glue", &new.region, &format!("database/{name}"));
        Ok(Deployed::new(
            id,
            json!({ "arn": arn, "catalogId": ACCOUNT_ID }),
        ))
    }
}

/// `aws:glue/catalogTable:CatalogTable`.
pub(crate) struct CatalogTable;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct CatalogTableInputs {
    name: String,
    database_name: String,
    description: Option<String>,
    table_type: Option<String>,
    parameters: Option<BTreeMap<String, String>>,
    partition_keys: Option<Vec<Column>>,
    storage_descriptor: Option<StorageDescriptor>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct StorageDescriptor {
    location: Option<String>,
    columns: Option<Vec<Column>>,
    input_format: Option<String>,
    output_format: Option<String>,
    ser_de_info: Option<SerDeInfo>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct SerDeInfo {
    name: Option<String>,
    serialization_library: Option<String>,
    parameters: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Column {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    comment: Option<String>,
}

#[async_trait]
impl ResourceType for CatalogTable {
    type Inputs = CatalogTableInputs;
    type Service = Deployments;

    const TOKEN: &'static str = "aws:glue/catalogTable:CatalogTable";
    const REPLACES_ON: &'static [&'static str] = &["name", "databaseName"];
    const DECLARED_ONLY: bool = true;

    fn validate(&self, inputs: &CatalogTableInputs) -> Vec<Refusal> {
        let mut refusals: Vec<Refusal> = check_name(&inputs.name).into_iter().collect();
        refusals.extend(check_description(inputs.description.as_deref()));
        for (name, value) in inputs.parameters.iter().flatten() {
            if name.is_empty() || name.len() > MAX_KEY || value.len() > MAX_VALUE {
                refusals.push(Refusal::new(
                    format!("parameters[{name:?}]"),
                    format!("a name has 1 to {MAX_KEY} characters, a value {MAX_VALUE} at most"),
                ));
            }
        }
        let storage = inputs.storage_descriptor.iter();
        let columns = storage.flat_map(|storage| storage.columns.iter().flatten());
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for column in columns.chain(inputs.partition_keys.iter().flatten()) {
            *names.entry(&column.name).or_default() += 1;
        }
        for (name, count) in names {
            if name.is_empty() || name.len() > MAX_NAME {
                let reason = format!("a column's name has 1 to {MAX_NAME} characters");
                refusals.push(Refusal::new("storageDescriptor.columns", reason));
            }
            // Athena reads no table with a column twice, a partition's key among them.
            if count > 1 {
                let reason = format!("column {name:?} is there {count} times");
                refusals.push(Refusal::new("storageDescriptor.columns", reason));
            }
        }
        refusals.extend(projection(inputs));
        refusals
    }

    async fn create(
        &self,
        deployments: &Arc<Deployments>,
        new: &New,
        inputs: &CatalogTableInputs,
    ) -> AwsResult<Deployed> {
        let (database, name) = (&inputs.database_name, &inputs.name);
        let of_database = format!("{ACCOUNT_ID}:{database}");
        let region = Some(new.region.as_str());
        if deployments
            .find(CatalogDatabase::TOKEN, &of_database, region)
            .is_none()
        {
            return Err(AwsError::new(
                400,
                "EntityNotFoundException",
                format!("Database {database} not found."),
            ));
        }
        let id = format!("{of_database}:{name}");
        if deployments.find(Self::TOKEN, &id, region).is_some() {
            return Err(exists("Table"));
        }
        let arn = arn("glue", &new.region, &format!("table/{database}/{name}"));
        Ok(Deployed::new(
            id,
            json!({ "arn": arn, "catalogId": ACCOUNT_ID }),
        ))
    }
}

/// What Athena would fail each query with, of partitions that are projected:
/// <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html>,
/// <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html>.
fn projection(inputs: &CatalogTableInputs) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let parameters = inputs.parameters.clone().unwrap_or_default();
    let enabled = parameters.get("projection.enabled");
    if !enabled.is_some_and(|enabled| enabled.eq_ignore_ascii_case("true")) {
        return refusals;
    }
    let mut refuse = |name: &str, reason: &str| {
        refusals.push(Refusal::new(format!("parameters[{name:?}]"), reason));
    };
    let template = parameters.get("storage.location.template");
    for key in inputs.partition_keys.iter().flatten() {
        let of = |what: &str| format!("projection.{}.{what}", key.name);
        let kind = of("type");
        match parameters.get(&kind).map(String::as_str) {
            Some("date") => {
                for needed in ["format", "range"] {
                    if !parameters.contains_key(&of(needed)) {
                        refuse(&of(needed), "is needed for dates");
                    }
                }
                let format = parameters.get(&of("format")).map_or("", String::as_str);
                let by_day_or_month = format.ends_with("dd") || format.ends_with("MM");
                for needed in ["interval", "interval.unit"] {
                    if !by_day_or_month && !parameters.contains_key(&of(needed)) {
                        refuse(
                            &of(needed),
                            "is needed for dates that are not by day or month",
                        );
                    }
                }
            }
            Some("enum" | "integer" | "injected") => {}
            Some(_) => refuse(&kind, "is none of date, enum, injected and integer"),
            None => refuse(&kind, "is needed for each partition's key"),
        }
        let place = format!("${{{}}}", key.name);
        if template.is_some_and(|template| !template.contains(&place)) {
            let reason = format!("has no {place}");
            refuse("storage.location.template", &reason);
        }
    }
    refusals
}

/// The provider: "must be lowercase"; Glue folds names.
fn check_name(name: &str) -> Option<Refusal> {
    let fits = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_uppercase);
    (!fits).then(|| {
        let reason = format!("{name:?} must have 1 to {MAX_NAME} characters, no capitals");
        Refusal::new("name", reason)
    })
}

fn check_description(description: Option<&str>) -> Option<Refusal> {
    let count = description.unwrap_or_default().chars().count();
    (count > MAX_DESCRIPTION).then(|| {
        let reason = format!("must have at most {MAX_DESCRIPTION} characters");
        Refusal::new("description", reason)
    })
}

fn exists(what: &str) -> AwsError {
    AwsError::new(
        400,
        "AlreadyExistsException",
        format!("{what} already exists."),
    )
}
