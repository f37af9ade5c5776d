//! KMS: symmetric keys and their names.

use crate::{ALIAS, Kms};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::resource::{Deployed, New, Properties, Refusal, Resource, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

// Limits: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html,
// API_ScheduleKeyDeletion.html and API_CreateAlias.html
const MAX_DESCRIPTION: usize = 8_192;
const WAITING_DAYS: RangeInclusive<u32> = 7..=30;
const MAX_ALIAS: usize = 256;

/// `aws:kms/key:Key`. Its policy is the default one, which leaves everything to IAM. When it is
/// deleted, it is gone at once, without the waiting period of AWS.
pub(crate) struct Key;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct KeyInputs {
    description: Option<String>,
    deletion_window_in_days: Option<u32>,
    enable_key_rotation: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for Key {
    type Inputs = KeyInputs;
    type Service = Kms;

    const TOKEN: &'static str = "aws:kms/key:Key";

    fn validate(&self, inputs: &KeyInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let description = inputs.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_DESCRIPTION {
            let reason = format!("must have at most {MAX_DESCRIPTION} characters");
            refusals.push(Refusal::new("description", reason));
        }
        let days = inputs.deletion_window_in_days;
        if days.is_some_and(|days| !WAITING_DAYS.contains(&days)) {
            let reason = "must be 7 to 30 days";
            refusals.push(Refusal::new("deletionWindowInDays", reason));
        }
        refusals
    }

    async fn create(&self, _kms: &Arc<Kms>, new: &New, _inputs: &KeyInputs) -> AwsResult<Deployed> {
        let id = key_id(new);
        Ok(Deployed::new(
            &id,
            json!({ "arn": arn("kms", &new.region, &format!("key/{id}")), "keyId": id }),
        ))
    }
}

/// Key ids have the form of a UUID.
fn key_id(new: &New) -> String {
    let digest = Sha256::digest(format!("{}\0{}", new.urn, new.generation));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// `aws:kms/alias:Alias`.
pub(crate) struct Alias;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AliasInputs {
    name: Option<String>,
    target_key_id: String,
}

#[async_trait]
impl ResourceType for Alias {
    type Inputs = AliasInputs;
    type Service = Kms;

    const TOKEN: &'static str = "aws:kms/alias:Alias";
    const REPLACES_ON: &'static [&'static str] = &["name"];
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["targetKeyArn"];
    const DELETE_BEFORE_REPLACE: bool = true;

    fn validate(&self, inputs: &AliasInputs) -> Vec<Refusal> {
        let name = inputs.name.as_deref().unwrap_or_default();
        let rest = name.strip_prefix("alias/").unwrap_or_default();
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "/_-".contains(letter);
        let fits = !rest.is_empty() && name.len() <= MAX_ALIAS && rest.chars().all(allowed);
        let refusal = match fits {
            false => format!(
                "must be alias/ and letters, digits, /, _ and -, in {MAX_ALIAS} characters: the \
                 embedded cloud makes none up"
            ),
            true if rest.starts_with("aws/") => "alias/aws/ is for keys of AWS's".to_owned(),
            true if name == ALIAS => format!("{ALIAS} is the key of every embedded cloud"),
            true => return Vec::new(),
        };
        vec![Refusal::new("name", refusal)]
    }

    async fn create(&self, kms: &Arc<Kms>, new: &New, inputs: &AliasInputs) -> AwsResult<Deployed> {
        let name = inputs.name.clone().unwrap_or_default();
        let alias_arn = arn("kms", &new.region, &name);
        if kms
            .deployments
            .find(Self::TOKEN, &name, Some(&new.region))
            .is_some()
        {
            return Err(AwsError::new(
                400,
                "AlreadyExistsException",
                format!("An alias with the name {alias_arn} already exists"),
            ));
        }
        let mut outputs = target(kms, &new.region, inputs)?;
        outputs.insert("arn".to_owned(), alias_arn.into());
        Ok(Deployed { id: name, outputs })
    }

    async fn update(
        &self,
        kms: &Arc<Kms>,
        old: &Resource<AliasInputs>,
        inputs: &AliasInputs,
    ) -> AwsResult<Properties> {
        let mut outputs = old.outputs.clone();
        outputs.extend(target(kms, &old.region, inputs)?);
        Ok(outputs)
    }
}

/// The key that an alias is for, which has to be there, by its id or its ARN.
fn target(kms: &Kms, region: &str, inputs: &AliasInputs) -> AwsResult<Properties> {
    let named = &inputs.target_key_id;
    let id = named.rsplit('/').next().unwrap_or(named);
    if kms.deployments.find(Key::TOKEN, id, Some(region)).is_none() {
        return Err(AwsError::new(
            400,
            "NotFoundException",
            format!(
                "Key '{}' does not exist",
                arn("kms", region, &format!("key/{id}"))
            ),
        ));
    }
    let target = Value::from(arn("kms", region, &format!("key/{id}")));
    Ok(Properties::from_iter([("targetKeyArn".to_owned(), target)]))
}
