//! Sends records into a stream, in batches. Records that the stream does not take are sent once
//! more.

use super::failed::Record;
use super::journal::Journal;
use crate::aws::failure::Failure;
use crate::aws::{Aws, FIREHOSE};
use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The most that a PutRecordBatch takes: 500 records, and 4 MiB of them
/// (<https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html>). They are
/// counted in base64, as they are in the request: that is within the limit, in whichever way AWS
/// counts.
const MAX_RECORDS: usize = 500;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The text around a record in the request.
const AROUND: usize = r#"{"Data":""},"#.len();

/// How often the records of a batch are offered.
const ATTEMPTS: u32 = 10;

/// The longest of the first pause between two attempts, and of all.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Sends records into a stream until it is told to stop.
#[derive(Debug)]
pub struct Sender<'a> {
    pub aws: &'a Aws,
    pub stream: &'a str,
    pub stop: CancellationToken,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    request_responses: Vec<Taken>,
}

/// What became of a record.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    error_code: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
}

impl Sender<'_> {
    /// Sends records of the object that the journal is of, and gives how many were taken.
    pub async fn send(&self, records: &[Record], journal: &mut Journal<'_>) -> (usize, Result<()>) {
        let mut taken = 0;
        let mut result = Ok(());
        for batch in batches(records) {
            if self.stop.is_cancelled() {
                break;
            }
            result = self.send_batch(batch, journal, &mut taken).await;
            if result.is_err() {
                break;
            }
        }
        // Everything known so far is written, even after an error.
        let saved = match taken {
            0 if result.is_ok() => Ok(()),
            _ => journal.save().await,
        };
        (taken, result.and(saved))
    }

    async fn send_batch(
        &self,
        batch: &[Record],
        journal: &mut Journal<'_>,
        taken: &mut usize,
    ) -> Result<()> {
        let mut rest: Vec<&Record> = batch.iter().collect();
        let mut attempt = 0;
        loop {
            journal.begin(lines(&rest)).await?;
            let why = match self.put(&rest).await {
                Ok(answer) => {
                    let (refused, done): (Vec<_>, Vec<_>) = rest
                        .iter()
                        .zip(&answer.request_responses)
                        .partition(|(_, taken)| taken.error_code.is_some());
                    journal.taken(done.iter().map(|(record, _)| record.line));
                    *taken += done.len();
                    let Some((_, first)) = refused.first() else {
                        return Ok(());
                    };
                    let why = anyhow!(
                        "{}: {}",
                        first.error_code.as_deref().unwrap_or_default(),
                        first.error_message.as_deref().unwrap_or_default()
                    );
                    rest = refused.into_iter().map(|(record, _)| *record).collect();
                    why
                }
                Err(Failure::Refused(refusal)) if refusal.later => {
                    anyhow!("{}: {}", refusal.code, refusal.message)
                }
                Err(Failure::Unknown(error)) => {
                    return Err(error.context(format!(
                        "stream {} may or may not have taken {} records",
                        self.stream,
                        rest.len()
                    )));
                }
                Err(failure) => {
                    journal.refused(lines(&rest));
                    return Err(failure).context(format!("stream {} takes nothing", self.stream));
                }
            };
            journal.refused(lines(&rest));
            attempt += 1;
            if attempt == ATTEMPTS || self.is_stopped_within(pause(attempt)).await {
                return Err(why.context(format!(
                    "stream {} did not take {} records",
                    self.stream,
                    rest.len()
                )));
            }
        }
    }

    async fn is_stopped_within(&self, time: Duration) -> bool {
        let stopped = self.stop.cancelled();
        tokio::time::timeout(time, stopped).await.is_ok()
    }

    async fn put(&self, records: &[&Record]) -> Result<Answer, Failure> {
        let records: Vec<_> = records
            .iter()
            .map(|record| json!({ "Data": record.data }))
            .collect();
        let input = json!({ "DeliveryStreamName": self.stream, "Records": records });
        let answer = self.aws.json(FIREHOSE, "PutRecordBatch", &input).await?;
        let parse = || {
            let answer: Answer = serde_json::from_value(answer)?;
            if answer.request_responses.len() != records.len() {
                bail!("it has another number of records than the request");
            }
            Ok(answer)
        };
        parse()
            .context("the answer to PutRecordBatch is not understood")
            .map_err(Failure::Unknown)
    }
}

/// A random time up to a bound that doubles: those who were refused together do not come back
/// together.
fn pause(attempt: u32) -> Duration {
    let bound = FIRST_PAUSE * 2_u32.saturating_pow(attempt - 1);
    bound.min(LONGEST_PAUSE).mul_f64(fastrand::f64())
}

fn lines(records: &[&Record]) -> Vec<u32> {
    records.iter().map(|record| record.line).collect()
}

/// As few batches as the limits allow, in order.
fn batches(records: &[Record]) -> Vec<&[Record]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (position, record) in records.iter().enumerate() {
        let size = record.data.len() + AROUND;
        if position - start == MAX_RECORDS || (position > start && bytes + size > MAX_BYTES) {
            batches.push(&records[start..position]);
            (start, bytes) = (position, 0);
        }
        bytes += size;
    }
    if start < records.len() {
        batches.push(&records[start..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_to_both_limits() {
        let sizes = |count: usize, length: usize| -> Vec<usize> {
            let record = Record {
                line: 0,
                data: "a".repeat(length),
                reason: String::new(),
                failed_at: 0,
            };
            let records = vec![record; count];
            batches(&records).iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(sizes(0, 4), [0_usize; 0]);
        assert_eq!(sizes(1001, 4), [500, 500, 1]);
        // 1,000 KiB each are 1,365,336 bytes in base64.
        assert_eq!(sizes(7, 1_365_336), [3, 3, 1]);
        assert_eq!(sizes(2, MAX_BYTES), [1, 1]);
    }
}
