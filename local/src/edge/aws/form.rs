//! Errors, in the form of each protocol that AWS's services speak.
//!
//! The protocols: <https://smithy.io/2.0/aws/protocols/index.html>. A client can read an error only
//! in the form of the service that it called.

use super::Answer;
use cloud_core::error::AwsError;
use http::{HeaderValue, Response, StatusCode, header};
use s3s::Body;

/// How a service puts errors on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON with `X-Amz-Target`, `application/x-amz-json-1.0` or `-1.1`: as it was asked.
    Json { media_type: &'static str },
    /// JSON with an address for each operation.
    RestJson,
    /// XML with an address for each operation, in this namespace.
    RestXml { namespace: &'static str },
    /// A form with an action, and XML in this namespace.
    Query { namespace: &'static str },
    /// EC2's variety of it.
    Ec2,
    /// CBOR: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>.
    Cbor,
    /// S3's own.
    S3,
}

pub(super) const JSON_1_0: &str = "application/x-amz-json-1.0";
pub(super) const JSON_1_1: &str = "application/x-amz-json-1.1";

impl Form {
    /// The answer to a request that is refused.
    pub(super) fn error(&self, error: AwsError, request_id: &str) -> Answer {
        let status = error.http_status();
        match self {
            Self::Json { media_type } => json(error, media_type),
            Self::RestJson => json(error, "application/json"),
            Self::RestXml { namespace } => {
                let xml = error_response(&error, namespace, request_id);
                let prolog = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
                answer(status, "text/xml", format!("{prolog}\n{xml}"))
            }
            Self::Query { namespace } => {
                let xml = error_response(&error, namespace, request_id);
                answer(status, "text/xml", xml)
            }
            Self::Ec2 => {
                let xml = format!(
                    "<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error>\
                     </Errors><RequestID>{}</RequestID></Response>",
                    escape(of_xml(&error.code)),
                    escape(&error.message),
                    escape(request_id),
                );
                answer(status, "text/xml", xml)
            }
            Self::Cbor => {
                let fields = [("__type", &*error.code), ("message", &error.message)];
                let mut answer = answer(status, "application/cbor", cbor_map(&fields));
                let protocol = HeaderValue::from_static("rpc-v2-cbor");
                answer.headers_mut().insert("smithy-protocol", protocol);
                answer
            }
            Self::S3 => cloud_s3::wire::refusal(error),
        }
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

/// An answer with a body of this media type.
pub(super) fn answer(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    let media_type = HeaderValue::from_static(media_type);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    answer
}

/// A text, escaped for XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn json(error: AwsError, media_type: &'static str) -> Answer {
    let body = serde_json::json!({ "__type": error.code, "message": error.message });
    let mut answer = answer(error.http_status(), media_type, body.to_string());
    if let Ok(code) = HeaderValue::from_str(&error.code) {
        answer.headers_mut().insert("x-amzn-errortype", code);
    }
    answer
}

fn error_response(error: &AwsError, namespace: &str, request_id: &str) -> String {
    let fault = match error.is_server_fault() {
        true => "Receiver",
        false => "Sender",
    };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code>\
         <Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
        escape(of_xml(&error.code)),
        escape(&error.message),
        escape(request_id),
    )
}

/// The code that services with answers in XML have for an error that all services have in common.
/// Compare STS (<https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>) with
/// Firehose.
fn of_xml(code: &str) -> &str {
    match code {
        "IncompleteSignatureException" => "IncompleteSignature",
        "InvalidSignatureException" => "SignatureDoesNotMatch",
        "UnrecognizedClientException" => "InvalidClientTokenId",
        "UnknownOperationException" => "InvalidAction",
        other => other,
    }
}

/// A map of short texts, as CBOR has it (RFC 8949, section 3): the head of an item is its kind
/// in three bits and its length in the rest, or in the bytes that follow.
fn cbor_map(fields: &[(&str, &str)]) -> Vec<u8> {
    const TEXT: u8 = 3 << 5;
    const MAP: u8 = 5 << 5;
    let mut bytes = Vec::new();
    head(&mut bytes, MAP, fields.len());
    for text in fields.iter().flat_map(|(name, value)| [name, value]) {
        head(&mut bytes, TEXT, text.len());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

fn head(bytes: &mut Vec<u8>, kind: u8, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..24), _) => bytes.push(kind | length),
        (Ok(length), _) => bytes.extend([kind | 24, length]),
        (_, Ok(length)) => {
            bytes.push(kind | 25);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(kind | 27);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_cbor_have_their_length_before_them() {
        let long = "x".repeat(300);
        let bytes = cbor_map(&[("a", "bc"), ("d", &long)]);
        let mut expected = b"\xa2\x61a\x62bc\x61d\x79\x01\x2c".to_vec();
        expected.extend(long.as_bytes());
        assert_eq!(bytes, expected);
        let bytes = cbor_map(&[("", &"y".repeat(24))]);
        assert!(bytes.starts_with(b"\xa1\x60\x78\x18yyy"), "{bytes:?}");
    }
}
