//! A function as it is described, down to the address of its package.

use crate::support::World;
use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_function_is_described_with_all_that_aws_always_sends() -> Result<()> {
    let world = World::start().await?;
    let inputs = json!({
        "description": "what it is for",
        "ephemeralStorage": { "size": 600 },
        "reservedConcurrentExecutions": 3,
        "tags": { "team": "clicks" },
    });
    let function = world.function("f", inputs).await?;
    let get = async |path: &str| {
        let path = format!("/2015-03-31/functions{path}");
        let answer = world.http(Method::GET, &path, &[], "").await??;
        anyhow::Ok(serde_json::from_slice::<Value>(answer.body())?)
    };
    let configuration = get("/f/configuration").await?;
    let output = |name: &str| &function.resource.outputs[name];
    for (name, expected) in [
        ("State", json!("Active")),
        ("LastUpdateStatus", json!("Successful")),
        ("LastModified", output("lastModified").clone()),
        ("CodeSize", output("sourceCodeSize").clone()),
        ("CodeSha256", output("codeSha256").clone()),
        ("Description", json!("what it is for")),
        ("Version", json!("$LATEST")),
        ("PackageType", json!("Zip")),
        ("Architectures", json!(["x86_64"])),
        ("TracingConfig", json!({ "Mode": "PassThrough" })),
        ("EphemeralStorage", json!({ "Size": 600 })),
        (
            "SnapStart",
            json!({ "ApplyOn": "None", "OptimizationStatus": "Off" }),
        ),
        (
            "LoggingConfig",
            json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" }),
        ),
    ] {
        ensure!(
            configuration[name] == expected,
            "{name}: {}",
            configuration[name]
        );
    }
    let runtime = &configuration["RuntimeVersionConfig"]["RuntimeVersionArn"];
    let runtime = runtime.as_str().unwrap_or_default();
    ensure!(
        runtime.starts_with("arn:aws:lambda:us-east-1::runtime:"),
        "{runtime}"
    );
    let revision = configuration["RevisionId"].clone();
    ensure!(
        revision.as_str().unwrap_or_default().len() == 36,
        "{revision}"
    );
    ensure!(configuration.get("Environment").is_none(), "no variables");

    let whole = get("/f").await?;
    ensure!(whole["Configuration"] == configuration);
    ensure!(whole["Concurrency"] == json!({ "ReservedConcurrentExecutions": 3 }));
    ensure!(whole["Tags"] == json!({ "team": "clicks" }));
    ensure!(whole["Code"]["RepositoryType"] == "S3");
    let location = whole["Code"]["Location"].as_str().context("an address")?;
    // Another test may have given it one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let package = client.get(location).send().await?.error_for_status()?;
    ensure!(package.bytes().await? == std::fs::read(world.path("runtime.zip"))?);

    let listed = get("").await?["Functions"][0].clone();
    ensure!(listed["CodeSize"] == configuration["CodeSize"]);
    ensure!(listed.get("State").is_none() && listed.get("LastUpdateStatus").is_none());

    world.update(&function, json!({ "timeout": 9 })).await?;
    let updated = get("/f:$LATEST/configuration").await?;
    ensure!(updated["RevisionId"] != revision && updated["Timeout"] == 9);
    Ok(())
}
