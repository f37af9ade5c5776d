//! CodeCommit: repositories. git clients reach one at its address for HTTPS, which is one of HTTP
//! here; nothing answers at the one for SSH.

use crate::CodeCommit;
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::resource::{
    Deployed, ImportId, New, Properties, Refusal, Resource, ResourceType,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

// Limits: https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
const MAX_NAME: usize = 100;
const MAX_DESCRIPTION: usize = 1_000;

/// `aws:codecommit/repository:Repository`.
pub(crate) struct Repository;

/// The inputs of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RepositoryInputs {
    repository_name: String,
    description: Option<String>,
    /// Of no effect while the repository is empty, as on AWS.
    default_branch: Option<String>,
    kms_key_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[async_trait]
impl ResourceType for Repository {
    type Inputs = RepositoryInputs;
    type Service = CodeCommit;

    const TOKEN: &'static str = "aws:codecommit/repository:Repository";
    /// It keeps the id of its creation when it gets another name, which then is free again.
    const IMPORT_ID: Option<ImportId> = Some(ImportId {
        parts: &["repositoryName"],
        separator: "",
    });
    const CHANGES_ON_UPDATE: &'static [&'static str] = &["arn", "cloneUrlHttp", "cloneUrlSsh"];

    fn validate(&self, inputs: &RepositoryInputs) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let name = &inputs.repository_name;
        let allowed = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
        };
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
            refusals.push(Refusal::new(
                "repositoryName",
                format!("must be 1 to {MAX_NAME} letters, digits, periods, underscores and dashes"),
            ));
        } else if name.ends_with(".git") {
            refusals.push(Refusal::new("repositoryName", "must not end in .git"));
        }
        let description = inputs.description.as_deref().unwrap_or_default();
        if description.chars().count() > MAX_DESCRIPTION {
            let reason = format!("must have at most {MAX_DESCRIPTION} characters");
            refusals.push(Refusal::new("description", reason));
        }
        let key = inputs.kms_key_id.as_deref();
        if key.is_some_and(|key| !key.starts_with("arn:")) {
            refusals.push(Refusal::new("kmsKeyId", "must be the ARN of a key"));
        }
        refusals
    }

    async fn create(
        &self,
        codecommit: &Arc<CodeCommit>,
        new: &New,
        inputs: &RepositoryInputs,
    ) -> AwsResult<Deployed> {
        check_unique(codecommit, &new.region, None, &inputs.repository_name)?;
        let mut outputs = addresses(codecommit, &new.region, &inputs.repository_name);
        outputs.insert("repositoryId".into(), Value::String(repository_id(new)));
        Ok(Deployed {
            id: inputs.repository_name.clone(),
            outputs,
        })
    }

    /// A repository is renamed in place, with all that is in it.
    async fn update(
        &self,
        codecommit: &Arc<CodeCommit>,
        old: &Resource<RepositoryInputs>,
        inputs: &RepositoryInputs,
    ) -> AwsResult<Properties> {
        let name = &inputs.repository_name;
        check_unique(codecommit, &old.region, Some(old), name)?;
        let mut outputs = old.outputs.clone();
        outputs.extend(addresses(codecommit, &old.region, name));
        Ok(outputs)
    }

    async fn delete(
        &self,
        codecommit: &Arc<CodeCommit>,
        resource: &Resource<RepositoryInputs>,
    ) -> AwsResult<()> {
        codecommit.remove(resource.output("repositoryId")).await
    }
}

fn check_unique(
    codecommit: &CodeCommit,
    region: &str,
    own: Option<&Resource<RepositoryInputs>>,
    name: &str,
) -> AwsResult<()> {
    if own.is_some_and(|own| own.inputs.repository_name == name) {
        return Ok(());
    }
    let named = codecommit.repositories(name);
    match named.iter().any(|repository| repository.region == region) {
        false => Ok(()),
        true => Err(AwsError::new(
            400,
            "RepositoryNameExistsException",
            format!("Repository named {name} already exists"),
        )),
    }
}

fn addresses(codecommit: &CodeCommit, region: &str, name: &str) -> Properties {
    let host = format!("git-codecommit.{region}.amazonaws.com");
    let port = codecommit.port;
    let addresses = json!({
        "arn": arn("codecommit", region, name),
        "cloneUrlHttp": format!("http://127.0.0.1:{port}/v1/repos/{name}"),
        "cloneUrlSsh": format!("ssh://{host}/v1/repos/{name}"),
    });
    match addresses {
        Value::Object(addresses) => addresses,
        _ => Properties::new(),
    }
}

/// Repository ids have the form of a UUID.
fn repository_id(new: &New) -> String {
    let digest = Sha256::digest(format!("{}\0{}", new.urn, new.generation));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}
