//! The alarms, each with what it means.

use super::RECORDS_FAILED;
use crate::config::Config;
use crate::processor::TIMEOUT_SECONDS;

/// How long a period of an alarm is.
pub const PERIOD_SECONDS: i32 = 300;

/// An alarm on one metric.
pub struct Alarm {
    /// Also the name of its section in the runbook.
    pub name: &'static str,
    meaning: &'static str,
    pub subject: Subject,
    pub metric: &'static str,
    pub condition: Condition,
}

/// Whose metric it is.
#[derive(Clone, Copy)]
pub enum Subject {
    Stream,
    Function,
    Api,
    /// This stack's own metrics.
    Own,
}

/// When it goes off: `needed` of the last `periods` are over `threshold`.
#[derive(Clone, Copy)]
pub struct Condition {
    pub measure: Measure,
    pub threshold: f64,
    pub periods: i32,
    pub needed: i32,
}

/// What of the metric is compared.
#[derive(Clone, Copy)]
pub enum Measure {
    Statistic(&'static str),
    /// Its share of the API's requests, in periods that have so many: of few, one is too many.
    Share {
        of_at_least: u32,
    },
}

impl Alarm {
    pub fn description(&self) -> String {
        format!("{}. See docs/runbook.md#{}", self.meaning, self.name)
    }
}

/// What Firehose may be late by besides its own buffers:
/// <https://docs.aws.amazon.com/firehose/latest/dev/firehose-cloudwatch-metrics-best-practices.html>.
const DELIVERY_MARGIN_SECONDS: u32 = 900;
/// Of all requests.
const TOLERATED_FAILURES: f64 = 0.01;
const TOLERATED_REFUSALS: f64 = 0.1;
/// Requests in a period, without which a share of them says nothing of visitors: a lone robot asks
/// for fewer.
const REQUESTS_THAT_COUNT: u32 = 20;
/// Of the time-out.
const NEAR_THE_TIMEOUT: f64 = 0.8;

pub fn all(config: &Config) -> [Alarm; 8] {
    let delivery = &config.delivery;
    let on_time =
        delivery.buffer_interval + delivery.processor_buffer_interval + DELIVERY_MARGIN_SECONDS;
    [
        Alarm {
            name: "delivery-late",
            meaning: "Clicks wait in Firehose for longer than it may buffer them",
            subject: Subject::Stream,
            metric: "DeliveryToS3.DataFreshness",
            condition: over("Maximum", f64::from(on_time), 3, 3),
        },
        Alarm {
            name: "records-throttled",
            meaning: "More clicks come than the stream takes: visitors are told to try again",
            subject: Subject::Stream,
            metric: "ThrottledRecords",
            condition: over("Sum", 0.0, 3, 2),
        },
        Alarm {
            name: "records-failed",
            meaning: "Clicks end under the error prefix, because the processor cannot enrich them",
            subject: Subject::Own,
            metric: RECORDS_FAILED,
            condition: over("Sum", 0.0, 3, 3),
        },
        Alarm {
            name: "processor-errors",
            meaning: "Invocations of the processor fail: Firehose repeats them, then gives up",
            subject: Subject::Function,
            metric: "Errors",
            condition: over("Sum", 0.0, 3, 2),
        },
        Alarm {
            name: "processor-throttled",
            meaning: "The account has no concurrency left for the processor",
            subject: Subject::Function,
            metric: "Throttles",
            condition: over("Sum", 0.0, 3, 2),
        },
        Alarm {
            name: "processor-slow",
            meaning: "The processor comes near its time-out",
            subject: Subject::Function,
            metric: "Duration",
            condition: over(
                "Maximum",
                f64::from(TIMEOUT_SECONDS) * 1_000.0 * NEAR_THE_TIMEOUT,
                3,
                2,
            ),
        },
        Alarm {
            name: "api-failing",
            meaning: "The API cannot store clicks",
            subject: Subject::Api,
            metric: "5XXError",
            condition: over("Average", TOLERATED_FAILURES, 3, 2),
        },
        Alarm {
            name: "api-refusing",
            meaning: "The API refuses many requests: they are no clicks, or too many",
            subject: Subject::Api,
            metric: "4XXError",
            condition: Condition {
                measure: Measure::Share {
                    of_at_least: REQUESTS_THAT_COUNT,
                },
                threshold: TOLERATED_REFUSALS,
                periods: 3,
                needed: 3,
            },
        },
    ]
}

fn over(statistic: &'static str, threshold: f64, periods: i32, needed: i32) -> Condition {
    Condition {
        measure: Measure::Statistic(statistic),
        threshold,
        periods,
        needed,
    }
}
