//! `aws:lambda/function:Function`.

use super::Permission;
use crate::Lambda;
use crate::settings::{
    DEFAULT_EPHEMERAL_STORAGE_MB, DEFAULT_MEMORY_MB, DEFAULT_TIMEOUT_SECONDS, Details,
    EPHEMERAL_STORAGE_MB, FunctionSettings, LATEST, Level, LogFormat, Logging, MAX_DESCRIPTION,
    MAX_HANDLER, MAX_NAME, MAX_VARIABLES_BYTES, MEMORY_MB, TIMEOUT_SECONDS,
};
use crate::{Package, function_arn, variables};
use async_trait::async_trait;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::arn;
use cloud_core::log_names::group_name_problem;
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

/// The one runtime that needs nothing but the package.
const RUNTIME: &str = "provided.al2023";

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
    // What AWS has and the embedded cloud has not: refused with a reason.
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

/// A Pulumi archive: of its forms a file is what a package can be.
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

    async fn store_code(&self, lambda: &Arc<Lambda>) -> AwsResult<Package> {
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
        let mut refusals = unsupported(inputs);
        refusals.extend(check_code(inputs));
        refusals.extend(check_limits(inputs));
        refusals.extend(check_variables(&inputs.variables()));
        refusals.extend(check_logging(inputs));
        refusals
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
            architecture: architecture(inputs.architectures.as_deref()).to_owned(),
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
    package: &Package,
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

fn unsupported(inputs: &FunctionInputs) -> Vec<Refusal> {
    const NO_S3: &str = "the embedded cloud takes code from a FileArchive only";
    const NO_KMS: &str = "the embedded cloud encrypts nothing with KMS";
    let given = [
        (
            "codeSha256",
            inputs.code_sha256.is_some(),
            "is computed; sourceCodeHash may be given",
        ),
        (
            "codeSigningConfigArn",
            inputs.code_signing_config_arn.is_some(),
            "the embedded cloud has no code signing",
        ),
        (
            "deadLetterConfig",
            inputs.dead_letter_config.is_some(),
            "the embedded cloud has no asynchronous invocations",
        ),
        (
            "imageUri",
            inputs.image_uri.is_some(),
            "the embedded cloud runs zip packages, not images",
        ),
        ("kmsKeyArn", inputs.kms_key_arn.is_some(), NO_KMS),
        (
            "layers",
            inputs
                .layers
                .as_ref()
                .is_some_and(|layers| !layers.is_empty()),
            "the embedded cloud has no layers",
        ),
        (
            "publish",
            inputs.publish == Some(true),
            "the embedded cloud has no versions but $LATEST",
        ),
        (
            "publishTo",
            inputs.publish_to.is_some(),
            "the embedded cloud has no versions but $LATEST",
        ),
        (
            "replacementSecurityGroupIds",
            inputs.replacement_security_group_ids.is_some(),
            "the embedded cloud has no VPCs",
        ),
        (
            "skipDestroy",
            inputs.skip_destroy == Some(true),
            "the embedded cloud leaves nothing behind",
        ),
        ("s3Bucket", inputs.s3_bucket.is_some(), NO_S3),
        ("s3Key", inputs.s3_key.is_some(), NO_S3),
        ("s3ObjectVersion", inputs.s3_object_version.is_some(), NO_S3),
        (
            "sourceKmsKeyArn",
            inputs.source_kms_key_arn.is_some(),
            NO_KMS,
        ),
        (
            "tracingConfig.mode",
            inputs
                .tracing_config
                .as_ref()
                .is_some_and(|tracing| tracing.mode != "PassThrough"),
            "the embedded cloud has no X-Ray; PassThrough is what it does",
        ),
    ];
    given
        .into_iter()
        .filter(|(_, given, _)| *given)
        .map(|(property, _, reason)| Refusal::new(property, reason))
        .collect()
}

fn check_code(inputs: &FunctionInputs) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if let Some(kind) = inputs.package_type.as_deref()
        && kind != "Zip"
    {
        refusals.push(Refusal::new(
            "packageType",
            format!("the embedded cloud runs Zip packages, not {kind}"),
        ));
    }
    match inputs.code.as_ref() {
        None => refusals.push(Refusal::new("code", "must be given")),
        Some(code) if code.path.is_none() => refusals.push(Refusal::new(
            "code",
            "must be a FileArchive: the zip of a package that is built already",
        )),
        Some(_) => {}
    }
    match inputs.runtime.as_deref() {
        Some(RUNTIME) => {}
        None => refusals.push(Refusal::new("runtime", "must be given for a Zip package")),
        Some(other) => refusals.push(Refusal::new(
            "runtime",
            format!("the embedded cloud has {RUNTIME} only, not {other}"),
        )),
    }
    match inputs.handler.as_deref() {
        None => refusals.push(Refusal::new("handler", "must be given for a Zip package")),
        Some(handler) if handler.is_empty() || handler.len() > MAX_HANDLER => {
            refusals.push(Refusal::new(
                "handler",
                format!("must have 1 to {MAX_HANDLER} characters"),
            ));
        }
        Some(handler) if handler.contains(char::is_whitespace) => {
            refusals.push(Refusal::new("handler", "must not contain white space"));
        }
        Some(_) => {}
    }
    refusals.extend(check_architecture(inputs.architectures.as_deref()));
    refusals
}

/// What is declared, or what AWS takes when nothing is.
fn architecture(declared: Option<&[String]>) -> &str {
    let first = declared.and_then(|declared| declared.first());
    first.map_or("x86_64", String::as_str)
}

/// The package's program runs on this machine's processor.
fn check_architecture(declared: Option<&[String]>) -> Option<Refusal> {
    let machine = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    let declared = match declared {
        None | Some([] | [_]) => architecture(declared),
        Some(_) => {
            return Some(Refusal::new("architectures", "must be one architecture"));
        }
    };
    let reason = match declared {
        "x86_64" | "arm64" if declared == machine => return None,
        "x86_64" | "arm64" => format!(
            "{declared} cannot run on this machine, which is {machine}; set it to {machine} for \
             the embedded cloud"
        ),
        other => format!("{other:?} is neither x86_64 nor arm64"),
    };
    Some(Refusal::new("architectures", reason))
}

fn check_limits(inputs: &FunctionInputs) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let name_fits = (1..=MAX_NAME).contains(&inputs.name.len())
        && inputs
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !name_fits {
        refusals.push(Refusal::new(
            "name",
            format!("must have 1 to {MAX_NAME} characters out of a-z, A-Z, 0-9, '-' and '_'"),
        ));
    }
    let role_fits = inputs.role.starts_with("arn:aws:iam::") && inputs.role.contains(":role/");
    if !role_fits {
        refusals.push(Refusal::new(
            "role",
            format!("{:?} is not the ARN of a role", inputs.role),
        ));
    }
    if let Some(description) = &inputs.description
        && description.chars().count() > MAX_DESCRIPTION
    {
        refusals.push(Refusal::new(
            "description",
            format!("must have at most {MAX_DESCRIPTION} characters"),
        ));
    }
    refusals.extend(range("memorySize", inputs.memory_size, &MEMORY_MB, "MB"));
    refusals.extend(range(
        "timeout",
        inputs.timeout,
        &TIMEOUT_SECONDS,
        "seconds",
    ));
    let storage = inputs.ephemeral_storage.as_ref().and_then(|one| one.size);
    refusals.extend(range(
        "ephemeralStorage.size",
        storage,
        &EPHEMERAL_STORAGE_MB,
        "MB",
    ));
    if let Some(reserved) = inputs.reserved_concurrent_executions
        && reserved < -1
    {
        refusals.push(Refusal::new(
            "reservedConcurrentExecutions",
            "must be -1 for none, or a number from 0 on",
        ));
    }
    refusals
}

fn range<T: PartialOrd + std::fmt::Display>(
    property: &str,
    value: Option<T>,
    allowed: &std::ops::RangeInclusive<T>,
    unit: &str,
) -> Option<Refusal> {
    let value = value.filter(|value| !allowed.contains(value))?;
    Some(Refusal::new(
        property,
        format!(
            "{value} is not within {} to {} {unit}",
            allowed.start(),
            allowed.end()
        ),
    ))
}

fn check_variables(variables: &BTreeMap<String, String>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for name in variables.keys() {
        let property = format!("environment.variables.{name}");
        let fits = name.len() >= 2
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if self::variables::RESERVED.contains(&name.as_str()) {
            refusals.push(Refusal::new(
                property,
                "is reserved: Lambda sets this variable itself",
            ));
        } else if !fits {
            refusals.push(Refusal::new(
                property,
                "a name must have at least two characters, letters, digits and '_', a letter first",
            ));
        }
    }
    let size = json!(variables).to_string().len();
    if size > MAX_VARIABLES_BYTES {
        refusals.push(Refusal::new(
            "environment.variables",
            format!("take {size} bytes, of which Lambda allows {MAX_VARIABLES_BYTES}"),
        ));
    }
    refusals
}

fn check_logging(inputs: &FunctionInputs) -> Vec<Refusal> {
    let Some(config) = &inputs.logging_config else {
        return Vec::new();
    };
    let mut refusals = Vec::new();
    let mut refuse = |property: &str, reason: String| {
        refusals.push(Refusal::new(format!("loggingConfig.{property}"), reason));
    };
    let format = config.log_format.as_str();
    if !["JSON", "Text"].contains(&format) {
        refuse("logFormat", format!("{format:?} is neither JSON nor Text"));
    }
    if let Some(problem) = config.log_group.as_deref().and_then(group_name_problem) {
        refuse("logGroup", problem.into());
    }
    let levels = [
        (
            "applicationLogLevel",
            &config.application_log_level,
            ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].as_slice(),
        ),
        (
            "systemLogLevel",
            &config.system_log_level,
            &["DEBUG", "INFO", "WARN"],
        ),
    ];
    for (property, level, allowed) in levels {
        let Some(level) = level else { continue };
        if format == "Text" {
            refuse(property, "can be given with logFormat JSON only".into());
        } else if !allowed.contains(&level.as_str()) {
            refuse(property, format!("{level:?} is none of {allowed:?}"));
        }
    }
    refusals
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterValueException", message)
}
