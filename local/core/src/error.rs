//! The one error of the data side: what AWS would answer.
//!
//! A caller sees `code` and `message`, just as the real service words them. What went wrong
//! inside the embedded cloud itself (a full disk, say) is `InternalFailure` towards the caller,
//! and goes to the log in full.

use http::StatusCode;
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

/// What a refusal means, for code that acts on it: services name the same thing by several codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The caller may not.
    Denied,
    /// What it is about does not exist.
    Missing,
    /// What was to be created exists already.
    Exists,
    /// There are too many calls.
    Throttled,
    /// The request is not right in any other way.
    Invalid,
    /// The service failed.
    Failed,
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

    /// The HTTP status that the service answers with.
    pub fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What it means.
    pub fn meaning(&self) -> Meaning {
        let code = self.code.as_ref();
        let says = |part: &&str| code.contains(*part);
        if self.is_server_fault() {
            Meaning::Failed
        } else if code.starts_with("AccessDenied") || self.status == 403 {
            Meaning::Denied
        } else if ["AlreadyExists", "NameExists", "InUse"].iter().any(says)
            // S3 says so when the same thing is being changed twice at once.
            || self.status == 409 && code != "OperationAborted"
        {
            Meaning::Exists
        } else {
            match self.status {
                404 => Meaning::Missing,
                429 => Meaning::Throttled,
                _ => Meaning::Invalid,
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_s_own_code_has_a_meaning() {
        for (status, code, meaning) in [
            (403, "AccessDenied", Meaning::Denied),
            (400, "AccessDeniedException", Meaning::Denied),
            (404, "NoSuchBucket", Meaning::Missing),
            (409, "BucketAlreadyExists", Meaning::Exists),
            (409, "ConflictException", Meaning::Exists),
            (409, "OperationAborted", Meaning::Invalid),
            (400, "RepositoryNameExistsException", Meaning::Exists),
            (400, "ResourceInUseException", Meaning::Exists),
            (429, "TooManyRequestsException", Meaning::Throttled),
            (400, "ValidationException", Meaning::Invalid),
            (500, "InternalFailure", Meaning::Failed),
            (503, "SlowDown", Meaning::Failed),
        ] {
            let error = AwsError::new(status, code, "");
            assert_eq!(error.meaning(), meaning, "{error}");
        }
    }
}
