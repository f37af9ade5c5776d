//! The processor's contract: the event that a Lambda function is invoked with, and what its
//! reply says of each record.
//!
//! Sources: AWS's pages on data transformation and on its status model; where they are silent,
//! captures of the real service (a reply without a record, or with one twice, fails that
//! record; unusable data or an unknown result fails the batch; a reply is final).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_journal::Entry;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

/// The bounds of a processor's buffer size, in MB (data-transformation).
pub(crate) const SIZE_MB: std::ops::RangeInclusive<f64> = 0.2..=3.0;
pub(crate) const DEFAULT_SIZE_MB: f64 = 1.0;

/// The bounds of a processor's buffer interval, in seconds (data-transformation).
pub(crate) const INTERVAL_SECONDS: std::ops::RangeInclusive<u64> = 0..=900;
pub(crate) const DEFAULT_INTERVAL_SECONDS: u64 = 60;

/// How often an invocation may be repeated, and is when nothing is said
/// (data-transformation-failure-handling for the default).
pub(crate) const RETRIES: std::ops::RangeInclusive<u32> = 0..=300;
pub(crate) const DEFAULT_RETRIES: u32 = 3;

/// The longest invocation that Firehose waits for (data-transformation).
pub(crate) const MAX_INVOCATION: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// How many batches are with the function at a time (limits: "up to 5 outstanding Lambda
/// invocations per shard").
pub(crate) const MAX_OUTSTANDING: usize = 5;

/// The largest event: Lambda takes no larger payload of a synchronous invocation
/// (gettingstarted-limits).
pub(crate) const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// Digits of a record's id towards the function, as long as the real ones.
const RECORD_ID_DIGITS: usize = 56;
const RECORD_ID_SUFFIX: &str = "000000";

/// What an event holds beside data, per record: id, arrival, and the JSON around them.
const RECORD_OVERHEAD: usize = 160;

/// The part of an event that is not records.
const EVENT_OVERHEAD: usize = 1024;

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Deliver this.
    Ok(Bytes),
    /// Deliver nothing.
    Dropped,
    Failed(Failure),
}

/// Why a record, or a whole invocation, failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Such as `Lambda.MissingRecordId`.
    pub code: Cow<'static, str>,
    pub message: Cow<'static, str>,
}

impl Failure {
    /// A failure that AWS's documentation or a capture words so.
    pub(crate) const fn new(code: &'static str, message: &'static str) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: Cow::Borrowed(message),
        }
    }

    /// The function failed, timed out, or gave what cannot be used.
    pub(crate) const FUNCTION_ERROR: Self = Self::new(
        "Lambda.FunctionError",
        "The Lambda function was successfully invoked but it returned an error result.",
    );

    /// The invocation took longer than Firehose waits.
    pub(crate) const TIMED_OUT: Self = Self::new(
        "Lambda.FunctionTimedOut",
        "The Lambda function timed out. Increase the Timeout setting in the Lambda function.",
    );

    const UNREADABLE: Self = Self::new(
        "Lambda.JsonProcessingException",
        "There was an error parsing returned records from the Lambda function. Ensure that the \
         returned records follow the status model required by Kinesis Firehose.",
    );

    const MISSING: Self = Self::new(
        "Lambda.MissingRecordId",
        "One or more record Ids were not returned. Ensure that the Lambda function returns all \
         received record Ids.",
    );

    const DUPLICATED: Self = Self::new(
        "Lambda.DuplicatedRecordId",
        "Multiple records were returned with the same record Id. Ensure that the Lambda function \
         returns a unique record Id for each record.",
    );

    const PROCESSING_FAILED: Self = Self::new(
        "Lambda.ProcessingFailedStatus",
        "ProcessingFailed status set for record",
    );

    const NO_DATA: Self = Self::new(
        "Lambda.InvalidReturnFormat",
        "The data field cannot be null when the SourceType is DirectPut or KinesisStreamAsSource \
         and processing result is Ok. The value field cannot be null when the SourceType is \
         MSKAsSource and processing result is Ok.",
    );
}

/// How many bytes of an event a record of this length takes at most.
pub(crate) fn event_bytes(length: usize) -> usize {
    length.div_ceil(3) * 4 + RECORD_OVERHEAD
}

/// How many bytes of records fit an event.
pub(crate) const fn event_capacity() -> usize {
    MAX_EVENT_BYTES - EVENT_OVERHEAD
}

/// The id of a record towards the function: the same in each of its invocations.
fn record_id(entry: &Entry) -> String {
    // Real ids are numbers of this length that start so.
    format!(
        "495{:0width$}{RECORD_ID_SUFFIX}",
        entry.sequence,
        width = RECORD_ID_DIGITS - 3
    )
}

/// The event for a batch; every invocation has an id of its own.
pub(crate) fn event(stream_arn: &str, region: &str, entries: &[Entry], data: &[Bytes]) -> Bytes {
    let size: usize = data.iter().map(|data| event_bytes(data.len())).sum();
    let mut event = String::with_capacity(size + EVENT_OVERHEAD);
    // Writing to a string does not fail. ARNs and regions hold nothing that JSON escapes.
    let _ = write!(
        event,
        r#"{{"invocationId":"{}","deliveryStreamArn":"{stream_arn}","region":"{region}","records":["#,
        Uuid::new_v4()
    );
    for (index, (entry, data)) in entries.iter().zip(data).enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let _ = write!(
            event,
            r#"{comma}{{"recordId":"{}","approximateArrivalTimestamp":{},"data":""#,
            record_id(entry),
            entry.arrival
        );
        STANDARD.encode_string(data, &mut event);
        event.push_str(r#""}"#);
    }
    event.push_str("]}");
    event.into()
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    records: Option<Vec<ReplyRecord<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReplyRecord<'a> {
    #[serde(borrow, default)]
    record_id: Option<Cow<'a, str>>,
    result: ReplyResult,
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Clone, Copy)]
enum ReplyResult {
    Ok,
    Dropped,
    ProcessingFailed,
}

/// What a reply says of each of the entries, in their order.
pub(crate) fn outcomes(entries: &[Entry], reply: &[u8]) -> Vec<Outcome> {
    match read(entries, reply) {
        Ok(outcomes) => outcomes,
        Err(failure) => vec![Outcome::Failed(failure); entries.len()],
    }
}

fn read(entries: &[Entry], reply: &[u8]) -> Result<Vec<Outcome>, Failure> {
    let reply: Reply<'_> = serde_json::from_slice(reply).map_err(|_| Failure::UNREADABLE)?;
    let records = reply.records.unwrap_or_default();
    // A record that was never sent is of no concern.
    let mut returned: HashMap<&str, Outcome> = HashMap::with_capacity(records.len());
    for record in &records {
        let Some(id) = record.record_id.as_deref() else {
            continue;
        };
        let outcome = match (record.result, record.data.as_deref()) {
            (ReplyResult::Dropped, _) => Outcome::Dropped,
            (ReplyResult::ProcessingFailed, _) => Outcome::Failed(Failure::PROCESSING_FAILED),
            (ReplyResult::Ok, None) => Outcome::Failed(Failure::NO_DATA),
            (ReplyResult::Ok, Some(data)) => Outcome::Ok(
                STANDARD
                    .decode(data)
                    .map_err(|_| Failure::FUNCTION_ERROR)?
                    .into(),
            ),
        };
        returned
            .entry(id)
            .and_modify(|outcome| *outcome = Outcome::Failed(Failure::DUPLICATED))
            .or_insert(outcome);
    }
    Ok(entries
        .iter()
        .map(|entry| {
            returned
                .remove(record_id(entry).as_str())
                .unwrap_or(Outcome::Failed(Failure::MISSING))
        })
        .collect())
}

#[cfg(test)]
mod tests;
