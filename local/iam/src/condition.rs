//! Conditions: operators over the keys of a request.
//!
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.
//! A key that the request does not have makes a condition false, and a negated one true; with
//! `IfExists` it is true either way. Several values are alternatives; for a negated operator
//! none may match.

use super::pattern::{arn_like, is_arn, like};

/// The condition keys that the services of this cloud send, and those of calls that nobody makes
/// here: `iam:PassRole`, and `sts:AssumeRoleWithWebIdentity` with a token of GitHub's. A policy that names another is
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
    "iam:PassedToService",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "s3:VersionId",
    "sts:ExternalId",
    "token.actions.githubusercontent.com:aud",
    "token.actions.githubusercontent.com:sub",
];

/// The operators, by name. AWS says of ArnEquals and ArnLike that they behave identically.
const OPERATORS: [(&str, Operator, Form); 18] = [
    ("StringEquals", Operator::StringEquals, Form::Plain),
    ("StringNotEquals", Operator::StringEquals, Form::Negated),
    (
        "StringEqualsIgnoreCase",
        Operator::StringEqualsIgnoreCase,
        Form::Plain,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Operator::StringEqualsIgnoreCase,
        Form::Negated,
    ),
    ("StringLike", Operator::StringLike, Form::Plain),
    ("StringNotLike", Operator::StringLike, Form::Negated),
    ("ArnEquals", Operator::ArnLike, Form::Plain),
    ("ArnNotEquals", Operator::ArnLike, Form::Negated),
    ("ArnLike", Operator::ArnLike, Form::Plain),
    ("ArnNotLike", Operator::ArnLike, Form::Negated),
    ("Bool", Operator::Bool, Form::Plain),
    ("Null", Operator::Null, Form::Alone),
    (
        "NumericEquals",
        Operator::Numeric(Comparison::Equals),
        Form::Plain,
    ),
    (
        "NumericNotEquals",
        Operator::Numeric(Comparison::Equals),
        Form::Negated,
    ),
    (
        "NumericLessThan",
        Operator::Numeric(Comparison::Less),
        Form::Plain,
    ),
    (
        "NumericLessThanEquals",
        Operator::Numeric(Comparison::LessOrEquals),
        Form::Plain,
    ),
    (
        "NumericGreaterThan",
        Operator::Numeric(Comparison::Greater),
        Form::Plain,
    ),
    (
        "NumericGreaterThanEquals",
        Operator::Numeric(Comparison::GreaterOrEquals),
        Form::Plain,
    ),
];

/// How an operator is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Negated,
    /// Without an IfExists.
    Alone,
}

/// The names of all operators that can be decided, those with IfExists too.
pub fn operators() -> impl Iterator<Item = String> {
    OPERATORS.iter().flat_map(|(name, _, form)| {
        let if_exists = (*form != Form::Alone).then(|| format!("{name}IfExists"));
        [(*name).to_owned()].into_iter().chain(if_exists)
    })
}

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
        let mut operators = OPERATORS
            .iter()
            .filter(|known| !if_exists || known.2 != Form::Alone);
        let Some(&(_, known, form)) = operators.find(|known| known.0 == name) else {
            return Err(format!(
                "the condition operator {operator} is not known to the embedded cloud; it \
                 knows String…, Arn…, Bool, Null and Numeric… operators"
            ));
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
            negated: form == Form::Negated,
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
mod tests;
