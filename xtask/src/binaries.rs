//! The programs of this workspace: built in one go, and put where they can be found and run
//! while a later build replaces them.

use crate::automatic_logs;
use crate::checkout::Checkout;
use crate::commands::package;
use crate::files;
use crate::plugins;
use crate::wrappers;
use anyhow::{Context, Result, anyhow};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

const LANGUAGE_HOST: &str = "pulumi-language-rust";
const CLOUD: &str = "mysfits-local";
const PROGRAM: &str = "infra";
const ACCOUNT: &str = "account";
const FUNCTION: &str = "bootstrap";

/// Each program with its path.
type Programs = HashMap<String, PathBuf>;

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
    wrappers::install(checkout, pulumi)?;
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

/// Builds the program of the account alone.
pub async fn account(root: &Path) -> Result<PathBuf> {
    let built = build(root, "dev", &[ACCOUNT]).await?;
    Ok(built_path(&built, ACCOUNT)?.clone())
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

/// The paths of programs: those that `cargo xtask` compiled a moment ago, before it started this
/// process, or those of a Cargo now.
async fn build(root: &Path, profile: &'static str, names: &[&'static str]) -> Result<Programs> {
    if profile == "dev"
        && let Some(built) = names.iter().map(|name| built_before(name)).collect()
    {
        return Ok(built);
    }
    let root = root.to_owned();
    let wanted = names.to_vec();
    let built =
        tokio::task::spawn_blocking(move || door::compile::programs(&root, profile, &wanted));
    built
        .await?
        .context("cargo cannot be started")?
        .map_err(|status| anyhow!("{} cannot be built ({status})", names.join(", ")))
}

/// What `main` of `door` says in the environment.
fn built_before(name: &str) -> Option<(String, PathBuf)> {
    let path = PathBuf::from(std::env::var_os(door::built_variable(name))?);
    path.is_file().then(|| (name.to_owned(), path))
}

fn built_path<'a>(built: &'a Programs, name: &str) -> Result<&'a PathBuf> {
    built
        .get(name)
        .with_context(|| format!("cargo did not say where it put {name}"))
}
