//! Keys in paths of requests, S3's own and a distribution's.

use super::errors::invalid_uri;
use cloud_core::error::AwsResult;
use cloud_core::percent;

/// The key in a path.
///
/// # Errors
/// `InvalidURI` for a `%` without two hexadecimal digits after it, and for what is not UTF-8:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
pub(crate) fn decode(path: &str) -> AwsResult<String> {
    percent::decode_path(path).ok_or_else(invalid_uri)
}

/// Refuses a path whose percent-encoding is broken.
///
/// # Errors
/// As [`decode`], except that text that is not UTF-8 is no error here.
pub(crate) fn check(path: &str) -> AwsResult<()> {
    let is_encoded = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match path.split('%').skip(1).all(is_encoded) {
        true => Ok(()),
        false => Err(invalid_uri()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_escapes_are_taken() -> AwsResult<()> {
        assert_eq!(decode("/a%20b+c%2Bd/%C3%A9")?, "/a b c+d/é");
        for wrong in ["%", "%4", "%+4x", "%-1", "%zz", "%4%41", "%ff", "a%é"] {
            assert!(decode(wrong).is_err(), "{wrong}");
        }
        Ok(())
    }
}
