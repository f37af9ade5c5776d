//! The lines that Lambda itself writes to a function's log.
//!
//! In text they are the START, END and REPORT lines that every reader of such logs knows, in
//! JSON the events of AWS's page telemetry-schema-reference.

use super::environment::Request;
use super::settings::{FunctionSettings, LATEST, Level, LogFormat};
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;

/// How an invocation went.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub request_id: &'a str,
    pub duration: Duration,
    /// Of the initialisation, when it was a part of this.
    pub init_duration: Option<Duration>,
    pub peak_memory_mb: u64,
    /// What went wrong: `Runtime.ExitError`, say.
    pub error: Option<&'a str>,
}

/// The present, as the lines show it. Not the cloud's clock: the function's own lines have the
/// machine's time.
pub(crate) fn now() -> String {
    OffsetDateTime::now_utc()
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        ))
        .unwrap_or_default()
}

/// The line at an invocation's start, unless it is too much detail.
pub(crate) fn start(settings: &FunctionSettings, request: &Request) -> Option<String> {
    match settings.logging.format {
        LogFormat::Text => Some(format!("START RequestId: {} Version: {LATEST}", request.id)),
        LogFormat::Json { system, .. } => (system <= Level::Info).then(|| {
            event(
                "platform.start",
                json!({
                    "requestId": request.id,
                    "functionArn": settings.arn,
                    "version": LATEST,
                }),
            )
        }),
    }
}

/// The lines at an invocation's end.
pub(crate) fn end(settings: &FunctionSettings, report: &Report<'_>) -> Vec<String> {
    match settings.logging.format {
        LogFormat::Text => vec![
            format!("END RequestId: {}", report.request_id),
            text(settings, report),
        ],
        LogFormat::Json { system, .. } => {
            let level = match report.error {
                None => Level::Info,
                Some(_) => Level::Warn,
            };
            let shown = system <= level;
            shown
                .then(|| event("platform.report", record(settings, report)))
                .into_iter()
                .collect()
        }
    }
}

fn text(settings: &FunctionSettings, report: &Report<'_>) -> String {
    let mut line = format!(
        "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\t\
         Max Memory Used: {} MB\t",
        report.request_id,
        milliseconds(report.duration),
        billed(report),
        settings.memory_mb,
        report.peak_memory_mb,
    );
    if let Some(duration) = report.init_duration {
        line += &format!("Init Duration: {:.2} ms\t", milliseconds(duration));
    }
    match report.error {
        None => {}
        Some("Sandbox.Timedout") => line += "Status: timeout\t",
        Some(kind) => line += &format!("Status: error\tError Type: {kind}\t"),
    }
    line
}

fn record(settings: &FunctionSettings, report: &Report<'_>) -> Value {
    let mut metrics = json!({
        "durationMs": milliseconds(report.duration),
        "billedDurationMs": billed(report),
        "memorySizeMB": settings.memory_mb,
        "maxMemoryUsedMB": report.peak_memory_mb,
    });
    if let Some(duration) = report.init_duration {
        metrics["initDurationMs"] = milliseconds(duration).into();
    }
    let status = match report.error {
        None => "success",
        Some("Sandbox.Timedout") => "timeout",
        Some(_) => "error",
    };
    let mut record = json!({
        "requestId": report.request_id,
        "metrics": metrics,
        "status": status,
    });
    if let Some(kind) = report.error {
        record["errorType"] = kind.into();
    }
    record
}

fn event(kind: &str, record: Value) -> String {
    json!({ "time": now(), "type": kind, "record": record }).to_string()
}

/// To the hundredth, as Lambda shows them.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// Whole milliseconds; the initialisation is billed too.
fn billed(report: &Report<'_>) -> u128 {
    let all = report.duration + report.init_duration.unwrap_or_default();
    all.as_micros().div_ceil(1000)
}
