//! The one error of the data side: what AWS would answer.
//!
//! A caller sees `code` and `message`, just as the real service words them. What went wrong
//! inside the embedded cloud itself (a full disk, say) is `InternalFailure` towards the caller,
//! and goes to the log in full.

use std::borrow::Cow;
use std::fmt;

/// A refusal or failure of an AWS service, as its wire protocol reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status that the service answers with.
    pub status: u16,
    /// The service's error code, such as `AccessDenied` or `ResourceNotFoundException`.
    pub code: Cow<'static, str>,
    /// The sentence for the caller.
    pub message: String,
}

/// What every operation of a service gives back.
pub type AwsResult<T> = Result<T, AwsError>;

impl AwsError {
    /// An error of the given HTTP status, code and message.
    pub fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// A failure of the embedded cloud itself: the cause is logged, the caller learns that the
    /// service failed and may try again.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal failure");
        Self::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        )
    }

    /// Whether the service, and not the caller, is to blame.
    pub fn is_server_fault(&self) -> bool {
        self.status >= 500
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for AwsError {}
