//! The log for operators: JSON lines on standard output, one for each batch. They name records and
//! mysfits, never users.
//!
//! Lambda reads `level` and `timestamp` of a line, and takes a line without a valid timestamp for
//! one of level INFO, written when it came:
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>.
//! `recordsFailed` is what a metric filter may count. The other figures are for queries over the
//! log: as metrics each would cost as much as all the rest of a quiet stack.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::processor::{Failed, Outcome, Report};
use crate::refusal::RefusalKind;
use crate::reply::Reply;

const FILTER: &str = "RUST_LOG";

/// CloudWatch Logs takes events of up to 1 MB. A batch with more failed records than surely fit
/// continues on further lines.
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

/// The lines about one batch, which ended at `now`; none when the filter wants none.
pub fn batch(
    request_id: &str,
    outcome: &Outcome,
    elapsed: Duration,
    now: SystemTime,
) -> Vec<String> {
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
        lines(request_id, outcome, elapsed, worst, now)
    } else {
        Vec::new()
    }
}

fn lines(
    request_id: &str,
    outcome: &Outcome,
    elapsed: Duration,
    level: Level,
    now: SystemTime,
) -> Vec<String> {
    let Report {
        records,
        anonymous,
        failed,
        mysfits,
        cache_hits,
        requests,
        asking,
    } = &outcome.report;
    let reply = outcome.reply.as_ref();
    // Within the years that RFC 3339 has, formatting cannot fail.
    let timestamp = OffsetDateTime::from(now)
        .format(&Rfc3339)
        .unwrap_or_default();
    let count = |kind| {
        let refusals = failed.iter().map(|one| one.refusal.kind());
        refusals.filter(|of| *of == kind).count()
    };
    let mut chunks = failed
        .chunks(MAX_FAILED_PER_LINE)
        .map(|chunk| by_reason(chunk, reply.ok()));
    let first = Line {
        timestamp: &timestamp,
        level: level.as_str(),
        message: "batch",
        request_id,
        figures: Some(Figures {
            records: *records,
            ok: reply.map_or(0, |_| records - failed.len()),
            records_failed: failed.len() + anonymous,
            malformed: count(RefusalKind::Malformed),
            of_unknown_mysfits: count(RefusalKind::Unknown),
            of_unusable_mysfits: count(RefusalKind::Unusable),
            unanswered: count(RefusalKind::NotAnswered),
            over_reply_limit: count(RefusalKind::ReplyFull),
            left_to_retry: reply.map_or(*records, |_| 0),
            without_record_id: *anonymous,
            mysfits: *mysfits,
            cache_hits: *cache_hits,
            upstream_requests: *requests,
            upstream_ms: asking.as_millis(),
            elapsed_ms: elapsed.as_millis(),
        }),
        error: reply.err().map(ToString::to_string),
        failed: chunks.next().unwrap_or_default(),
    };
    let continued = chunks.map(|failed| Line {
        timestamp: &timestamp,
        level: level.as_str(),
        message: "batch, continued",
        request_id,
        figures: None,
        error: None,
        failed,
    });
    std::iter::once(first)
        .chain(continued)
        .filter_map(|line| serde_json::to_string(&line).ok())
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    /// RFC 3339, in UTC.
    timestamp: &'a str,
    level: &'a str,
    message: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    figures: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// `{"reason": ["recordId", …], …}`
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    failed: BTreeMap<String, Vec<&'a str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Figures {
    records: usize,
    ok: usize,
    /// That Firehose keeps as failed: a number in every batch's first line, so that a metric
    /// filter has records to add up.
    records_failed: usize,
    malformed: usize,
    of_unknown_mysfits: usize,
    of_unusable_mysfits: usize,
    unanswered: usize,
    over_reply_limit: usize,
    /// Of a batch whose invocation fails: Firehose sends all of it again.
    left_to_retry: usize,
    without_record_id: usize,
    mysfits: usize,
    cache_hits: usize,
    upstream_requests: usize,
    upstream_ms: u128,
    elapsed_ms: u128,
}

fn by_reason<'a>(failed: &[Failed], reply: Option<&'a Reply>) -> BTreeMap<String, Vec<&'a str>> {
    let mut reasons = BTreeMap::<String, Vec<&str>>::new();
    for Failed { index, refusal } in failed {
        let id = reply.and_then(|reply| reply.ids().get(*index));
        let ids = reasons.entry(refusal.to_string()).or_default();
        ids.push(id.unwrap_or_default());
    }
    reasons
}
