//! A function as the API shows it.
//!
//! The fields: <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html>
//! and <https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html>. What AWS sends
//! where something is configured that the embedded cloud refuses (a VPC, layers, a dead letter
//! queue) is left out, as it is there for a function without it.

use crate::function::Function;
use crate::settings::{LATEST, LogFormat};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// The one runtime.
const RUNTIME: &str = "provided.al2023";

/// What a list leaves out: "To get additional fields … use GetFunction"
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>).
const NOT_LISTED: [&str; 3] = ["State", "LastUpdateStatus", "RuntimeVersionConfig"];

/// The answer to GetFunction. `port` is that of AWS's protocols, where the package can be had.
pub(super) fn function(function: &Function, port: u16) -> Value {
    let (settings, details) = function.described();
    let package = settings.code.digest();
    let mut answer = json!({
        "Configuration": configuration(function),
        "Code": {
            "RepositoryType": "S3",
            "Location": format!("http://127.0.0.1:{port}/_mysfits/packages/{package}.zip"),
        },
    });
    if !details.tags.is_empty() {
        answer["Tags"] = json!(details.tags);
    }
    if let Some(reserved) = settings.reserved_concurrency {
        answer["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
    }
    answer
}

/// A function's configuration. Whatever is deployed is active, and its last update a success:
/// what fails is not deployed.
pub(super) fn configuration(function: &Function) -> Value {
    let (settings, details) = function.described();
    let mut logging = json!({ "LogGroup": settings.logging.group });
    match settings.logging.format {
        LogFormat::Text => logging["LogFormat"] = "Text".into(),
        LogFormat::Json {
            application,
            system,
        } => {
            logging["LogFormat"] = "JSON".into();
            logging["ApplicationLogLevel"] = application.name().into();
            logging["SystemLogLevel"] = system.name().into();
        }
    }
    let mut configuration = json!({
        "FunctionName": settings.name,
        "FunctionArn": settings.arn,
        "Runtime": RUNTIME,
        "Role": settings.role_arn,
        "Handler": settings.handler,
        "CodeSize": details.code_bytes,
        "Description": details.description,
        "Timeout": settings.timeout.as_secs(),
        "MemorySize": settings.memory_mb,
        "LastModified": details.last_modified,
        "CodeSha256": settings.code.sha256,
        "Version": LATEST,
        "TracingConfig": { "Mode": "PassThrough" },
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [details.architecture],
        "EphemeralStorage": { "Size": settings.ephemeral_storage_mb },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "RuntimeVersionConfig": { "RuntimeVersionArn": runtime_version(&settings.region) },
        "LoggingConfig": logging,
    });
    if !settings.variables.is_empty() {
        configuration["Environment"] = json!({ "Variables": settings.variables });
    }
    let revision = revision(&configuration);
    configuration["RevisionId"] = revision.to_string().into();
    configuration
}

/// A function in a list.
pub(super) fn listed(function: &Function) -> Value {
    let mut configuration = configuration(function);
    if let Some(fields) = configuration.as_object_mut() {
        fields.retain(|name, _| !NOT_LISTED.contains(&name.as_str()));
    }
    configuration
}

/// An id that is the same as long as nothing of a function changes.
fn revision(configuration: &Value) -> Uuid {
    let digest = Sha256::digest(configuration.to_string());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_random_bytes(bytes).into_uuid()
}

/// The runtime's version. AWS has one for each of its builds; here it is that of the machine.
fn runtime_version(region: &str) -> String {
    let digest = Sha256::digest(RUNTIME);
    let digest = hex::encode(digest);
    format!("arn:aws:lambda:{region}::runtime:{digest}")
}
