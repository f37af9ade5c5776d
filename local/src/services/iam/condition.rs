//! Conditions: operators over the keys of a request.
//!
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
//! A key that the request does not have makes a condition false, and a negated one true; with
//! `IfExists` it is true either way. Several values are alternatives; for a negated operator
//! none may match.

use super::pattern::{arn_like, is_arn, like};

/// The condition keys that the services of this cloud send. A policy that names another is
/// refused: a key that AWS has and this cloud lacks would decide differently here.
///
/// Global keys: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>;
/// `sts:` <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>;
/// `s3:` <https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html>.
pub const KNOWN_KEYS: &[&str] = &[
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalServiceName",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceAccount",
    "aws:SourceArn",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "s3:VersionId",
    "sts:ExternalId",
];

/// One operator on one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    operator: Operator,
    negated: bool,
    if_exists: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    ArnLike,
    Bool,
    Null,
    Numeric(Comparison),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equals,
    Less,
    LessOrEquals,
    Greater,
    GreaterOrEquals,
}

impl Condition {
    /// `operator` on `key`; fails with the reason when the cloud cannot decide it.
    pub fn new(operator: &str, key: &str, values: Vec<String>) -> Result<Self, String> {
        let (name, if_exists) = match operator.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (operator, false),
        };
        let (known, negated) = match name {
            "StringEquals" => (Operator::StringEquals, false),
            "StringNotEquals" => (Operator::StringEquals, true),
            "StringEqualsIgnoreCase" => (Operator::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Operator::StringEqualsIgnoreCase, true),
            "StringLike" => (Operator::StringLike, false),
            "StringNotLike" => (Operator::StringLike, true),
            // The two behave identically, says AWS.
            "ArnEquals" | "ArnLike" => (Operator::ArnLike, false),
            "ArnNotEquals" | "ArnNotLike" => (Operator::ArnLike, true),
            "Bool" => (Operator::Bool, false),
            "Null" if !if_exists => (Operator::Null, false),
            "NumericEquals" => (Operator::Numeric(Comparison::Equals), false),
            "NumericNotEquals" => (Operator::Numeric(Comparison::Equals), true),
            "NumericLessThan" => (Operator::Numeric(Comparison::Less), false),
            "NumericLessThanEquals" => (Operator::Numeric(Comparison::LessOrEquals), false),
            "NumericGreaterThan" => (Operator::Numeric(Comparison::Greater), false),
            "NumericGreaterThanEquals" => (Operator::Numeric(Comparison::GreaterOrEquals), false),
            _ => {
                return Err(format!(
                    "the condition operator {operator} is not known to the embedded cloud; it \
                     knows String…, Arn…, Bool, Null and Numeric… operators"
                ));
            }
        };
        let Some(key) = KNOWN_KEYS
            .iter()
            .find(|known| known.eq_ignore_ascii_case(key))
        else {
            return Err(format!(
                "the condition key {key} is not known to the embedded cloud; it knows {}",
                KNOWN_KEYS.join(", ")
            ));
        };
        if values.is_empty() {
            return Err(format!("the condition {operator} on {key} has no value"));
        }
        for value in &values {
            check_value(known, value)
                .map_err(|reason| format!("the condition {operator} on {key}: {reason}"))?;
        }
        Ok(Self {
            operator: known,
            negated,
            if_exists,
            key: (*key).to_owned(),
            values,
        })
    }

    /// The key, as AWS writes it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether this condition ties a statement to definite values: no negation, no way around
    /// a missing key, no wildcard.
    pub fn is_fixed(&self) -> bool {
        !self.negated
            && !self.if_exists
            && self.operator != Operator::Null
            && !self.values.iter().any(|value| value.contains(['*', '?']))
    }

    /// Whether the condition holds for a request with these keys.
    pub fn holds(&self, value_of: impl Fn(&str) -> Option<String>) -> bool {
        let actual = value_of(&self.key);
        if self.operator == Operator::Null {
            return self
                .values
                .iter()
                .any(|value| value.eq_ignore_ascii_case("true") == actual.is_none());
        }
        let Some(actual) = actual else {
            return self.if_exists || self.negated;
        };
        self.values
            .iter()
            .any(|value| self.operator.matches(value, &actual))
            != self.negated
    }
}

impl Operator {
    fn matches(self, value: &str, actual: &str) -> bool {
        match self {
            Self::StringEquals => value == actual,
            Self::StringEqualsIgnoreCase => value.to_lowercase() == actual.to_lowercase(),
            Self::StringLike => like(value, actual),
            Self::ArnLike => arn_like(value, actual),
            Self::Bool => value.eq_ignore_ascii_case(actual),
            Self::Null => false,
            Self::Numeric(comparison) => match (value.parse::<f64>(), actual.parse::<f64>()) {
                (Ok(value), Ok(actual)) => match comparison {
                    Comparison::Equals => actual == value,
                    Comparison::Less => actual < value,
                    Comparison::LessOrEquals => actual <= value,
                    Comparison::Greater => actual > value,
                    Comparison::GreaterOrEquals => actual >= value,
                },
                _ => false,
            },
        }
    }
}

fn check_value(operator: Operator, value: &str) -> Result<(), String> {
    let fits = match operator {
        Operator::Bool | Operator::Null => {
            value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
        }
        Operator::ArnLike => value == "*" || is_arn(value),
        Operator::Numeric(_) => value.parse::<f64>().is_ok(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    Err(match operator {
        Operator::ArnLike => format!("{value:?} is no ARN"),
        Operator::Numeric(_) => format!("{value:?} is no number"),
        _ => format!("{value:?} is neither true nor false"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPERATORS: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html";
    const LOGIC: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html";
    const ELEMENT: &str = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html";

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
}
