//! What buckets and keys may be called.

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const MAX_KEY_BYTES: usize = 1024;

/// The lengths of a bucket's name. This and all rules of [`check_bucket`]:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
pub(crate) const BUCKET_NAME_LENGTHS: std::ops::RangeInclusive<usize> = 3..=63;

const RESERVED_PREFIXES: &[&str] = &["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Refuses a name that AWS gives no bucket, with the rule that it breaks.
pub(crate) fn check_bucket(name: &str) -> Result<(), String> {
    let is_letter_or_digit = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    if !BUCKET_NAME_LENGTHS.contains(&bytes.len()) {
        Err(format!("{name:?} must have 3 to 63 characters"))
    } else if !bytes
        .iter()
        .all(|byte| is_letter_or_digit(byte) || b".-".contains(byte))
    {
        Err(format!(
            "{name:?} must consist of lower-case letters, digits, dots and hyphens"
        ))
    } else if !bytes.first().is_some_and(is_letter_or_digit)
        || !bytes.last().is_some_and(is_letter_or_digit)
    {
        Err(format!(
            "{name:?} must begin and end with a letter or digit"
        ))
    } else if name.contains("..") {
        Err(format!("{name:?} must not have two dots in a row"))
    } else if name.parse::<std::net::Ipv4Addr>().is_ok() {
        Err(format!("{name:?} must not look like an IP address"))
    } else if let Some(prefix) = RESERVED_PREFIXES.iter().find(|p| name.starts_with(**p)) {
        Err(format!("{name:?} begins with {prefix}, which AWS reserves"))
    } else if let Some(suffix) = RESERVED_SUFFIXES.iter().find(|s| name.ends_with(**s)) {
        Err(format!("{name:?} ends with {suffix}, which AWS reserves"))
    } else {
        Ok(())
    }
}

/// Whether a key is as long as S3 allows.
pub(crate) fn key_fits(key: &str) -> bool {
    (1..=MAX_KEY_BYTES).contains(&key.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_awss_rules() {
        for name in ["abc", "my-bucket.logs-1", &"a".repeat(63), "1.2.3", "a--b"] {
            assert_eq!(check_bucket(name), Ok(()), "{name}");
        }
        for name in [
            "ab",
            &"a".repeat(64),
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            ".abc",
            "a..b",
            "192.168.5.4",
            "xn--abc",
            "sthree-abc",
            "amzn-s3-demo-x",
            "abc-s3alias",
            "abc--ol-s3",
            "abc.mrap",
            "abc--x-s3",
            "abc--table-s3",
            "äbc",
        ] {
            assert!(check_bucket(name).is_err(), "{name}");
        }
    }
}
