//! What a function may write, and what it sees of others.

use crate::support::World;
use anyhow::{Context, Result, ensure};
use cloud_lambda::Isolation;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// "Permission denied" and "Read-only file system", as the system numbers them.
const DENIED: i64 = 13;
const READ_ONLY: i64 = 30;

async fn write(world: &World, function: &str, path: &str) -> Result<Option<i64>> {
    let request = json!({ "do": "write", "path": path });
    Ok(world.call(function, request).await?["errno"].as_i64())
}

async fn look(world: &World, function: &str, path: &str) -> Result<(BTreeSet<String>, Value)> {
    let seen = world
        .call(function, json!({ "do": "look", "path": path }))
        .await?;
    let names = serde_json::from_value(seen["names"].clone())?;
    Ok((names, seen))
}

/// What `/_mysfits/health` says of functions.
async fn health(world: &World) -> Result<Value> {
    // Another test may have given it one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let port = world.server.endpoints().aws;
    let url = format!("http://127.0.0.1:{port}/_mysfits/health");
    let health: Value = client.get(url).send().await?.json().await?;
    Ok(health["functions"].clone())
}

#[tokio::test]
async fn code_is_read_only_and_tmp_an_environments_own() -> Result<()> {
    let world = World::start().await?;
    let function = world.function("f", json!({})).await?;
    world
        .function("g", json!({ "ephemeralStorage": { "size": 600 } }))
        .await?;
    let cloud = world.cloud();
    let isolation = cloud.lambda.isolation();
    if let Isolation::Copies { reason } = isolation {
        // This machine allows no more, and says so; the other test is about that.
        ensure!(health(&world).await? == json!({ "isolation": "copies", "reason": reason }));
        return Ok(());
    }
    ensure!(health(&world).await? == json!({ "isolation": "namespaces" }));

    let (names, seen) = look(&world, "f", "/var/task").await?;
    ensure!(
        names == BTreeSet::from(["bootstrap".to_owned()]),
        "{names:?}"
    );
    ensure!(
        seen["here"] == "/var/task" && seen["tmp"] == "/tmp",
        "{seen}"
    );
    for path in [
        "/var/task/new",
        "/var/task/bootstrap",
        "new",
        "/new",
        "/usr/new",
        "/etc/new",
    ] {
        let refused = write(&world, "f", path).await?;
        ensure!(refused == Some(READ_ONLY), "{path}: {refused:?}");
    }

    let (names, seen) = look(&world, "f", "/tmp").await?;
    ensure!(names.is_empty() && seen["bytes"] == 512 << 20, "{seen}");
    let mine = format!("mine-{}", std::process::id());
    ensure!(write(&world, "f", &format!("/tmp/{mine}")).await?.is_none());
    ensure!(look(&world, "f", "/tmp").await?.0 == BTreeSet::from([mine.clone()]));
    let (names, seen) = look(&world, "g", "/tmp").await?;
    ensure!(names.is_empty() && seen["bytes"] == 600 << 20, "{seen}");
    ensure!(
        !std::path::Path::new("/tmp").join(&mine).exists(),
        "the machine's is another"
    );

    // The next environment begins without it.
    world.update(&function, json!({ "timeout": 9 })).await?;
    ensure!(look(&world, "f", "/tmp").await?.0.is_empty());
    Ok(())
}

#[tokio::test]
async fn without_namespaces_an_environment_has_a_copy_and_a_folder_of_its_own() -> Result<()> {
    let world = World::start_without_namespaces().await?;
    let function = world.function("f", json!({})).await?;
    world.function("g", json!({})).await?;
    let said = health(&world).await?;
    ensure!(
        said["isolation"] == "copies" && said["reason"].is_string(),
        "{said}"
    );

    let environments = world.path("data/lambda/environments");
    let place = async |function: &str| {
        let (_, seen) = look(&world, function, ".").await?;
        let text = |name: &str| seen[name].as_str().unwrap_or_default().to_owned();
        anyhow::Ok((text("here"), text("tmp")))
    };
    let (here, tmp) = place("f").await?;
    let (other, other_tmp) = place("g").await?;
    for path in [&here, &tmp, &other, &other_tmp] {
        let real = environments.canonicalize()?;
        ensure!(std::path::Path::new(path).starts_with(real), "{path}");
    }
    ensure!(here != other && tmp != other_tmp);
    let refused = write(&world, "f", "new").await?;
    // Root may write everywhere, but then into a copy.
    ensure!(refused.is_none_or(|reason| reason == DENIED), "{refused:?}");
    ensure!(!look(&world, "g", ".").await?.0.contains("new"));
    ensure!(write(&world, "f", &format!("{tmp}/mine")).await?.is_none());
    ensure!(look(&world, "g", &other_tmp).await?.0.is_empty());

    world.update(&function, json!({ "timeout": 9 })).await?;
    ensure!(place("f").await?.1 != tmp, "a new environment");
    ensure!(
        !std::path::Path::new(&tmp).exists(),
        "what the old one had is gone"
    );
    let failed = world.fail("f", json!({ "do": "exit", "code": 1 })).await?;
    ensure!(failed.0 == "Runtime.ExitError");
    let left = std::fs::read_dir(&environments)?.count();
    ensure!(left == 1, "{left} folders for one environment");

    // What a killed cloud left is cleared up.
    let lost = environments.join("lost");
    std::fs::create_dir_all(lost.join("task"))?;
    let world = world.restart().await?;
    ensure!(!lost.exists());
    world.call("f", json!({})).await.context("after it")?;
    Ok(())
}
