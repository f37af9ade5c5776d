//! `aws:lambda/function:Function`.

mod checks;

use super::Permission;
use crate::Lambda;
use crate::settings::{
    DEFAULT_EPHEMERAL_STORAGE_MB, DEFAULT_MEMORY_MB, DEFAULT_TIMEOUT_SECONDS, Details,
    FunctionSettings, LATEST, Level, LogFormat, Logging, MAX_NAME,
};
use crate::{StoredPackage, function_arn};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_resource::resource::{
    AutoName, Deployed, New, Properties, Refusal, Resource, ResourceType, Scope,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use time::macros::format_description;

/// `aws:lambda/function:Function`.
pub(crate) struct Function;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct FunctionInputs {
    name: String,
    role: String,
    code: Option<Archive>,
    runtime: Option<String>,
    handler: Option<String>,
    architectures: Option<Vec<String>>,
    package_type: Option<String>,
    description: Option<String>,
    memory_size: Option<u32>,
    timeout: Option<u64>,
    environment: Option<Environment>,
    logging_config: Option<LoggingConfig>,
    reserved_concurrent_executions: Option<i64>,
    ephemeral_storage: Option<EphemeralStorage>,
    tracing_config: Option<TracingConfig>,
    source_code_hash: Option<String>,
    publish: Option<bool>,
    skip_destroy: Option<bool>,
    use_resource_timeout_for_propagation: Option<bool>,
    replace_security_groups_on_destroy: Option<bool>,
    tags: Option<BTreeMap<String, String>>,
    // AWS has these, and the embedded cloud has not: it refuses them with a reason.
    code_sha256: Option<Value>,
    code_signing_config_arn: Option<Value>,
    dead_letter_config: Option<Value>,
    image_uri: Option<Value>,
    kms_key_arn: Option<Value>,
    layers: Option<Vec<Value>>,
    publish_to: Option<Value>,
    replacement_security_group_ids: Option<Value>,
    s3_bucket: Option<Value>,
    s3_key: Option<Value>,
    s3_object_version: Option<Value>,
    source_kms_key_arn: Option<Value>,
}

/// A Pulumi archive. Of its forms only a file can be a package.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Archive {
    path: Option<PathBuf>,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    variables: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LoggingConfig {
    log_format: String,
    log_group: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EphemeralStorage {
    size: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TracingConfig {
    mode: String,
}

impl FunctionInputs {
    fn variables(&self) -> BTreeMap<String, String> {
        self.environment
            .as_ref()
            .and_then(|environment| environment.variables.clone())
            .unwrap_or_default()
    }

    fn logging(&self) -> Logging {
        let config = self.logging_config.as_ref();
        let level = |name: Option<&String>| {
            name.and_then(|name| Level::parse(name))
                .unwrap_or(Level::Info)
        };
        let named = config.and_then(|config| config.log_group.clone());
        Logging {
            named: named.is_some(),
            group: named.unwrap_or_else(|| format!("/aws/lambda/{}", self.name)),
            format: match config {
                Some(config) if config.log_format == "JSON" => LogFormat::Json {
                    application: level(config.application_log_level.as_ref()),
                    system: level(config.system_log_level.as_ref()),
                },
                _ => LogFormat::Text,
            },
        }
    }

    async fn store_code(&self, lambda: &Arc<Lambda>) -> AwsResult<StoredPackage> {
        let path = self.code.as_ref().and_then(|code| code.path.clone());
        let path = path.ok_or_else(|| invalid("code must be a FileArchive with a path"))?;
        lambda.store_code(path).await
    }

    /// Refuses what AWS refuses at creation and at every change.
    fn check_role(&self, lambda: &Lambda) -> AwsResult<()> {
        lambda
            .iam
            .assume_role(&self.role, "lambda.amazonaws.com", &[])
            .map(|_| ())
            .map_err(|reason| {
                tracing::info!(function = self.name, %reason, "a role cannot be assumed");
                invalid("The role defined for the function cannot be assumed by Lambda.")
            })
    }
}

#[async_trait]
impl ResourceType for Function {
    type Inputs = FunctionInputs;
    type Service = Lambda;

    const TOKEN: &'static str = "aws:lambda/function:Function";
    const REPLACES_ON: &'static [&'static str] = &["name", "packageType"];
    const AUTO_NAME: Option<AutoName> = Some(AutoName {
        property: "name",
        max_length: MAX_NAME,
    });
    const HOLDS: &'static [&'static str] = &[Permission::TOKEN];
    const CHANGES_ON_UPDATE: &'static [&'static str] = &[
        "lastModified",
        "codeSha256",
        "sourceCodeHash",
        "sourceCodeSize",
    ];

    fn validate(&self, inputs: &FunctionInputs) -> Vec<Refusal> {
        checks::refusals(inputs)
    }

    async fn create(
        &self,
        lambda: &Arc<Lambda>,
        new: &New,
        inputs: &FunctionInputs,
    ) -> AwsResult<Deployed> {
        let arn = function_arn(&new.region, &inputs.name);
        if lambda.has_function(&arn) {
            return Err(AwsError::new(
                409,
                "ResourceConflictException",
                format!("Function already exist: {}", inputs.name),
            ));
        }
        inputs.check_role(lambda)?;
        let package = inputs.store_code(lambda).await?;
        let outputs = outputs(lambda, &new.region, inputs, &package)?;
        Ok(Deployed::new(inputs.name.clone(), Value::Object(outputs)))
    }

    /// Its code is kept. When the first function is made live, what nobody needs is deleted.
    fn announce(&self, lambda: &Arc<Lambda>, record: &Resource<Properties>) {
        let code = &lambda.code;
        code.expect(record.output("arn"), record.output("codeSha256"));
    }

    async fn activate(
        &self,
        lambda: &Arc<Lambda>,
        resource: &Resource<FunctionInputs>,
    ) -> AwsResult<()> {
        let inputs = &resource.inputs;
        let reserved = inputs.reserved_concurrent_executions.unwrap_or(-1);
        let storage = inputs.ephemeral_storage.as_ref();
        let code_bytes = resource.outputs.get("sourceCodeSize");
        let details = Details {
            description: inputs.description.clone().unwrap_or_default(),
            code_bytes: code_bytes.and_then(Value::as_u64).unwrap_or_default(),
            last_modified: resource.output("lastModified").to_owned(),
            architecture: checks::architecture(inputs.architectures.as_deref()).to_owned(),
            tags: inputs.tags.clone().unwrap_or_default(),
        };
        let settings = FunctionSettings {
            name: inputs.name.clone(),
            arn: function_arn(&resource.region, &inputs.name),
            region: resource.region.clone(),
            role_arn: inputs.role.clone(),
            handler: inputs.handler.clone().unwrap_or_default(),
            memory_mb: inputs.memory_size.unwrap_or(DEFAULT_MEMORY_MB),
            ephemeral_storage_mb: storage
                .and_then(|storage| storage.size)
                .unwrap_or(DEFAULT_EPHEMERAL_STORAGE_MB),
            timeout: Duration::from_secs(inputs.timeout.unwrap_or(DEFAULT_TIMEOUT_SECONDS)),
            variables: inputs.variables(),
            code: lambda.code(resource.output("codeSha256")).await?,
            logging: inputs.logging(),
            // -1 means none.
            reserved_concurrency: usize::try_from(reserved).ok(),
        };
        lambda.deploy(settings, details).await
    }

    async fn update(
        &self,
        lambda: &Arc<Lambda>,
        old: &Resource<FunctionInputs>,
        inputs: &FunctionInputs,
    ) -> AwsResult<Properties> {
        inputs.check_role(lambda)?;
        let package = inputs.store_code(lambda).await?;
        let mut new = old.outputs.clone();
        new.extend(outputs(lambda, &old.region, inputs, &package)?);
        Ok(new)
    }

    async fn read(
        &self,
        lambda: &Arc<Lambda>,
        _scope: &Scope<'_>,
        _id: &str,
        known: Option<Resource<FunctionInputs>>,
    ) -> AwsResult<Option<Resource<FunctionInputs>>> {
        Ok(known.filter(|function| {
            let arn = function_arn(&function.region, &function.inputs.name);
            lambda.has_function(&arn)
        }))
    }

    async fn delete(
        &self,
        lambda: &Arc<Lambda>,
        resource: &Resource<FunctionInputs>,
    ) -> AwsResult<()> {
        let arn = function_arn(&resource.region, &resource.inputs.name);
        lambda.remove(&arn).await
    }
}

fn outputs(
    lambda: &Lambda,
    region: &str,
    inputs: &FunctionInputs,
    package: &StoredPackage,
) -> AwsResult<Properties> {
    let arn = function_arn(region, &inputs.name);
    let qualified = format!("{arn}:{LATEST}");
    let modified = lambda
        .context
        .clock
        .now()
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000"
        ))
        .map_err(AwsError::internal)?;
    let outputs = json!({
        "arn": arn,
        "name": inputs.name,
        "invokeArn": invoke_arn(region, &arn),
        "qualifiedArn": qualified,
        "qualifiedInvokeArn": invoke_arn(region, &qualified),
        "version": LATEST,
        "lastModified": modified,
        "codeSha256": package.sha256,
        "sourceCodeHash": inputs.source_code_hash.as_ref().unwrap_or(&package.sha256),
        "sourceCodeSize": package.size,
    });
    match outputs {
        Value::Object(outputs) => Ok(outputs),
        _ => Ok(Properties::new()),
    }
}

/// What an API's integration calls a function.
fn invoke_arn(region: &str, function: &str) -> String {
    let path = format!("path/2015-03-31/functions/{function}/invocations");
    // The service in the place of an account is Lambda.
    arn("apigateway", region, &path).replacen(cloud_core::identity::ACCOUNT_ID, "lambda", 1)
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterValueException", message)
}
