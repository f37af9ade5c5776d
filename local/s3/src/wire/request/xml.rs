//! XML as the s3s crate reads and writes it, and as XML 1.0 is.

use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};

const CDATA: &str = "<![CDATA[";

/// What passes through unread, with where it ends.
const SKIPPED: [(&str, &str); 2] = [("<!--", "-->"), ("<?", "?>")];

/// Writes a document so that the s3s crate reads what it says: text for CDATA, which the crate
/// leaves out, and characters for those references that it does not know.
///
/// # Errors
/// `MalformedXML` for characters that XML 1.0 does not have, as S3 answers keys with them:
/// <https://github.com/boto/boto3/issues/2005>.
pub(super) fn normalise(document: Bytes) -> AwsResult<Bytes> {
    let Ok(text) = std::str::from_utf8(&document) else {
        // Of another encoding, if anything; the crate decides.
        return Ok(document);
    };
    if !text.chars().all(is_character) {
        return Err(malformed());
    }
    if !text.contains(CDATA) && !text.contains("&#") {
        return Ok(document);
    }
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        written.push_str(before);
        rest = match from.strip_prefix(CDATA) {
            Some(data) => {
                let (data, after) = data.split_once("]]>").ok_or_else(malformed)?;
                push_escaped(&mut written, data);
                after
            }
            None => push_markup(&mut written, from),
        };
    }
    written.push_str(rest);
    Ok(written.into())
}

/// Writes markup that begins here, or a reference, and gives back what comes after it.
fn push_markup<'a>(written: &mut String, from: &'a str) -> &'a str {
    for (start, end) in SKIPPED {
        if from.starts_with(start) {
            let length = from.find(end).map_or(from.len(), |at| at + end.len());
            let (skipped, after) = from.split_at(length);
            written.push_str(skipped);
            return after;
        }
    }
    if let Some((character, after)) = reference(from) {
        written.push(character);
        return after;
    }
    let (first, after) = from.split_at(1);
    written.push_str(first);
    after
}

/// A reference to a character beyond the basic plane, which the s3s crate does not resolve.
fn reference(from: &str) -> Option<(char, &str)> {
    let (number, after) = from.strip_prefix("&#")?.split_once(';')?;
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let is_number = digits.chars().all(|digit| digit.is_digit(radix));
    let number = u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)?;
    let character = char::from_u32(number).filter(|_| number >= 0x1_0000)?;
    Some((character, after))
}

fn push_escaped(written: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '&' => written.push_str("&amp;"),
            '\r' => written.push_str("&#13;"),
            other => written.push(other),
        }
    }
}

/// Writes control characters of an answer as references: a carriage return would otherwise reach
/// the client as a line feed, and the others not at all. XML 1.0 has no way to write those, so a
/// strict client asks for lists with `encoding-type=url`:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
pub(super) fn escape_controls(answer: &[u8]) -> Option<Vec<u8>> {
    if !answer.iter().any(is_control) {
        return None;
    }
    let mut escaped = Vec::with_capacity(answer.len() + 16);
    for byte in answer {
        match is_control(byte) {
            true => escaped.extend_from_slice(format!("&#x{byte:X};").as_bytes()),
            false => escaped.push(*byte),
        }
    }
    Some(escaped)
}

fn is_control(byte: &u8) -> bool {
    *byte < 0x20 && !matches!(byte, b'\t' | b'\n')
}

/// <https://www.w3.org/TR/xml/#charsets>
fn is_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

fn malformed() -> AwsError {
    AwsError::new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cdata_is_text() -> AwsResult<()> {
        for (document, expected) in [
            ("<K>a&amp;b</K>", "<K>a&amp;b</K>"),
            ("<K><![CDATA[a&b<c>]]></K>", "<K>a&amp;b&lt;c&gt;</K>"),
            ("<K>a<![CDATA[b]]>c<![CDATA[]]></K>", "<K>abc</K>"),
            (
                "<!-- <![CDATA[x]]> --><K><![CDATA[y]]></K>",
                "<!-- <![CDATA[x]]> --><K>y</K>",
            ),
            ("<K>&#x1F600;&#128512;&#13;</K>", "<K>😀😀&#13;</K>"),
            ("<K>a&#x;&#x+1F600;b</K>", "<K>a&#x;&#x+1F600;b</K>"),
        ] {
            assert_eq!(normalise(document.into())?, expected, "{document}");
        }
        for wrong in ["<K>a\u{1}b</K>", "<K><![CDATA[a</K>", "<K>\u{ffff}</K>"] {
            assert!(normalise(wrong.into()).is_err(), "{wrong:?}");
        }
        Ok(())
    }

    #[test]
    fn controls_are_references() {
        assert_eq!(escape_controls(b"<K>a\tb\n</K>"), None);
        let escaped = escape_controls("<K>é\r\u{1}</K>".as_bytes());
        assert_eq!(escaped.as_deref(), Some("<K>é&#xD;&#x1;</K>".as_bytes()));
    }
}
