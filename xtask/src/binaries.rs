//! The programs of this workspace: built in one go, and put where they can be found and run
//! while a later build replaces them.

use crate::checkout::Checkout;
use crate::tools;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};

const LANGUAGE_HOST: &str = "pulumi-language-rust";
const CLOUD: &str = "mysfits-local";
const PROGRAM: &str = "infra";

/// A program in its place, and whether it differs from what was there.
#[derive(Debug)]
pub struct Installed {
    pub path: PathBuf,
    pub changed: bool,
}

/// Builds all and installs them into the home, with `pulumi` beside them; gives the cloud.
pub async fn install(checkout: &Checkout, pulumi: &Path) -> Result<Installed> {
    let built = build(&checkout.root, &[PROGRAM, CLOUD, LANGUAGE_HOST]).await?;
    let bin = checkout.bin();
    fs::create_dir_all(&bin).with_context(|| format!("{} cannot be created", bin.display()))?;
    let cloud = place(built_path(&built, CLOUD)?, &bin.join(CLOUD))?;
    let language_host = place(built_path(&built, LANGUAGE_HOST)?, &bin.join(LANGUAGE_HOST))?.path;
    link(pulumi, &bin.join("pulumi"))?;
    install_plugin(checkout, &language_host)?;
    Ok(cloud)
}

/// Builds the language host alone.
pub async fn language_host(root: &Path) -> Result<PathBuf> {
    let built = build(root, &[LANGUAGE_HOST]).await?;
    Ok(built_path(&built, LANGUAGE_HOST)?.clone())
}

/// One Cargo for all: selected as binaries of the whole workspace, they share one resolution of
/// features, and so every dependency's artefact.
async fn build(root: &Path, names: &[&str]) -> Result<HashMap<String, PathBuf>> {
    let mut command = tools::cargo(root);
    command
        .args(["build", "--message-format=json-render-diagnostics"])
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

/// Puts a program in its place when it differs. Cargo writes a new file for each new build, so a
/// hard link keeps what it links to.
fn place(from: &Path, to: &Path) -> Result<Installed> {
    let changed = state(to).is_none() || state(from) != state(to);
    if changed {
        let place = || -> std::io::Result<()> {
            let next = to.with_extension("next");
            fs::remove_file(&next).or_else(ignore_missing)?;
            if fs::hard_link(from, &next).is_err() {
                fs::copy(from, &next)?;
                let modified = fs::metadata(from)?.modified()?;
                fs::File::options()
                    .append(true)
                    .open(&next)?
                    .set_modified(modified)?;
            }
            fs::rename(&next, to)
        };
        place().with_context(|| format!("{} cannot be written", to.display()))?;
    }
    Ok(Installed {
        path: to.to_owned(),
        changed,
    })
}

fn state(path: &Path) -> Option<(u64, std::time::SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn link(to: &Path, path: &Path) -> Result<()> {
    if fs::read_link(path).is_ok_and(|target| target == to) {
        return Ok(());
    }
    fs::remove_file(path)
        .or_else(ignore_missing)
        .and_then(|()| symlink(to, path))
        .with_context(|| format!("{} cannot be linked", path.display()))
}

/// As an installed plugin the language host is found without the warning that the engine gives
/// for one that it finds on PATH.
fn install_plugin(checkout: &Checkout, language_host: &Path) -> Result<()> {
    let folder = checkout
        .pulumi_home()
        .join("plugins")
        .join(format!("language-rust-v{}", env!("CARGO_PKG_VERSION")));
    fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be created", folder.display()))?;
    link(language_host, &folder.join(LANGUAGE_HOST))
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}
