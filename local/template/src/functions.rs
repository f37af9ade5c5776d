//! `$util`, and the methods of values.

use super::ast::Utility;
use super::evaluate::RenderError;
use super::value::Value;
use crate::json::Json;
use base64::{Engine, engine::general_purpose::STANDARD};
use cloud_core::percent;
use std::fmt::Write;

/// Applies a function of `$util`.
pub(crate) fn apply(utility: Utility, argument: &Value) -> Result<Value, RenderError> {
    let text = argument.printed();
    match utility {
        Utility::Base64Encode => Ok(Value::text(STANDARD.encode(text))),
        Utility::Base64Decode => match STANDARD.decode(text.trim()) {
            Ok(bytes) => Ok(Value::text(String::from_utf8_lossy(&bytes))),
            Err(error) => Err(RenderError::failed(format!(
                "$util.base64Decode of what is no base64: {error}"
            ))),
        },
        Utility::EscapeJavaScript => Ok(Value::text(escape_java_script(&text))),
        Utility::UrlEncode => Ok(Value::text(url_encode(&text))),
        Utility::UrlDecode => Ok(Value::text(percent::decode_form(&text))),
        Utility::ParseJson => match Json::parse(&text) {
            Ok(json) => Ok(Value::Json(json)),
            Err(error) => Err(RenderError::failed(format!(
                "$util.parseJson of what is no JSON: {error}"
            ))),
        },
    }
}

/// "JavaScript string rules", single quotes too (AWS); as Apache Commons Lang's
/// `escapeJavaScript` has them, slashes and all that is not ASCII included.
fn escape_java_script(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' | '/' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            ' '..='~' => escaped.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(escaped, "\\u{unit:04X}");
                }
            }
        }
    }
    escaped
}

/// `application/x-www-form-urlencoded`, as `java.net.URLEncoder` writes it.
fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{other:02X}");
            }
        }
    }
    encoded
}
