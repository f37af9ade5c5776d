//! What a function was declared to be, within Lambda's limits.

use super::code::Code;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

// Limits: gettingstarted-limits, and the API reference of CreateFunction.
pub(crate) const MEMORY_MB: RangeInclusive<u32> = 128..=10_240;
pub(crate) const DEFAULT_MEMORY_MB: u32 = 128;
/// The bounds of `/tmp`, in MB (API reference, `EphemeralStorage`).
pub(crate) const EPHEMERAL_STORAGE_MB: RangeInclusive<u32> = 512..=10_240;
pub(crate) const DEFAULT_EPHEMERAL_STORAGE_MB: u32 = 512;
pub(crate) const TIMEOUT_SECONDS: RangeInclusive<u64> = 1..=900;
pub(crate) const DEFAULT_TIMEOUT_SECONDS: u64 = 3;
pub(crate) const MAX_VARIABLES_BYTES: usize = 4 * 1024;
pub(crate) const MAX_NAME: usize = 64;
pub(crate) const MAX_HANDLER: usize = 128;
pub(crate) const MAX_DESCRIPTION: usize = 256;

/// How many invocations the account runs at a time (gettingstarted-limits).
pub(crate) const ACCOUNT_CONCURRENCY: usize = 1000;

/// The only version that is built: the one that is not published.
pub(crate) const LATEST: &str = "$LATEST";

/// A function as it is at the moment. An execution environment keeps the one it was started
/// with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FunctionSettings {
    pub name: String,
    pub arn: String,
    pub region: String,
    pub role_arn: String,
    pub handler: String,
    pub memory_mb: u32,
    /// The size of `/tmp`.
    pub ephemeral_storage_mb: u32,
    pub timeout: Duration,
    pub variables: BTreeMap<String, String>,
    pub code: Arc<Code>,
    pub logging: Logging,
    /// The most invocations at a time, when some are reserved.
    pub reserved_concurrency: Option<usize>,
}

/// What is shown of a function and does not change how it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Details {
    pub description: String,
    /// Of the package, in bytes.
    pub code_bytes: u64,
    /// As the API has it: `2026-01-02T03:04:05.678+0000`.
    pub last_modified: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    pub tags: BTreeMap<String, String>,
}

/// Where and how a function logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Logging {
    pub group: String,
    /// Whether the group was named, and is not the function's own by default.
    pub named: bool,
    pub format: LogFormat,
}

/// The form of Lambda's own lines, and what is left out of a structured log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json { application: Level, system: Level },
}

/// How much a log tells; the later, the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    /// The level of this name, in any letter case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "TRACE" => Self::Trace,
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" => Self::Warn,
            "ERROR" => Self::Error,
            "FATAL" => Self::Fatal,
            _ => return None,
        })
    }

    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }
}
