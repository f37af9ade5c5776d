//! What CloudWatch counts: one line a batch in its embedded metric format, which becomes
//! metrics without a call to any API.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::processor::{Outcome, Report};
use crate::refusal::Kind;

const NAMESPACE: &str = "Mysfits/Clicks";

const DIMENSION: &str = "FunctionName";

pub fn line(function: &str, outcome: &Outcome, elapsed: Duration, now: SystemTime) -> String {
    let metrics = metrics(outcome, elapsed);
    let line = Line {
        function,
        metrics: &metrics,
        timestamp: now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn metrics(outcome: &Outcome, elapsed: Duration) -> [(&'static str, Value); 11] {
    let Report {
        records,
        failed,
        cache_hits,
        requests,
        asking,
        ..
    } = &outcome.report;
    let failed_for = |kind| {
        Value::Count(
            failed
                .iter()
                .filter(|one| one.refusal.kind() == kind)
                .count(),
        )
    };
    let retried = if outcome.reply.is_err() { *records } else { 0 };
    [
        ("RecordsOk", Value::Count(records - failed.len() - retried)),
        ("RecordsMalformed", failed_for(Kind::Malformed)),
        ("RecordsOfUnknownMysfits", failed_for(Kind::Unknown)),
        ("RecordsOfUnusableMysfits", failed_for(Kind::Unusable)),
        ("RecordsUnanswered", failed_for(Kind::NotAnswered)),
        ("RecordsOverReplyLimit", failed_for(Kind::ReplyFull)),
        ("RecordsLeftToRetry", Value::Count(retried)),
        ("CacheHits", Value::Count(*cache_hits)),
        ("UpstreamRequests", Value::Count(*requests)),
        ("UpstreamTime", Value::Milliseconds(milliseconds(*asking))),
        ("BatchTime", Value::Milliseconds(milliseconds(elapsed))),
    ]
}

/// A number whose variant is its unit's name.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Value {
    Count(usize),
    Milliseconds(f64),
}

impl Value {
    fn unit(self) -> &'static str {
        match self {
            Self::Count(_) => "Count",
            Self::Milliseconds(_) => "Milliseconds",
        }
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

struct Line<'a> {
    function: &'a str,
    metrics: &'a [(&'static str, Value)],
    timestamp: u128,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let declared = self.metrics.iter().map(|(name, value)| Metric {
            name,
            unit: value.unit(),
        });
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry(
            "_aws",
            &Metadata {
                timestamp: self.timestamp,
                cloud_watch_metrics: [Directive {
                    namespace: NAMESPACE,
                    dimensions: [[DIMENSION]],
                    metrics: declared.collect(),
                }],
            },
        )?;
        line.serialize_entry(DIMENSION, self.function)?;
        for (name, value) in self.metrics {
            line.serialize_entry(name, value)?;
        }
        line.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    timestamp: u128,
    cloud_watch_metrics: [Directive; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [[&'static str; 1]; 1],
    metrics: Vec<Metric>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    name: &'static str,
    unit: &'static str,
}
