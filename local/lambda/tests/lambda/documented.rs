//! What the pages under docs/compatibility list as operations is what there is.

use crate::support::World;
use anyhow::{Result, ensure};
use cloud_testing::documented::tabled;
use http::Method;
use serde_json::json;
use std::collections::BTreeSet;

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
    let listed = tabled("lambda.md")?;
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
