//! What the pages under docs/compatibility list as operations is what there is.

use crate::support::World;
use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// The operations in the table of a page.
fn listed(page: &str) -> Result<BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility");
    let text = std::fs::read_to_string(root.join(page))?;
    let (_, section) = text.split_once("\n## Operations\n").context("no table")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let names = cells.flat_map(|cell| cell.split(", "));
    let operations = names.filter(|name| {
        name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric)
    });
    Ok(operations.map(str::to_owned).collect())
}

#[test]
fn the_operations_of_firehose() -> Result<()> {
    let there: BTreeSet<_> = cloud_firehose::OPERATIONS
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    ensure!(listed("firehose.md")? == there);
    Ok(())
}

#[tokio::test]
async fn the_operations_of_logs() -> Result<()> {
    let world = World::start().await?;
    let known = |action: &str| {
        let refused = world.logs_call(action, json!({})).err();
        refused.is_none_or(|error| error.code != "UnknownOperationException")
    };
    let listed = listed("logs.md")?;
    ensure!(!listed.is_empty());
    for action in &listed {
        ensure!(known(action), "{action} is not there");
    }
    for action in [
        "CreateLogGroup",
        "DeleteLogGroup",
        "PutRetentionPolicy",
        "TagResource",
    ] {
        ensure!(
            !known(action) && !listed.contains(action),
            "{action} is not listed"
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_operations_of_lambda() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    let path = "/2015-03-31/functions";
    let operations = [
        ("Invoke", Method::POST, format!("{path}/f/invocations")),
        ("GetFunction", Method::GET, format!("{path}/f")),
        (
            "GetFunctionConfiguration",
            Method::GET,
            format!("{path}/f/configuration"),
        ),
        ("GetPolicy", Method::GET, format!("{path}/f/policy")),
        ("ListFunctions", Method::GET, path.to_owned()),
    ];
    let listed = listed("lambda.md")?;
    let expected: BTreeSet<_> = operations
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    ensure!(listed == expected, "{listed:?}");
    let known = async |method: &Method, path: &str| {
        let answer = world.http(method.clone(), path, &[], "").await?;
        let refused = answer.err();
        anyhow::Ok(refused.is_none_or(|error| error.code != "UnknownOperationException"))
    };
    for (name, method, path) in &operations {
        ensure!(known(method, path).await?, "{name} is not there");
    }
    ensure!(!known(&Method::DELETE, &format!("{path}/f")).await?);
    ensure!(!known(&Method::POST, path).await?);
    Ok(())
}
