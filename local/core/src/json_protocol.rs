//! What the services of AWS's JSON protocol have in common.

use crate::error::{AwsError, AwsResult};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// The input of an operation.
pub fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> AwsResult<T> {
    serde_json::from_slice(body)
        .map_err(|error| AwsError::new(400, "SerializationException", error.to_string()))
}

/// The body of a 200 answer.
pub fn answer(value: &impl Serialize) -> AwsResult<Bytes> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(AwsError::internal)
}

/// Refuses an operation of `service` that is not built.
pub fn unknown_operation(service: &str, action: &str) -> AwsError {
    AwsError::new(
        400,
        "UnknownOperationException",
        format!(
            "The embedded cloud has no operation {action} of {service}: docs/compatibility says \
             which there are"
        ),
    )
}
