//! How much of each thing that costs money a stack has.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::preview::{Op, Preview};
use crate::value;

/// What can be measured, by the names of docs/prices.json.
pub const NAMES: [&str; 13] = [
    "access-logs",
    "alarm-metrics",
    "batches-to-lambda",
    "batches-to-s3",
    "dashboards",
    "distributions",
    "functions",
    "gb-seconds-of-batches",
    "metric-filters",
    "repositories",
    "stages",
    "stored-share",
    "streams",
];

/// A month, as AWS's pricing pages take it for metrics: 30 days.
const MONTH_SECONDS: f64 = 30.0 * 24.0 * 60.0 * 60.0;

/// Firehose's own buffer intervals towards S3 and Lambda:
/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html> and
/// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>
const S3_INTERVAL: f64 = 300.0;
const LAMBDA_INTERVAL: f64 = 60.0;

/// Lambda's own memory in MB: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const MEMORY: f64 = 128.0;

/// Seconds that a batch takes, as docs/cost-and-limits.md assumes.
const BATCH_SECONDS: f64 = 0.1;

/// What compression leaves of the records, as docs/cost-and-limits.md says.
const COMPRESSED: f64 = 1.0 / 3.0;

/// The measures of a stack. One is nothing where it depends on a value that is not known.
#[derive(Debug, Default)]
pub struct Measures {
    counts: BTreeMap<&'static str, Option<f64>>,
    resources: usize,
}

impl Measures {
    /// Of the stack as it is.
    pub fn before(preview: &Preview) -> Self {
        let states = preview.steps.iter().filter_map(|step| {
            let state = step.old.as_ref().filter(|_| step.op != Op::Create)?;
            Some((step.kind.as_str(), &state.inputs))
        });
        Self::of_all(states)
    }

    /// Of the stack as it would be.
    pub fn after(preview: &Preview) -> Self {
        let states = preview.steps.iter().filter_map(|step| {
            let gone = matches!(step.op, Op::Delete | Op::Forget);
            let state = step.new.as_ref().or(step.old.as_ref()).filter(|_| !gone)?;
            Some((step.kind.as_str(), &state.inputs))
        });
        Self::of_all(states)
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.resources == 0
    }

    pub fn of(&self, name: &str) -> Option<f64> {
        self.counts.get(name).copied().unwrap_or(Some(0.0))
    }

    fn of_all<'a>(states: impl Iterator<Item = (&'a str, &'a Value)>) -> Self {
        let mut measures = Self::default();
        let mut memory = Some(0.0_f64);
        for (kind, inputs) in states {
            measures.resources += usize::from(kind.starts_with("aws:"));
            match kind {
                "aws:cloudwatch/metricAlarm:MetricAlarm" => {
                    measures.add("alarm-metrics", Some(watched(inputs)))
                }
                "aws:cloudwatch/dashboard:Dashboard" => measures.add("dashboards", Some(1.0)),
                "aws:cloudwatch/logMetricFilter:LogMetricFilter" => {
                    measures.add("metric-filters", Some(1.0))
                }
                "aws:cloudfront/distribution:Distribution" => {
                    measures.add("distributions", Some(1.0))
                }
                "aws:codecommit/repository:Repository" => measures.add("repositories", Some(1.0)),
                "aws:apigateway/stage:Stage" => {
                    measures.add("stages", Some(1.0));
                    let logged = !inputs["accessLogSettings"].is_null();
                    measures.add("access-logs", Some(f64::from(u8::from(logged))));
                }
                "aws:lambda/function:Function" => {
                    measures.add("functions", Some(1.0));
                    // The largest of them is taken for the one that a stream calls.
                    memory = memory
                        .zip(number(&inputs["memorySize"], MEMORY))
                        .map(|(one, other)| one.max(other));
                }
                "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream" => {
                    measures.stream(inputs)
                }
                _ => {}
            }
        }
        let batches = measures.of("batches-to-lambda");
        let seconds = batches
            .zip(memory)
            .map(|(batches, memory)| batches * BATCH_SECONDS * memory / 1024.0);
        measures.add("gb-seconds-of-batches", seconds);
        measures
    }

    fn stream(&mut self, inputs: &Value) {
        let s3 = &inputs["extendedS3Configuration"];
        self.add("streams", Some(1.0));
        if s3.is_string() {
            // All of it depends on something that is not known yet.
            for name in ["batches-to-s3", "batches-to-lambda", "stored-share"] {
                self.add(name, None);
            }
            return;
        }
        let interval = number(&s3["bufferingInterval"], S3_INTERVAL);
        self.add("batches-to-s3", interval.map(per_month));
        let share = match s3["compressionFormat"].as_str() {
            _ if value::is_unknown(&s3["compressionFormat"]) => None,
            None | Some("UNCOMPRESSED") => Some(1.0),
            Some(_) => Some(COMPRESSED),
        };
        self.add("stored-share", share);
        let processors = s3["processingConfiguration"]["processors"].as_array();
        for processor in processors.into_iter().flatten() {
            let parameters = processor["parameters"].as_array().into_iter().flatten();
            let mut parameters =
                parameters.filter(|one| one["parameterName"] == "BufferIntervalInSeconds");
            let interval = parameters
                .next()
                .map_or(&Value::Null, |one| &one["parameterValue"]);
            self.add(
                "batches-to-lambda",
                number(interval, LAMBDA_INTERVAL).map(per_month),
            );
        }
    }

    fn add(&mut self, name: &'static str, count: Option<f64>) {
        let known = self.counts.entry(name).or_insert(Some(0.0));
        *known = known.zip(count).map(|(one, other)| one + other);
    }
}

/// Batches in a month; a buffer of no time at all is taken for one of a second.
fn per_month(interval: f64) -> f64 {
    MONTH_SECONDS / interval.max(1.0)
}

/// A number, also one written as text, or a default where there is none.
fn number(value: &Value, default: f64) -> Option<f64> {
    match value {
        Value::Null => Some(default),
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

/// The metrics that an alarm watches, each of which is paid for.
fn watched(alarm: &Value) -> f64 {
    let queries = alarm["metricQueries"].as_array();
    queries.map_or(1.0, |queries| {
        queries
            .iter()
            .filter(|query| query["metric"].is_object())
            .count() as f64
    })
}
