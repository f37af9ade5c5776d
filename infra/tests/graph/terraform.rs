//! The stack as Terraform, for scanners that read nothing else: `cargo xtask scan`.
//!
//! The aws package is built on Terraform's provider, so a registration says the same in both; what
//! one takes from another is a reference here.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use pulumi_mock::{Answer, Mock, Resource};
use serde_json::{Map, Value};

use super::cloud::{kind, label};
use super::limits::everything;
use super::{mock, run};

/// Where the files go when nobody says.
const FOLDER: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/terraform");

/// Computed properties that the program reads, where no input says them.
const COMPUTED: [&str; 10] = [
    "arn",
    "bucket",
    "bucketRegionalDomainName",
    "cloneUrlHttp",
    "cloneUrlSsh",
    "domainName",
    "invokeUrl",
    "name",
    "path",
    "rootResourceId",
];

/// Properties whose value is a map of the user's own keys, or a text that is one there.
const MAPS: [&str; 9] = [
    "dimensions",
    "requestModels",
    "requestParameters",
    "requestTemplates",
    "responseParameters",
    "responseTemplates",
    "tags",
    "triggers",
    "variables",
];

/// Properties that are files, where Terraform has their paths.
const ASSETS: [&str; 2] = ["code", "source"];

/// What Terraform calls otherwise than in snake case: the type or `*`, the property, the name.
const NAMES: [(&str, &str, &str); 11] = [
    ("*", "restApi", "rest_api_id"),
    ("*", "rules", "rule"),
    ("apigateway/stage", "deployment", "deployment_id"),
    (
        "cloudfront/distribution",
        "customErrorResponses",
        "custom_error_response",
    ),
    ("cloudfront/distribution", "origins", "origin"),
    ("cloudwatch/metricAlarm", "metricQueries", "metric_query"),
    ("cloudwatch/metricAlarm", "name", "alarm_name"),
    ("lambda/function", "code", "filename"),
    ("lambda/function", "name", "function_name"),
    ("lambda/permission", "function", "function_name"),
    ("sns/topicSubscription", "topic", "topic_arn"),
];

#[test]
fn the_stack_is_written_as_terraform() -> Result<()> {
    let folder = std::env::var_os("MYSFITS_TERRAFORM").map_or_else(|| FOLDER.into(), PathBuf::from);
    for (name, mock) in [("plain", mock()), ("everything", everything())] {
        let text = terraform(mock)?;
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("main.tf"), text)?;
    }
    Ok(())
}

fn terraform(mock: Mock) -> Result<String> {
    let run = run(mock.answer(reference))?;
    let mut text = String::new();
    let mut declared = BTreeSet::new();
    for resource in run.resources.iter().filter(|resource| resource.custom) {
        let (of, name) = address(resource);
        writeln!(text, "resource \"{of}\" \"{name}\" {{")?;
        let inputs = resource.inputs.as_object().context("no inputs")?;
        body(&mut text, kind(resource), inputs, 1)?;
        writeln!(text, "}}\n")?;
        let new = declared.insert(format!("{of}.{name}"));
        ensure!(new, "{} is there twice", label(resource));
    }
    // `$${` is none, but those letters.
    for reference in text.replace("$${", "").split("${").skip(1) {
        let (reference, _) = reference
            .split_once('}')
            .context("a reference has no end")?;
        let of = reference.rsplit_once('.').map_or("", |(of, _)| of);
        ensure!(declared.contains(of), "{reference} refers to nothing");
    }
    ensure!(text.contains("= \"${aws_iam_role.mysfits-delivery.arn}\""));
    Ok(text)
}

/// The answer to a registration: computed properties are references to it.
fn reference(resource: &Resource) -> Answer {
    let (of, name) = address(resource);
    let to = |property: &str| format!("${{{of}.{name}.{}}}", snake(property));
    let missing = COMPUTED
        .iter()
        .filter(|property| resource.inputs[**property].is_null());
    missing.fold(Answer::new().id(&to("id")), |answer, property| {
        answer.output(property, to(property))
    })
}

/// `aws_s3_bucket` and a name that Terraform takes.
fn address(resource: &Resource) -> (String, String) {
    let (service, rest) = kind(resource).split_once('/').unwrap_or_default();
    let service = match service {
        "apigateway" => "api_gateway",
        other => other,
    };
    let rest = match rest {
        "bucketObjectv2" => "object".to_owned(),
        "response" => "gateway_response".to_owned(),
        other => snake(other),
    };
    let name = resource.name.chars();
    let name = name.map(|letter| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    });
    (format!("aws_{service}_{rest}"), name.collect())
}

fn body(text: &mut String, of: &str, inputs: &Map<String, Value>, depth: usize) -> Result<()> {
    let indent = "  ".repeat(depth);
    for (property, value) in inputs {
        let value = if ASSETS.contains(&property.as_str()) {
            &value["path"]
        } else {
            value
        };
        let found = NAMES
            .iter()
            .find(|(on, from, _)| (*on == "*" || *on == of) && from == property);
        let name = found.map_or_else(|| snake(property), |(_, _, name)| (*name).to_owned());
        let blocks = match value {
            _ if MAPS.contains(&property.as_str()) => None,
            _ if (of, property.as_str()) == ("glue/catalogTable", "parameters") => None,
            Value::Object(object) => Some(vec![object]),
            Value::Array(items) => items.iter().map(Value::as_object).collect(),
            _ => None,
        };
        match blocks {
            Some(blocks) if !blocks.is_empty() => {
                for block in blocks {
                    writeln!(text, "{indent}{name} {{")?;
                    body(text, of, block, depth + 1)?;
                    writeln!(text, "{indent}}}")?;
                }
            }
            // JSON is an expression there too.
            _ => {
                let value = value.to_string().replace("${datehour}", "$${datehour}");
                writeln!(text, "{indent}{name} = {value}")?;
            }
        }
    }
    Ok(())
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
