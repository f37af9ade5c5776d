//! What an operation ends with when it is refused or fails: an error of the s3s crate.

use crate::reading::Unreadable;
use cloud_core::error::AwsError;
use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// An error on its way to the client.
pub(crate) struct Refused(S3Error);

/// What an operation gives back.
pub(crate) type Outcome<T> = Result<T, Refused>;

impl From<Refused> for S3Error {
    fn from(refused: Refused) -> Self {
        refused.0
    }
}

impl From<S3Error> for Refused {
    fn from(error: S3Error) -> Self {
        Self(error)
    }
}

impl From<S3ErrorCode> for Refused {
    fn from(code: S3ErrorCode) -> Self {
        Self(code.into())
    }
}

impl From<AwsError> for Refused {
    fn from(error: AwsError) -> Self {
        let code = match error.code.as_ref() {
            // What other services call InternalFailure is InternalError here.
            "InternalFailure" => "InternalError",
            code => code,
        };
        let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut converted = S3Error::with_message(code, error.message);
        if let Ok(status) = StatusCode::from_u16(error.status) {
            converted.set_status_code(status);
        }
        Self(converted)
    }
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        let headers = super::reads::headers_of(&unreadable);
        let Self(mut error) = Self::from(AwsError::from(unreadable));
        error.set_headers(headers);
        Self(error)
    }
}
