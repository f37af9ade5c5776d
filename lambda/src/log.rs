//! What an operator reads: JSON lines on standard output, one for each batch. They name
//! records and mysfits, never users.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use serde_json::json;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::processor::{Failed, Outcome, Report};

const FILTER: &str = "RUST_LOG";

/// CloudWatch Logs cuts an event of Lambda's at 256 KB; a batch with more failed records than
/// fit continues on further lines.
const MAX_FAILED_PER_LINE: usize = 1_000;

/// Starts logging at `RUST_LOG`, of which targets and levels are understood; `info` without it.
pub fn init() {
    let wanted = std::env::var(FILTER).ok();
    let filter = wanted.as_deref().map(Targets::from_str);
    let (targets, refused) = match filter {
        None => (default_filter(), None),
        Some(Ok(targets)) => (targets, None),
        Some(Err(error)) => (default_filter(), Some(error)),
    };
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false);
    let started = tracing_subscriber::registry()
        .with(lines)
        .with(targets)
        .try_init();
    if let (Ok(()), Some(error)) = (started, refused) {
        tracing::warn!(%error, "{FILTER} is not understood; info is used");
    }
}

fn default_filter() -> Targets {
    Targets::new().with_default(Level::INFO)
}

/// The lines about one batch; none when the filter wants none.
pub fn batch(request_id: &str, outcome: &Outcome, elapsed: Duration) -> Vec<String> {
    let worst = match &outcome.reply {
        Err(_) => Level::ERROR,
        Ok(_) if !outcome.report.failed.is_empty() || outcome.report.anonymous > 0 => Level::WARN,
        Ok(_) => Level::INFO,
    };
    let wanted = match worst {
        Level::ERROR => tracing::enabled!(Level::ERROR),
        Level::WARN => tracing::enabled!(Level::WARN),
        _ => tracing::enabled!(Level::INFO),
    };
    if wanted {
        lines(request_id, outcome, elapsed, worst)
    } else {
        Vec::new()
    }
}

fn lines(request_id: &str, outcome: &Outcome, elapsed: Duration, level: Level) -> Vec<String> {
    let Report {
        records,
        anonymous,
        failed,
        mysfits,
        cache_hits,
        requests,
        asking,
    } = &outcome.report;
    let mut chunks = failed.chunks(MAX_FAILED_PER_LINE);
    let mut line = json!({
        "level": level.as_str(),
        "message": "batch",
        "requestId": request_id,
        "records": records,
        "ok": outcome.reply.as_ref().map_or(0, |_| records - failed.len()),
        "mysfits": mysfits,
        "cacheHits": cache_hits,
        "upstreamRequests": requests,
        "upstreamMs": asking.as_millis() as u64,
        "elapsedMs": elapsed.as_millis() as u64,
    });
    if *anonymous > 0 {
        line["withoutRecordId"] = json!(anonymous);
    }
    if let Err(unanswered) = &outcome.reply {
        line["error"] = json!(unanswered.to_string());
    }
    if let Some(first) = chunks.next() {
        line["failed"] = by_reason(first);
    }
    let continued = chunks.map(|chunk| {
        json!({
            "level": level.as_str(),
            "message": "batch, continued",
            "requestId": request_id,
            "failed": by_reason(chunk),
        })
    });
    std::iter::once(line)
        .chain(continued)
        .map(|line| line.to_string())
        .collect()
}

/// `{"reason": ["recordId", …], …}`
fn by_reason(failed: &[Failed]) -> serde_json::Value {
    let mut reasons = BTreeMap::<String, Vec<&str>>::new();
    for Failed { record_id, refusal } in failed {
        reasons
            .entry(refusal.to_string())
            .or_default()
            .push(record_id);
    }
    json!(reasons)
}
