//! The environment of a function's process: what is declared, what Lambda sets, and nothing of
//! the machine it runs on.
//!
//! Names and values are those of AWS's page configuration-envvars.

use super::settings::{FunctionSettings, LATEST, LogFormat};
use std::collections::BTreeMap;
use std::path::Path;

/// The names that a function's configuration must not set.
pub(crate) const RESERVED: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "TZ",
];

/// Where runtimes are that come with Lambda; there is none here.
const RUNTIME_DIR: &str = "/var/runtime";

/// What an environment runs, and whom it talks to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Runtime<'a> {
    pub settings: &'a FunctionSettings,
    /// The address of its Runtime API.
    pub api: &'a str,
    pub log_stream: &'a str,
}

/// All variables of an environment that finds its code at `task_root`.
pub(crate) fn of(runtime: Runtime<'_>, task_root: &Path) -> BTreeMap<String, String> {
    let Runtime {
        settings,
        api: runtime_api,
        log_stream,
    } = runtime;
    let task_root = task_root.to_string_lossy().into_owned();
    let library_path = format!(
        "/lib64:/usr/lib64:{RUNTIME_DIR}:{RUNTIME_DIR}/lib:{task_root}:{task_root}/lib:/opt/lib"
    );
    // These may be set to something else.
    let mut variables = strings([
        ("LANG", "en_US.UTF-8"),
        ("LD_LIBRARY_PATH", &library_path),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"),
    ]);
    variables.extend(settings.variables.clone());
    variables.extend(strings([
        ("_HANDLER", settings.handler.as_str()),
        // In place of the role's credentials: the embedded cloud accepts any.
        ("AWS_ACCESS_KEY_ID", "ASIAEMBEDDEDCLOUD"),
        ("AWS_SECRET_ACCESS_KEY", "embedded"),
        ("AWS_SESSION_TOKEN", "embedded"),
        ("AWS_DEFAULT_REGION", &settings.region),
        ("AWS_REGION", &settings.region),
        ("AWS_LAMBDA_FUNCTION_NAME", &settings.name),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            &settings.memory_mb.to_string(),
        ),
        ("AWS_LAMBDA_FUNCTION_VERSION", LATEST),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &settings.logging.group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("LAMBDA_RUNTIME_DIR", RUNTIME_DIR),
        ("LAMBDA_TASK_ROOT", &task_root),
        ("TZ", ":UTC"),
    ]));
    if let LogFormat::Json { application, .. } = settings.logging.format {
        variables.extend(strings([
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", application.name()),
        ]));
    }
    variables
}

fn strings<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
