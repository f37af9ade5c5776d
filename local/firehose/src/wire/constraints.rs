//! What Firehose's parameters may be: the constraints of its API reference, which are those of
//! botocore's model of the service.

use super::{invalid, missing};
use cloud_core::error::AwsResult;

/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ListDeliveryStreams.html>
const LIMIT: std::ops::RangeInclusive<i64> = 1..=10_000;
const MAX_NAME: usize = 64;

/// <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html>
const MAX_DESTINATION_ID: usize = 100;

/// What a stream may be fed by.
const TYPES: [&str; 4] = [
    "DirectPut",
    "KinesisStreamAsSource",
    "MSKAsSource",
    "DatabaseAsSource",
];

/// Refuses what no stream can be called.
pub(super) fn check_stream_name(parameter: &str, name: &str) -> AwsResult<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    check_text(parameter, name, MAX_NAME, "[a-zA-Z0-9_.-]+", allowed)
}

/// Refuses what no destination's id can be.
pub(super) fn check_destination_id(parameter: &str, id: &str) -> AwsResult<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    check_text(parameter, id, MAX_DESTINATION_ID, "[a-zA-Z0-9-]+", allowed)
}

/// Refuses a type of stream that there is not.
pub(super) fn check_stream_type(kind: &str) -> AwsResult<()> {
    if TYPES.contains(&kind) {
        return Ok(());
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", TYPES.join(", "));
    Err(invalid("deliveryStreamType", &constraint))
}

/// How many entries of a list are wanted.
pub(super) fn check_limit(limit: Option<i64>, default: usize) -> AwsResult<usize> {
    let Some(limit) = limit else {
        return Ok(default);
    };
    let constraint = if limit < *LIMIT.start() {
        format!(
            "Member must have value greater than or equal to {}",
            LIMIT.start()
        )
    } else {
        format!(
            "Member must have value less than or equal to {}",
            LIMIT.end()
        )
    };
    usize::try_from(limit)
        .ok()
        .filter(|_| LIMIT.contains(&limit))
        .ok_or_else(|| invalid("limit", &constraint))
}

fn check_text(
    parameter: &str,
    text: &str,
    longest: usize,
    pattern: &str,
    allowed: impl Fn(u8) -> bool,
) -> AwsResult<()> {
    if text.is_empty() {
        return Err(missing(parameter));
    }
    if text.chars().count() > longest {
        let constraint = format!("Member must have length less than or equal to {longest}");
        return Err(invalid(parameter, &constraint));
    }
    match text.bytes().all(allowed) {
        true => Ok(()),
        false => {
            let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
            Err(invalid(parameter, &constraint))
        }
    }
}
