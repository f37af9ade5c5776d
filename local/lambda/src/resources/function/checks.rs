//! What is refused of a function's declaration, all at once, before anything is created.

use super::FunctionInputs;
use crate::settings::{
    EPHEMERAL_STORAGE_MB, MAX_DESCRIPTION, MAX_HANDLER, MAX_NAME, MAX_VARIABLES_BYTES, MEMORY_MB,
    TIMEOUT_SECONDS,
};
use crate::variables::RESERVED;
use cloud_core::log_names::group_name_problem;
use cloud_resource::resource::Refusal;
use serde_json::json;
use std::collections::BTreeMap;

/// The one runtime that needs nothing but the package.
const RUNTIME: &str = "provided.al2023";

/// Everything that AWS or the embedded cloud does not take.
pub(super) fn refusals(inputs: &FunctionInputs) -> Vec<Refusal> {
    let mut refusals = unsupported(inputs);
    refusals.extend(check_code(inputs));
    refusals.extend(check_limits(inputs));
    refusals.extend(check_variables(&inputs.variables()));
    refusals.extend(check_logging(inputs));
    refusals
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

/// The declared architecture, or AWS's default.
pub(super) fn architecture(declared: Option<&[String]>) -> &str {
    let first = declared.and_then(|declared| declared.first());
    first.map_or("x86_64", String::as_str)
}

/// The program in the package runs on this machine's processor.
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
        if RESERVED.contains(&name.as_str()) {
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
