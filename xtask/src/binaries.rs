//! The programs of this workspace: built in one go, and put where they can be found and run
//! while a later build replaces them.

use crate::automatic_logs;
use crate::checkout::Checkout;
use crate::commands::package;
use crate::files;
use crate::plugins;
use crate::tools;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};

const LANGUAGE_HOST: &str = "pulumi-language-rust";
const CLOUD: &str = "mysfits-local";
const PROGRAM: &str = "infra";
const FUNCTION: &str = "bootstrap";

/// A program in its place, and whether it differs from what was there.
#[derive(Debug)]
pub struct Installed {
    pub path: PathBuf,
    pub changed: bool,
}

/// Builds all and installs them into the home, with `pulumi` beside them; gives the cloud.
pub async fn install(checkout: &Checkout, pulumi: &Path, port: u16) -> Result<Installed> {
    let mut names = vec![PROGRAM, CLOUD, LANGUAGE_HOST];
    if package::is_quick(&checkout.root)? {
        // With the rest, so that it is compiled beside it and not after it.
        names.push(FUNCTION);
    }
    let built = build(&checkout.root, "dev", &names).await?;
    let bin = checkout.bin();
    fs::create_dir_all(&bin).with_context(|| format!("{} cannot be created", bin.display()))?;
    let cloud = bin.join(CLOUD);
    let changed = files::place(built_path(&built, CLOUD)?, &cloud)?;
    let language_host = bin.join(LANGUAGE_HOST);
    files::place(built_path(&built, LANGUAGE_HOST)?, &language_host)?;
    files::link(pulumi, &bin.join("pulumi"))?;
    plugins::install(checkout, &language_host, port)?;
    automatic_logs::turn_off(checkout)?;
    Ok(Installed {
        path: cloud,
        changed,
    })
}

/// Builds the Pulumi program alone.
pub async fn program(root: &Path) -> Result<PathBuf> {
    let built = build(root, "dev", &[PROGRAM]).await?;
    Ok(built_path(&built, PROGRAM)?.clone())
}

/// Builds the language host alone.
pub async fn language_host(root: &Path) -> Result<PathBuf> {
    let built = build(root, "dev", &[LANGUAGE_HOST]).await?;
    Ok(built_path(&built, LANGUAGE_HOST)?.clone())
}

/// Builds the cloud alone, optimised.
pub async fn released_cloud(root: &Path) -> Result<PathBuf> {
    let built = build(root, "release", &[CLOUD]).await?;
    Ok(built_path(&built, CLOUD)?.clone())
}

/// One Cargo for all: selected as binaries of the whole workspace, they share one resolution of
/// features, and so every dependency's artefact.
async fn build(root: &Path, profile: &str, names: &[&str]) -> Result<HashMap<String, PathBuf>> {
    let mut command = tools::cargo(root);
    command
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(["--profile", profile])
        .args(names.iter().flat_map(|name| ["--bin", name]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut cargo = command.spawn().context("cargo cannot be started")?;
    let mut executables = HashMap::new();
    if let Some(stdout) = cargo.stdout.take() {
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Ok(Artifact { target, executable }) = serde_json::from_str(&line) {
                executables.insert(target.name, executable);
            }
        }
    }
    if !cargo.wait().await?.success() {
        bail!("{} does not build", names.join(", "));
    }
    Ok(executables)
}

/// The line of a binary in Cargo's messages; others have no executable.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: PathBuf,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn built_path<'a>(built: &'a HashMap<String, PathBuf>, name: &str) -> Result<&'a PathBuf> {
    built
        .get(name)
        .with_context(|| format!("cargo did not say where it put {name}"))
}
