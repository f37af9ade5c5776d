//! What a function's caller is told when the function does not answer, in Lambda's words.

use bytes::Bytes;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// The error object of a failed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionFailure {
    /// Such as `Runtime.ExitError`.
    pub kind: String,
    /// The JSON that the caller gets.
    pub payload: Bytes,
    /// What Lambda itself writes to the log about it.
    pub log: Option<String>,
}

impl FunctionFailure {
    fn platform(request_id: &str, kind: &str, message: &str) -> Self {
        let message = format!("RequestId: {request_id} Error: {message}");
        Self {
            kind: kind.into(),
            payload: payload(kind, &message),
            log: Some(format!("{message}\n{kind}")),
        }
    }

    /// The process ended.
    pub(crate) fn exited(request_id: &str, status: ExitStatus) -> Self {
        let reason = match (status.code(), status.signal()) {
            (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
            (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
            (None, signal) => format!(
                "Runtime exited with error: signal: {}",
                signal_name(signal.unwrap_or_default())
            ),
        };
        Self::platform(request_id, "Runtime.ExitError", &reason)
    }

    /// The process used more memory than it has, and was killed for it.
    pub(crate) fn out_of_memory(request_id: &str) -> Self {
        Self::exited(request_id, ExitStatus::from_raw(9))
    }

    /// The process could not be started.
    pub(crate) fn no_entrypoint(request_id: &str, reason: &str) -> Self {
        Self::platform(request_id, "Runtime.InvalidEntrypoint", reason)
    }

    /// The invocation took longer than it may.
    pub(crate) fn timed_out(request_id: &str, timeout: Duration, now: &str) -> Self {
        let reason = format!("Task timed out after {:.2} seconds", timeout.as_secs_f64());
        Self {
            kind: "Sandbox.Timedout".into(),
            payload: payload(
                "Sandbox.Timedout",
                &format!("RequestId: {request_id} Error: {reason}"),
            ),
            log: Some(format!("{now} {request_id} {reason}\n")),
        }
    }

    /// The answer is larger than it may be.
    pub(crate) fn response_too_large(size: u64, most: usize) -> Self {
        let message = format!(
            "Response payload size ({size} bytes) exceeded maximum allowed payload size \
             ({most} bytes)."
        );
        Self {
            kind: "Function.ResponseSizeTooLarge".into(),
            payload: payload("Function.ResponseSizeTooLarge", &message),
            log: None,
        }
    }

    /// The function says itself what went wrong.
    pub(crate) fn reported(kind: Option<String>, payload: Bytes) -> Self {
        Self {
            kind: kind.unwrap_or_else(|| "Runtime.Unknown".into()),
            payload,
            log: None,
        }
    }
}

fn payload(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message })
        .to_string()
        .into()
}

/// As Go names signals: Lambda's own supervisor is written in it.
fn signal_name(signal: i32) -> String {
    match signal {
        4 => "illegal instruction".into(),
        6 => "aborted".into(),
        7 => "bus error".into(),
        8 => "floating point exception".into(),
        9 => "killed".into(),
        11 => "segmentation fault".into(),
        13 => "broken pipe".into(),
        15 => "terminated".into(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(failure: &FunctionFailure) -> String {
        String::from_utf8_lossy(&failure.payload).into_owned()
    }

    #[test]
    fn exits_are_worded_as_lambda_words_them() {
        let cases = [
            (0x0000, "Runtime exited without providing a reason"),
            (0x0100, "Runtime exited with error: exit status 1"),
            (0x6500, "Runtime exited with error: exit status 101"),
            (9, "Runtime exited with error: signal: killed"),
            (11, "Runtime exited with error: signal: segmentation fault"),
        ];
        for (raw, reason) in cases {
            let failure = FunctionFailure::exited("id-1", ExitStatus::from_raw(raw));
            assert_eq!(
                message(&failure),
                format!(
                    r#"{{"errorMessage":"RequestId: id-1 Error: {reason}","errorType":"Runtime.ExitError"}}"#
                )
            );
        }
    }

    #[test]
    fn a_time_out_names_the_time() {
        let failure =
            FunctionFailure::timed_out("id-1", Duration::from_secs(30), "2026-01-02T03:04:05.678Z");
        assert!(
            message(&failure).contains("RequestId: id-1 Error: Task timed out after 30.00 seconds")
        );
        assert_eq!(
            failure.log.as_deref(),
            Some("2026-01-02T03:04:05.678Z id-1 Task timed out after 30.00 seconds\n")
        );
    }
}
