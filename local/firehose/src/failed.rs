//! Failed records: one line of JSON each, under the error prefix.
//!
//! The fields are those of AWS's page data-transformation-failure-handling; the last is spelt
//! `lambdaARN` as in what the real service writes, and the times are numbers of milliseconds.

use super::transform::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_journal::Entry;
use serde::Serialize;

/// What the lines of one batch have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempts<'a> {
    pub made: u32,
    /// When the last one ended, in milliseconds since the Unix epoch.
    pub ended: i64,
    pub function_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    attempts_made: u32,
    arrival_timestamp: i64,
    error_code: &'a str,
    error_message: &'a str,
    attempt_ending_timestamp: i64,
    raw_data: String,
    #[serde(rename = "lambdaARN")]
    lambda_arn: &'a str,
}

/// The line of a failed record, with the newline.
pub(crate) fn line(
    entry: &Entry,
    data: &[u8],
    failure: &Failure,
    attempts: Attempts<'_>,
) -> Vec<u8> {
    let line = Line {
        attempts_made: attempts.made,
        arrival_timestamp: entry.arrival,
        error_code: &failure.code,
        error_message: &failure.message,
        attempt_ending_timestamp: attempts.ended,
        raw_data: STANDARD.encode(data),
        lambda_arn: attempts.function_arn,
    };
    // Strings and numbers always have a JSON form.
    let mut line = serde_json::to_vec(&line).unwrap_or_default();
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_all_fields_and_the_raw_data() {
        let entry = Entry::for_test(7, 1_575_019_718_303, 5);
        let attempts = Attempts {
            made: 4,
            ended: 1_575_019_781_231,
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:processor",
        };
        let line = line(&entry, b"\x00raw\n", &Failure::FUNCTION_ERROR, attempts);
        assert_eq!(
            String::from_utf8_lossy(&line),
            concat!(
                r#"{"attemptsMade":4,"arrivalTimestamp":1575019718303,"#,
                r#""errorCode":"Lambda.FunctionError","#,
                r#""errorMessage":"The Lambda function was successfully invoked but it returned an error result.","#,
                r#""attemptEndingTimestamp":1575019781231,"rawData":"AHJhdwo=","#,
                r#""lambdaARN":"arn:aws:lambda:us-east-1:000000000000:function:processor"}"#,
                "\n"
            )
        );
    }
}
