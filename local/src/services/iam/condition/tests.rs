//! Conditions, case by case, each with where AWS says so.

use super::*;

const OPERATORS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
const LOGIC: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html";
const ELEMENT: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html";

/// Operator, key, values in the policy, value in the request, whether it holds, source.
type Case = (
    &'static str,
    &'static str,
    &'static [&'static str],
    Option<&'static str>,
    bool,
    &'static str,
);

const CASES: &[Case] = &[
    (
        "StringEquals",
        "s3:prefix",
        &["a"],
        Some("a"),
        true,
        OPERATORS,
    ),
    (
        "StringEquals",
        "s3:prefix",
        &["a"],
        Some("A"),
        false,
        OPERATORS,
    ),
    (
        "StringEquals",
        "s3:prefix",
        &["a*"],
        Some("ab"),
        false,
        OPERATORS,
    ),
    ("StringEquals", "s3:prefix", &["a"], None, false, OPERATORS),
    (
        "StringEquals",
        "s3:prefix",
        &["a", "b"],
        Some("b"),
        true,
        LOGIC,
    ),
    (
        "StringEquals",
        "S3:PREFIX",
        &["a"],
        Some("a"),
        true,
        ELEMENT,
    ),
    (
        "StringNotEquals",
        "s3:prefix",
        &["a"],
        Some("b"),
        true,
        OPERATORS,
    ),
    (
        "StringNotEquals",
        "s3:prefix",
        &["a"],
        None,
        true,
        OPERATORS,
    ),
    (
        "StringNotEquals",
        "s3:prefix",
        &["a", "b"],
        Some("b"),
        false,
        LOGIC,
    ),
    (
        "StringNotEquals",
        "s3:prefix",
        &["a", "b"],
        Some("c"),
        true,
        LOGIC,
    ),
    (
        "StringEqualsIgnoreCase",
        "s3:prefix",
        &["a"],
        Some("A"),
        true,
        OPERATORS,
    ),
    (
        "StringNotEqualsIgnoreCase",
        "s3:prefix",
        &["a"],
        Some("A"),
        false,
        OPERATORS,
    ),
    (
        "StringLike",
        "s3:prefix",
        &["", "home/", "home/?*/"],
        Some("home/x/"),
        true,
        OPERATORS,
    ),
    (
        "StringLike",
        "s3:prefix",
        &["home/*"],
        Some("HOME/x"),
        false,
        OPERATORS,
    ),
    (
        "StringLike",
        "s3:prefix",
        &["home/*"],
        None,
        false,
        OPERATORS,
    ),
    (
        "StringNotLike",
        "s3:prefix",
        &["home/*"],
        Some("home/x"),
        false,
        OPERATORS,
    ),
    (
        "StringNotLike",
        "s3:prefix",
        &["home/*"],
        None,
        true,
        OPERATORS,
    ),
    (
        "ArnEquals",
        "aws:SourceArn",
        &["arn:aws:cloudfront::000000000000:distribution/*"],
        Some("arn:aws:cloudfront::000000000000:distribution/E1"),
        true,
        OPERATORS,
    ),
    (
        "ArnLike",
        "aws:SourceArn",
        &["arn:aws:cloudfront::000000000000:distribution/E1"],
        Some("arn:aws:cloudfront::000000000000:distribution/E2"),
        false,
        OPERATORS,
    ),
    (
        "ArnLike",
        "aws:SourceArn",
        &["arn:aws:s3:::b"],
        None,
        false,
        OPERATORS,
    ),
    (
        "ArnNotEquals",
        "aws:SourceArn",
        &["arn:aws:s3:::b"],
        None,
        true,
        OPERATORS,
    ),
    (
        "ArnNotLike",
        "aws:SourceArn",
        &["arn:aws:s3:::*"],
        Some("arn:aws:s3:::b"),
        false,
        OPERATORS,
    ),
    (
        "Bool",
        "aws:SecureTransport",
        &["false"],
        Some("true"),
        false,
        OPERATORS,
    ),
    (
        "Bool",
        "aws:SecureTransport",
        &["true"],
        Some("true"),
        true,
        OPERATORS,
    ),
    (
        "Bool",
        "aws:SecureTransport",
        &["true"],
        None,
        false,
        OPERATORS,
    ),
    (
        "BoolIfExists",
        "aws:SecureTransport",
        &["true"],
        None,
        true,
        OPERATORS,
    ),
    (
        "StringEqualsIfExists",
        "aws:SourceAccount",
        &["1"],
        None,
        true,
        OPERATORS,
    ),
    (
        "StringEqualsIfExists",
        "aws:SourceAccount",
        &["1"],
        Some("2"),
        false,
        OPERATORS,
    ),
    (
        "StringNotEqualsIfExists",
        "aws:SourceAccount",
        &["1"],
        None,
        true,
        OPERATORS,
    ),
    (
        "Null",
        "aws:SourceAccount",
        &["true"],
        None,
        true,
        OPERATORS,
    ),
    (
        "Null",
        "aws:SourceAccount",
        &["true"],
        Some("1"),
        false,
        OPERATORS,
    ),
    (
        "Null",
        "aws:SourceAccount",
        &["false"],
        Some("1"),
        true,
        OPERATORS,
    ),
    (
        "NumericLessThanEquals",
        "s3:max-keys",
        &["10"],
        Some("10"),
        true,
        OPERATORS,
    ),
    (
        "NumericLessThanEquals",
        "s3:max-keys",
        &["10"],
        Some("1000"),
        false,
        OPERATORS,
    ),
    (
        "NumericEquals",
        "s3:max-keys",
        &["10"],
        Some("10.0"),
        true,
        OPERATORS,
    ),
    (
        "NumericNotEquals",
        "s3:max-keys",
        &["10"],
        Some("9"),
        true,
        OPERATORS,
    ),
];

#[test]
fn conditions_hold_as_documented() -> Result<(), String> {
    for (operator, key, values, actual, expected, source) in CASES {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        let condition = Condition::new(operator, key, values)?;
        let holds = condition.holds(|_| actual.map(str::to_owned));
        assert_eq!(
            holds, *expected,
            "{operator} {key} on {actual:?}, see {source}"
        );
    }
    Ok(())
}

#[test]
fn what_cannot_be_decided_is_refused() {
    for (operator, key, value) in [
        ("StringMatches", "s3:prefix", "a"),
        ("NullIfExists", "s3:prefix", "true"),
        ("ForAnyValue:StringEquals", "s3:prefix", "a"),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
        ("StringEquals", "aws:username", "a"),
        ("Bool", "aws:SecureTransport", "yes"),
        ("ArnLike", "aws:SourceArn", "bucket"),
        ("NumericEquals", "s3:max-keys", "ten"),
    ] {
        let refused = Condition::new(operator, key, vec![value.to_owned()]);
        assert!(refused.is_err(), "{operator} {key} {value}");
    }
    assert!(Condition::new("StringEquals", "s3:prefix", Vec::new()).is_err());
}
