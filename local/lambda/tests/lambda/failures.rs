//! Invocations that fail: what the caller hears, and that the next one starts afresh.

use crate::support::{World, package_of};
use anyhow::{Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};

/// Fails an invocation, and checks that the one after it has a new environment.
async fn fails(world: &World, input: serde_json::Value, kind: &str, message: &str) -> Result<()> {
    let (failed, said) = world.fail("f", input.clone()).await?;
    ensure!(failed == kind, "{input}: {failed}: {said}");
    ensure!(said.ends_with(message), "{input}: {said}");
    let next = world.call("f", json!({})).await?;
    ensure!(next["count"] == 1, "a cold start after {input}");
    Ok(())
}

#[tokio::test]
async fn a_process_that_ends_fails_its_invocation_alone() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    for (input, message) in [
        (
            json!({ "do": "exit", "code": 3 }),
            "Error: Runtime exited with error: exit status 3",
        ),
        (
            json!({ "do": "exit", "code": 0 }),
            "Error: Runtime exited without providing a reason",
        ),
        (
            json!({ "do": "abort" }),
            "Error: Runtime exited with error: signal: aborted",
        ),
    ] {
        fails(&world, input, "Runtime.ExitError", message).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_time_out_ends_the_environment() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({ "timeout": 1 })).await?;
    let message = "Error: Task timed out after 1.00 seconds";
    fails(&world, json!({ "do": "hang" }), "Sandbox.Timedout", message).await
}

#[tokio::test]
async fn more_memory_than_declared_ends_the_environment() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({ "timeout": 60 })).await?;
    let message = "Error: Runtime exited with error: signal: killed";
    let input = json!({ "do": "memory", "megabytes": 200 });
    fails(&world, input, "Runtime.ExitError", message).await
}

#[tokio::test]
async fn a_reply_of_six_megabytes_is_the_largest() -> Result<()> {
    let world = World::start().await?;
    world
        .function("f", json!({ "timeout": 60, "memorySize": 512 }))
        .await?;
    // Two bytes are the quotes.
    let most = json!({ "do": "large", "bytes": 6_291_554 });
    ensure!(world.call("f", most).await?.as_str().map(str::len) == Some(6_291_554));
    let more = json!({ "do": "large", "bytes": 6_291_555 });
    let (kind, message) = world.fail("f", more).await?;
    ensure!(kind == "Function.ResponseSizeTooLarge");
    ensure!(
        message
            == "Response payload size (6291557 bytes) exceeded maximum allowed payload size \
                (6291556 bytes).",
        "{message}"
    );
    ensure!(
        world.call("f", json!({})).await?["count"] == 3,
        "the environment goes on"
    );
    Ok(())
}

#[tokio::test]
async fn an_initialisation_that_fails_is_repeated_once_and_then_reported() -> Result<()> {
    let world = World::start().await?;
    let mode = |mode: &str| json!({ "environment": { "variables": { "MODE": mode } } });
    let function = world.function("f", mode("init-exit")).await?;
    let (kind, message) = world.fail("f", json!({})).await?;
    ensure!(
        kind == "Runtime.ExitError" && message.ends_with("exit status 7"),
        "{message}"
    );
    let log = world.log("/aws/lambda/f")?;
    let attempts = log.iter().filter(|line| *line == "about to exit").count();
    ensure!(attempts == 2, "{log:?}");

    world.update(&function, mode("init-error")).await?;
    let failed = world.fail("f", json!({})).await?;
    ensure!(
        failed == ("Test.Init".into(), "cannot start".into()),
        "{failed:?}"
    );
    Ok(())
}

#[tokio::test]
async fn an_initialisation_has_ten_seconds_and_then_the_time_of_the_invocation() -> Result<()> {
    let world = World::start().await?;
    let hangs = json!({ "environment": { "variables": { "MODE": "init-hang" } }, "timeout": 1 });
    world.function("f", hangs).await?;
    let started = Instant::now();
    let (kind, message) = world.fail("f", json!({})).await?;
    ensure!(kind == "Sandbox.Timedout", "{kind}: {message}");
    ensure!(
        message.ends_with("Task timed out after 1.00 seconds"),
        "{message}"
    );
    ensure!(started.elapsed() >= Duration::from_secs(10 + 1));
    Ok(())
}

#[tokio::test]
async fn a_package_without_a_program_is_accepted_and_fails_when_it_is_invoked() -> Result<()> {
    let world = World::start().await?;
    let cases: [(&[u8], u32, &str); 3] = [
        (
            b"#!/bin/sh\n",
            0o644,
            "fork/exec /var/task/bootstrap: permission denied",
        ),
        (
            b"\x7fELF of another world",
            0o755,
            "fork/exec /var/task/bootstrap: exec format error",
        ),
        (
            b"#!/no/such/shell\n",
            0o755,
            "fork/exec /var/task/bootstrap: no such file or directory",
        ),
    ];
    let function = world.function("f", json!({})).await?;
    let mut function = function;
    for (index, (bootstrap, mode, reason)) in cases.into_iter().enumerate() {
        let path = world.path(&format!("{index}.zip"));
        package_of(&path, bootstrap, mode)?;
        function = world
            .update(&function, json!({ "code": { "path": path } }))
            .await?;
        let (kind, message) = world.fail("f", json!({})).await?;
        ensure!(
            kind == "Runtime.InvalidEntrypoint" && message.ends_with(reason),
            "{message}"
        );
    }
    Ok(())
}
