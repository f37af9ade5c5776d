//! What rules may say, and what they delete when.

use super::*;
use crate::version::{Body, Content};

fn rules(json: &str) -> Result<Vec<Rule>, serde_json::Error> {
    let json = format!(r#"[{{"id":"r","status":"Enabled",{json}}}]"#);
    serde_json::from_str(&json)
}

/// A version that was written at this hour, of this size; without a size a delete marker.
fn version(hour: i64, size: Option<u64>) -> Version {
    Version {
        id: hour.to_string(),
        sequence: 0,
        modified: hour * 60 * 60 * 1_000,
        content: size.map(|size| Content {
            size,
            etag: String::new(),
            headers: Default::default(),
            checksum: None,
            parts: Vec::new(),
            tags: BTreeMap::new(),
            body: Body::Record,
        }),
    }
}

#[test]
fn days_are_rounded_up_to_midnight() {
    let hour = DAY / 24;
    // The example of AWS's page: created on the 15th at 10:30, due three days later is the
    // 19th at midnight.
    assert_eq!(after_days(14 * DAY + 10 * hour + hour / 2, 3), 18 * DAY);
    assert_eq!(after_days(14 * DAY, 3), 17 * DAY);
}

#[test]
fn rules_delete_what_is_due() -> Result<(), serde_json::Error> {
    use Step::{Delete, Mark};
    let object = |hour| version(hour, Some(10));
    let marker = |hour| version(hour, None);
    let (enabled, never) = (Versioning::Enabled, Versioning::Never);
    // What is in the rule, the versions, the bucket, the hour it is, and what is done.
    for (rule, versions, versioning, now, expected) in [
        (
            r#""expiration":{"days":1}"#,
            vec![object(1)],
            never,
            47,
            vec![],
        ),
        (
            r#""expiration":{"days":1}"#,
            vec![object(1)],
            never,
            48,
            vec![Delete(0)],
        ),
        (
            r#""expiration":{"days":1}"#,
            vec![object(1)],
            enabled,
            48,
            vec![Mark],
        ),
        (
            r#""expiration":{"days":1}"#,
            vec![object(25), object(1)],
            enabled,
            48,
            vec![],
        ),
        (
            r#""expiration":{"date":"1970-01-03T00:00:00Z"}"#,
            vec![object(1)],
            never,
            48,
            vec![Delete(0)],
        ),
        (
            r#""filter":{"prefix":"a/"},"expiration":{"days":1}"#,
            vec![object(1)],
            never,
            48,
            vec![],
        ),
        (
            r#""filter":{"objectSizeGreaterThan":10},"expiration":{"days":1}"#,
            vec![object(1)],
            never,
            48,
            vec![],
        ),
        (
            r#""expiration":{"expiredObjectDeleteMarker":true}"#,
            vec![marker(1)],
            enabled,
            2,
            vec![Delete(0)],
        ),
        (
            r#""expiration":{"expiredObjectDeleteMarker":true}"#,
            vec![marker(2), object(1)],
            enabled,
            3,
            vec![],
        ),
        (
            r#""noncurrentVersionExpiration":{"noncurrentDays":1}"#,
            vec![object(30), object(2), object(1)],
            enabled,
            48,
            vec![Delete(2)],
        ),
        (
            r#""noncurrentVersionExpiration":{"noncurrentDays":1,"newerNoncurrentVersions":1}"#,
            vec![object(3), object(2), object(1)],
            enabled,
            48,
            vec![Delete(2)],
        ),
    ] {
        let rules = rules(rule)?;
        let now = now * 60 * 60 * 1_000;
        assert_eq!(
            due(&rules, "k", &versions, versioning, now),
            expected,
            "{rules:?}"
        );
    }
    Ok(())
}

#[test]
fn a_disabled_rule_deletes_nothing() -> Result<(), serde_json::Error> {
    let mut rules = rules(r#""expiration":{"days":1}"#)?;
    rules[0].status = Status::Disabled;
    let versions = [version(1, Some(1))];
    assert_eq!(
        due(&rules, "k", &versions, Versioning::Never, 100 * DAY),
        []
    );
    Ok(())
}

#[test]
fn what_aws_refuses_is_refused() -> Result<(), serde_json::Error> {
    assert_eq!(check(&rules(r#""expiration":{"days":1}"#)?), Ok(()));
    for rule in [
        r#""filter":{}"#,
        r#""expiration":{}"#,
        r#""expiration":{"days":0}"#,
        r#""expiration":{"days":1,"date":"2030-01-01T00:00:00Z"}"#,
        r#""expiration":{"date":"2030-01-01T01:00:00Z"}"#,
        r#""expiration":{"date":"tomorrow"}"#,
        r#""noncurrentVersionExpiration":{"noncurrentDays":0}"#,
        r#""noncurrentVersionExpiration":{"noncurrentDays":1,"newerNoncurrentVersions":101}"#,
        r#""abortIncompleteMultipartUpload":{"daysAfterInitiation":0}"#,
        r#""filter":{"objectSizeLessThan":1},"abortIncompleteMultipartUpload":{"daysAfterInitiation":1}"#,
        r#""filter":{"prefix":"a","objectSizeLessThan":1},"expiration":{"days":1}"#,
        r#""filter":{"prefix":"a"},"prefix":"a","expiration":{"days":1}"#,
    ] {
        assert!(check(&rules(rule)?).is_err(), "{rule}");
    }
    Ok(())
}
