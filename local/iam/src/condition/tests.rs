//! Conditions, case by case, each under where AWS says so.

use super::*;
use std::collections::BTreeSet;

/// Lines of operator, key, the policy's values, the request's value (`-` for none), and whether
/// the condition holds; under lines with the page that says so.
const CASES: &str = include_str!("cases.txt");

struct Case<'a> {
    source: &'a str,
    operator: &'a str,
    key: &'a str,
    values: Vec<String>,
    actual: Option<&'a str>,
    holds: bool,
}

fn cases() -> Result<Vec<Case<'static>>, String> {
    let mut source = "";
    let mut cases = Vec::new();
    for line in CASES.lines().filter(|line| !line.is_empty()) {
        if let Some(page) = line.strip_prefix("# ") {
            source = page;
            continue;
        }
        let fields: Vec<_> = line.split(" | ").collect();
        let &[operator, key, values, actual, outcome] = fields.as_slice() else {
            return Err(format!("not five fields: {line}"));
        };
        cases.push(Case {
            source,
            operator,
            key,
            values: values.split(", ").map(str::to_owned).collect(),
            actual: Some(actual).filter(|actual| *actual != "-"),
            holds: match outcome {
                "holds" => true,
                "fails" => false,
                other => return Err(format!("neither holds nor fails: {other}")),
            },
        });
    }
    Ok(cases)
}

#[test]
fn conditions_hold_as_documented() -> Result<(), String> {
    for case in cases()? {
        let Case {
            source,
            operator,
            key,
            values,
            actual,
            holds,
        } = case;
        assert!(
            source.starts_with("https://docs.aws.amazon.com/"),
            "{source}"
        );
        let condition = Condition::new(operator, key, values.clone())?;
        let found = condition.holds(|_| actual.map(str::to_owned));
        assert_eq!(
            found, holds,
            "{operator} {key} {values:?} on {actual:?}, see {source}"
        );
    }
    Ok(())
}

#[test]
fn every_operator_has_a_case_of_each_kind() -> Result<(), String> {
    let cases = cases()?;
    let written = |case: &Case<'_>| (case.operator.to_owned(), case.actual.is_some(), case.holds);
    let written: BTreeSet<_> = cases.iter().map(written).collect();
    for name in operators() {
        for is_there in [(true, true), (true, false)] {
            let kind = (name.clone(), is_there.0, is_there.1);
            assert!(written.contains(&kind), "no case of {kind:?}");
        }
        let without = cases
            .iter()
            .any(|case| case.operator == name && case.actual.is_none());
        let is_plain_form = operators().any(|other| other == format!("{name}IfExists"));
        assert!(
            without || is_plain_form,
            "no case of {name} without its key"
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
