//! CodeCommit repositories, in the aws package itself.

use crate::support::{Engine, refusal};
use anyhow::{Context, Result};
use mysfits_local::server::{Server, ServerConfig};
use serde_json::{Value, json};

const TOKEN: &str = "aws:codecommit/repository:Repository";

fn urn(name: &str) -> String {
    format!("urn:pulumi:dev::test::{TOKEN}::{name}")
}

#[tokio::test]
async fn a_repository_has_its_addresses() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;

    let clicks = json!({ "repositoryName": "Clicks", "tags": {"a": "b"} });
    let created = engine.deploy(&urn("r"), clicks).await?;
    assert_eq!(created.id, "Clicks");
    let id = created.outputs["repositoryId"].clone();
    assert_eq!(
        created.outputs,
        json!({
            "arn": "arn:aws:codecommit:eu-west-1:000000000000:Clicks",
            "cloneUrlHttp": format!("http://127.0.0.1:{}/v1/repos/Clicks", server.endpoints().aws),
            "cloneUrlSsh": "ssh://git-codecommit.eu-west-1.amazonaws.com/v1/repos/Clicks",
            "repositoryId": id, "repositoryName": "Clicks", "region": "eu-west-1",
            "tags": {"a": "b"}, "tagsAll": {"a": "b"},
        })
    );
    assert_eq!(id.as_str().map(str::len), Some(36), "a UUID");

    // It is listed for what it is.
    let cloud = server.cloud();
    let statuses = cloud.account.deployments.statuses(&cloud.account.package);
    drop(cloud);
    assert_eq!(
        serde_json::to_value(statuses)?,
        json!([{
            "urn": urn("r"), "type": TOKEN, "id": "Clicks", "region": "eu-west-1",
            "condition": "live",
        }])
    );

    // Names are unique within a region, and differ by case.
    let twice = engine
        .deploy(&urn("s"), json!({ "repositoryName": "Clicks" }))
        .await;
    let twice = refusal(twice)?;
    assert!(twice.contains("RepositoryNameExistsException"), "{twice}");
    engine
        .deploy(&urn("s"), json!({ "repositoryName": "clicks" }))
        .await?;
    let elsewhere = json!({ "repositoryName": "Clicks", "region": "eu-west-2" });
    engine.deploy(&urn("t"), elsewhere).await?;

    // It is renamed in place.
    let renamed = json!({ "repositoryName": "Other" });
    let diff = engine
        .diff(
            &urn("r"),
            created.inputs.clone(),
            renamed.clone(),
            json!({}),
        )
        .await?;
    assert!(diff.replaces.is_empty());
    let renamed = engine.update(&urn("r"), &created, renamed).await?;
    assert_eq!(
        renamed.outputs["arn"],
        "arn:aws:codecommit:eu-west-1:000000000000:Other"
    );
    assert_eq!(renamed.outputs["repositoryId"], id);
    server.stop().await;

    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;
    let read = engine
        .read(&urn("r"), &renamed)
        .await?
        .context("is there")?;
    assert_eq!(read, renamed);
    engine.delete(&urn("r"), &renamed).await?;
    assert_eq!(engine.read(&urn("r"), &renamed).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_aws_refuses_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    let cases: &[(Value, &str)] = &[
        (
            json!({ "repositoryName": "a".repeat(100), "defaultBranch": "main" }),
            "",
        ),
        (json!({}), "|repositoryName: required, but missing"),
        (
            json!({ "repositoryName": "a".repeat(101) }),
            "repositoryName|must be 1 to 100 letters, digits, periods, underscores and dashes",
        ),
        (
            json!({ "repositoryName": "a b" }),
            "repositoryName|must be 1 to 100 letters, digits, periods, underscores and dashes",
        ),
        (
            json!({ "repositoryName": "a.git" }),
            "repositoryName|must not end in .git",
        ),
        (
            json!({ "repositoryName": "a", "description": "é".repeat(1_000) }),
            "",
        ),
        (
            json!({ "repositoryName": "a", "description": "é".repeat(1_001) }),
            "description|must have at most 1000 characters",
        ),
        (
            json!({ "repositoryName": "a", "kmsKeyId": "alias/x" }),
            "kmsKeyId|must be the ARN of a key",
        ),
    ];
    for (inputs, expected) in cases {
        let checked = engine.check(&urn("r"), json!({}), inputs.clone()).await?;
        assert_eq!(checked.failures.join(" "), *expected, "{inputs}");
    }
    Ok(())
}
