//! What CloudWatch counts: one line a batch in its embedded metric format, which becomes
//! metrics without a call to any API.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::processor::{Outcome, Report};
use crate::refusal::Kind;

/// With the function's name as the one dimension.
const NAMESPACE: &str = "Mysfits/Clicks";

pub fn line(function: &str, outcome: &Outcome, elapsed: Duration, now: SystemTime) -> String {
    let Report {
        records,
        failed,
        cache_hits,
        requests,
        asking,
        ..
    } = &outcome.report;
    let failed_for = |kind| failed.iter().filter(|f| f.refusal.kind() == kind).count();
    let retried = if outcome.reply.is_err() { *records } else { 0 };
    let metrics = [
        (
            "RecordsOk",
            "Count",
            json!(records - failed.len() - retried),
        ),
        (
            "RecordsMalformed",
            "Count",
            json!(failed_for(Kind::Malformed)),
        ),
        (
            "RecordsOfUnknownMysfits",
            "Count",
            json!(failed_for(Kind::Unknown)),
        ),
        (
            "RecordsOfUnusableMysfits",
            "Count",
            json!(failed_for(Kind::Unusable)),
        ),
        (
            "RecordsUnanswered",
            "Count",
            json!(failed_for(Kind::NotAnswered)),
        ),
        (
            "RecordsOverReplyLimit",
            "Count",
            json!(failed_for(Kind::ReplyFull)),
        ),
        ("RecordsLeftToRetry", "Count", json!(retried)),
        ("CacheHits", "Count", json!(cache_hits)),
        ("UpstreamRequests", "Count", json!(requests)),
        ("UpstreamTime", "Milliseconds", json!(milliseconds(*asking))),
        ("BatchTime", "Milliseconds", json!(milliseconds(elapsed))),
    ];
    let names: Vec<_> = metrics
        .iter()
        .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }))
        .collect();
    let timestamp = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis();
    let mut line = json!({
        "_aws": {
            "Timestamp": timestamp as u64,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["FunctionName"]],
                "Metrics": names,
            }],
        },
        "FunctionName": function,
    });
    for (name, _, value) in metrics {
        line[name] = value;
    }
    line.to_string()
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
