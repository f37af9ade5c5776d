//! Percent-encoding in paths, queries and forms: the one place that decodes it.
//!
//! An escape is `%` and two hexadecimal digits, and nothing else (RFC 3986, section 2.1): in
//! `%+4` there is none. What AWS does with a `%` that begins none depends on the service, so
//! there are two ways to decode.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use std::borrow::Cow;

/// What is written as it is in every part of an address (RFC 3986, section 2.3).
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The bytes of a text with its escapes decoded. A `%` that begins no escape stays.
pub fn decode_bytes(text: &str) -> Cow<'_, [u8]> {
    percent_decode_str(text).into()
}

/// A text with its escapes decoded. A `%` that begins no escape stays, and bytes that are no
/// UTF-8 become U+FFFD.
pub fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A text with its escapes decoded; none when a `%` begins no escape, or when the bytes are no
/// UTF-8.
pub(crate) fn decode_strictly(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    // Before the first `%` is no escape.
    parts.next();
    let whole = parts.all(|part| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    whole.then(|| decoded.into_owned())
}

/// The path of a request to S3, decoded, as far as it can be: a plus is a space there too
/// (<https://github.com/s3tools/s3cmd/issues/554>,
/// <https://github.com/nginx/nginx-s3-gateway/issues/77>).
pub fn decode_path(path: &str) -> Option<String> {
    decode_strictly(&path.replace('+', " "))
}

/// A text of a form (`application/x-www-form-urlencoded`), in which a plus is a space.
pub fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// Escapes every byte but letters, digits, `-`, `.`, `_` and `~`, with capital digits.
pub fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, &UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_two_hexadecimal_digits_and_nothing_else() {
        for (text, lenient, strict) in [
            ("a%20b", "a b", Some("a b")),
            ("%C3%a4", "ä", Some("ä")),
            ("a+b", "a+b", Some("a+b")),
            ("%2B", "+", Some("+")),
            ("%+4x", "%+4x", None),
            ("%-1", "%-1", None),
            ("% 4", "% 4", None),
            ("%4", "%4", None),
            ("%", "%", None),
            ("%%41", "%A", None),
            ("%zz", "%zz", None),
            ("%ff", "\u{fffd}", None),
            ("%2541", "%41", Some("%41")),
        ] {
            assert_eq!(decode(text), lenient, "{text}");
            assert_eq!(decode_strictly(text).as_deref(), strict, "{text}");
        }
        assert_eq!(decode_form("a+b%2Bc%+4"), "a b+c% 4");
        assert_eq!(&*decode_bytes("%ff%+f"), b"\xff%+f");
        assert_eq!(encode("a b/ä~".as_bytes()), "a%20b%2F%C3%A4~");
    }
}
