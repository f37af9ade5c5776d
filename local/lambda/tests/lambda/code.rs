//! What is kept of a function's code: over restarts, when it is damaged, and when there is new code.

use crate::support::{World, package_of};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::BTreeSet;

/// What the data folder has of code: a package is there as it came and unpacked.
fn code(world: &World) -> Result<BTreeSet<std::ffi::OsString>> {
    let entries = std::fs::read_dir(world.path("lambda/code"))?;
    Ok(entries
        .map(|entry| Ok(entry?.file_name()))
        .collect::<std::io::Result<_>>()?)
}

#[tokio::test]
async fn functions_with_different_packages_survive_a_restart() -> Result<()> {
    let world = World::start().await?;
    world.function("first", json!({})).await?;
    let script = b"#!/bin/sh\nexit 3\n";
    let other = package_of(&world.path("other.zip"), script, 0o755)?;
    let code_of = json!({ "code": { "path": other } });
    let second = world.function("second", code_of.clone()).await?;
    let third = world.function("third", code_of).await?;
    let before = code(&world)?;
    // Of each package its archive, a second copy of that, and what was unpacked of it.
    ensure!(before.len() == 6, "{before:?}");

    let world = world.restart().await?;
    ensure!(code(&world)? == before, "nothing was swept away");
    world.call("first", json!({})).await?;
    for name in ["second", "third"] {
        let (kind, message) = world.fail(name, json!({})).await?;
        ensure!(
            kind == "Runtime.ExitError" && message.ends_with("exit status 3"),
            "{name}: {message}"
        );
    }
    world.delete(&second).await?;
    ensure!(code(&world)?.len() == 6, "the third still has it");
    world.delete(&third).await?;
    ensure!(code(&world)?.len() == 3, "nobody has it any more");
    Ok(())
}

#[tokio::test]
async fn the_code_of_a_function_that_cannot_be_made_live_is_kept() -> Result<()> {
    let world = World::start().await?;
    world.function("first", json!({})).await?;
    let script = b"#!/bin/sh\nexit 3\n";
    let other = package_of(&world.path("other.zip"), script, 0o755)?;
    let second = world.function("second", json!({ "code": { "path": other } }));
    let second = second.await?;
    let digest = STANDARD.decode(second.resource.output("codeSha256"))?;
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();

    let folder = world.stop().await?;
    // What is there of it cannot be read at the next start.
    let place = folder.path().join("lambda/code");
    std::fs::remove_dir_all(place.join(&name))?;
    let zip = place.join(format!("{name}.zip"));
    let copy = place.join(format!("{name}.copy"));
    let whole = std::fs::read(&zip)?;
    std::fs::write(&zip, "broken")?;
    std::fs::write(&copy, "broken")?;
    let world = World::in_folder(folder).await?;
    world.call("first", json!({})).await?;
    ensure!(world.invoke("second", json!({})).await.is_err());
    let folder = world.stop().await?;
    // It is not thrown away: what is damaged is kept aside.
    let kept = std::fs::read_dir(folder.path().join("damaged"))?;
    let mut kept = kept.filter_map(|file| std::fs::read(file.ok()?.path()).ok());
    ensure!(kept.any(|bytes| bytes == b"broken"), "the package is gone");
    std::fs::write(&zip, whole)?;
    let world = World::in_folder(folder).await?;
    let (kind, _) = world.fail("second", json!({})).await?;
    ensure!(kind == "Runtime.ExitError", "{kind}");
    Ok(())
}

#[tokio::test]
async fn damaged_code_is_made_again_before_it_runs() -> Result<()> {
    let world = World::start().await?;
    let script = b"#!/bin/sh\nexit 3\n";
    let other = package_of(&world.path("other.zip"), script, 0o755)?;
    world
        .function("f", json!({ "code": { "path": other } }))
        .await?;
    let folder = world.stop().await?;
    let place = folder.path().join("lambda/code");
    let names = std::fs::read_dir(&place)?.filter_map(|entry| Some(entry.ok()?.path()));
    let unpacked = names.filter(|path| path.is_dir()).last();
    let bootstrap = unpacked.context("it is unpacked")?.join("bootstrap");
    std::fs::write(&bootstrap, b"#!/bin/sh\nexit 4\n")?;

    // The cloud answers before it has looked at all packages.
    let world = World::in_folder(folder).await?;
    let (kind, message) = world.fail("f", json!({})).await?;
    ensure!(kind == "Runtime.ExitError", "{kind}");
    ensure!(message.ends_with("exit status 3"), "{message}");
    let damaged = world.troubles().damaged();
    ensure!(damaged.len() == 1, "{damaged:?}");
    ensure!(damaged[0].what.contains("unpacked"), "{damaged:?}");
    Ok(())
}

#[tokio::test]
async fn new_code_replaces_the_old_on_disk_too() -> Result<()> {
    let world = World::start().await?;
    let function = world.function("f", json!({})).await?;
    world.call("f", json!({})).await?;
    let before = code(&world)?;
    let other = world.path("other.zip");
    let script = b"#!/bin/sh\nexit 3\n";
    package_of(&other, script, 0o755)?;
    let updated = world
        .update(&function, json!({ "code": { "path": other } }))
        .await?;
    ensure!(updated.resource.output("codeSha256") != function.resource.output("codeSha256"));
    let (kind, message) = world.fail("f", json!({})).await?;
    ensure!(
        kind == "Runtime.ExitError" && message.ends_with("exit status 3"),
        "{message}"
    );
    let after = code(&world)?;
    ensure!(
        before.len() == 3 && after.len() == 3,
        "{before:?} {after:?}"
    );
    ensure!(before.is_disjoint(&after), "the old code is gone");

    world.delete(&updated).await?;
    let gone = world.invoke("f", json!({})).await.err().context("gone")?;
    ensure!(gone.status == 404 && gone.code == "ResourceNotFoundException");
    Ok(())
}
