//! Why a request to AWS failed, and whether what it asked for may have been done all the same.

use anyhow::anyhow;
use reqwest::StatusCode;
use serde::Deserialize;
use std::fmt;

/// A request that failed.
#[derive(Debug)]
pub enum Failure {
    /// It did not leave this machine.
    Unsent(anyhow::Error),
    /// The service said that it did not do it.
    Refused(Refusal),
    /// Nothing tells whether the service did it: no answer came, or one that speaks of an error
    /// inside the service.
    Unknown(anyhow::Error),
}

/// A service's answer to what it does not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: String,
    pub message: String,
    /// Whether the same may be asked for later: too much at once.
    pub later: bool,
}

#[derive(Deserialize)]
struct Body {
    #[serde(rename = "__type", default)]
    code: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Failure {
    /// A failure of the way there or back.
    pub fn of(error: reqwest::Error) -> Self {
        match error.is_connect() || error.is_builder() {
            true => Self::Unsent(error.into()),
            false => Self::Unknown(error.into()),
        }
    }

    /// An answer other than success.
    pub fn answered(status: StatusCode, text: &str) -> Self {
        let Body { code, message } = serde_json::from_str(text).unwrap_or_else(|_| Body {
            code: status.to_string(),
            message: text.trim().to_owned(),
        });
        // `com.amazonaws.firehose.v20150804#ServiceUnavailableException`
        let code = code.rsplit('#').next().unwrap_or_default().to_owned();
        let later = [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status)
            || code.contains("Throttl")
            // Firehose's own, which it may send as any server error.
            || code == "ServiceUnavailableException";
        if status.is_server_error() && !later {
            return Self::Unknown(anyhow!("{code}: {message}"));
        }
        Self::Refused(Refusal {
            code,
            message,
            later,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsent(error) | Self::Unknown(error) => write!(formatter, "{error:#}"),
            Self::Refused(Refusal { code, message, .. }) => write!(formatter, "{code}: {message}"),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_it_was_done() {
        let of = |status: u16, text: &str| match Failure::answered(
            StatusCode::from_u16(status).unwrap_or_default(),
            text,
        ) {
            Failure::Refused(refusal) if refusal.later => format!("later {}", refusal.code),
            Failure::Refused(refusal) => format!("refused {}", refusal.code),
            Failure::Unknown(_) => "unknown".to_owned(),
            Failure::Unsent(_) => "unsent".to_owned(),
        };
        let throttled = r#"{"__type":"a.b#ServiceUnavailableException","message":"Slow down."}"#;
        for status in [500, 503] {
            assert_eq!(of(status, throttled), "later ServiceUnavailableException");
        }
        let denied = r#"{"__type":"AccessDeniedException","Message":"no"}"#;
        assert_eq!(of(400, denied), "refused AccessDeniedException");
        assert_eq!(
            of(400, r#"{"__type":"ThrottlingException"}"#),
            "later ThrottlingException"
        );
        assert_eq!(of(500, r#"{"__type":"InternalFailure"}"#), "unknown");
        assert_eq!(of(502, "<html>"), "unknown");
    }
}
