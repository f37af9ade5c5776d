//! A refusal with the elements that S3 adds to some of its errors.

use super::xml::escape_controls;
use crate::wire::refused::Refused;
use cloud_core::error::AwsError;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::{Body, S3Response, S3Result};

/// An error, and more elements than its code and message.
#[derive(Debug)]
pub(super) struct Refusal {
    error: AwsError,
    details: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(error: AwsError, details: Vec<(&'static str, String)>) -> Self {
        Self { error, details }
    }

    /// What the client gets.
    pub(super) fn answer(self) -> S3Result<S3Response<Body>> {
        let Self { error, details } = self;
        if details.is_empty() {
            return Err(Refused::from(error).into());
        }
        let mut elements = format!("<Code>{}</Code>", escape(&error.code));
        elements.push_str(&format!("<Message>{}</Message>", escape(&error.message)));
        for (name, value) in details {
            elements.push_str(&format!("<{name}>{}</{name}>", escape(&value)));
        }
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>{elements}</Error>");
        let body = escape_controls(body.as_bytes()).unwrap_or_else(|| body.into());
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/xml");
        headers.insert(header::CONTENT_TYPE, kind);
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        let mut answer = S3Response::with_status(Body::from(body), status);
        answer.headers = headers;
        Ok(answer)
    }
}

impl From<AwsError> for Refusal {
    fn from(error: AwsError) -> Self {
        Self::new(error, Vec::new())
    }
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}
