//! Enumerations and limits of every type in the stack, as AWS and its provider document them.
//!
//! The embedded cloud cannot know all of them. A type that the stack begins to use fails here until
//! it has been looked up.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use pulumi_mock::{FAILED_AND_REPORTED, Mock};
use serde_json::Value;

use super::cloud::{kind, label};
use super::configuration::stack_file;
use super::{mock, run};
use types::Rule::{self, Absent, Begins, Contains, Length, Letters, Number, One};
use types::{PLAIN, TYPES};

mod types;

/// The longest name that a program gives and the provider makes seven letters and a hyphen longer:
/// Lambda's, Firehose's and IAM's names have 64 letters at most.
const LONGEST_NAME: usize = 64 - 8;

#[test]
fn every_type_is_within_what_aws_takes() -> Result<()> {
    let mut used = BTreeSet::new();
    for stack in ["dev", "prod", "local"] {
        let mut plain = mock().stack(stack);
        for (key, value) in stack_file(stack)? {
            plain = plain.config(&key, &value);
        }
        used.extend(check(plain)?);
    }
    let longest = "a".repeat(51);
    used.extend(check(everything().stack(&longest))?);

    let known = TYPES.iter().map(|(kind, ..)| *kind).chain(PLAIN);
    let known: BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(used, known);
    Ok(())
}

/// The engine takes stacks of names that CodeCommit does not.
#[test]
fn a_stack_whose_name_is_too_long_for_the_repository_has_none() -> Result<()> {
    let stack = "a".repeat(52);
    let refused = mock().stack(&stack).run(env!("CARGO_BIN_EXE_infra"))?;
    assert_eq!(refused.exit_code, Some(FAILED_AND_REPORTED));
    assert!(
        refused
            .errors()
            .join("")
            .contains("mysfits:repository false")
    );
    run(mock().stack(&stack).config("mysfits:repository", "false"))?;
    Ok(())
}

/// Every part of the stack that configuration adds.
pub fn everything() -> Mock {
    mock()
        .config("mysfits:alarmEmail", "operators@example.com")
        .config("mysfits:clicksRetention", "400")
        .config("mysfits:siteAccessLogs", "true")
        .config("mysfits:siteDomain", "mysfits.example.com")
        .config(
            "mysfits:siteCertificateArn",
            "arn:aws:acm:us-east-1:123456789012:certificate/1",
        )
}

/// The types that a run uses, all of whose properties are as they should be.
fn check(mock: Mock) -> Result<BTreeSet<String>> {
    let run = run(mock)?;
    let resources = run.resources.iter().filter(|resource| resource.custom);
    let mut used = BTreeSet::new();
    for resource in resources {
        used.insert(kind(resource).to_owned());
        let named = resource.name.len() <= LONGEST_NAME || kind(resource) == "s3/bucketObjectv2";
        ensure!(named, "{} has too long a name", label(resource));
        let rules = TYPES.iter().find(|(of, ..)| *of == kind(resource));
        for (path, rule) in rules.map_or(&[][..], |(.., rules)| rules) {
            let steps: Vec<&str> = path.split('/').collect();
            for value in values(&resource.inputs, &steps) {
                rule.check(value)
                    .with_context(|| format!("{}: {path} is {value}", label(resource)))?;
            }
        }
    }
    Ok(used)
}

/// The values at a path, where there are any.
fn values<'a>(value: &'a Value, path: &[&str]) -> Vec<&'a Value> {
    let Some((first, rest)) = path.split_first() else {
        return vec![value];
    };
    match first {
        &"*" => {
            let entries = value.as_array().into_iter().flatten();
            entries.flat_map(|entry| values(entry, rest)).collect()
        }
        name => {
            let property = value.get(name).filter(|value| !value.is_null());
            property.map_or_else(Vec::new, |value| values(value, rest))
        }
    }
}

impl Rule {
    fn check(&self, value: &Value) -> Result<()> {
        let text = value.as_str().unwrap_or_default();
        let length = value.as_array().map_or(text.len(), Vec::len);
        match self {
            One(allowed) => ensure!(allowed.contains(&text), "it must be one of {allowed:?}"),
            Length(least, most) => {
                ensure!(
                    (*least..=*most).contains(&length),
                    "{least} to {most}, not {length}"
                );
            }
            Number(least, most) => {
                let number = value.as_f64().context("it must be a number")?;
                ensure!((*least..=*most).contains(&number), "{least} to {most}");
            }
            Letters(more) => {
                let allowed =
                    |letter: char| letter.is_ascii_alphanumeric() || more.contains(letter);
                ensure!(text.chars().all(allowed), "letters, digits and {more:?}");
            }
            Begins(start) => ensure!(text.starts_with(start), "it must begin with {start}"),
            Contains(part) => ensure!(text.contains(part), "it must have {part}"),
            Absent => anyhow::bail!("it must not be given"),
        }
        Ok(())
    }
}
