//! `cargo xtask setup`: the language host, for plain `pulumi up -s dev`.

use crate::binaries;
use crate::checkout::Checkout;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

const PROGRAM: &str = "pulumi-language-rust";

#[derive(Args)]
pub struct Setup {}

impl Setup {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let built = binaries::language_host(&checkout.root).await?;
        let folder = folder()?;
        let program = folder.join(PROGRAM);
        install(&built, &program)
            .with_context(|| format!("{} cannot be written", program.display()))?;
        println!("{PROGRAM} is in {}", folder.display());
        Ok(())
    }
}

/// The first folder on PATH that belongs to the user: Pulumi's, Cargo's, or the usual one.
fn folder() -> Result<PathBuf> {
    let home = std::env::home_dir().context("HOME is not set")?;
    let cargo = std::env::var_os("CARGO_HOME").map_or(home.join(".cargo"), PathBuf::from);
    let own = [
        home.join(".pulumi/bin"),
        cargo.join("bin"),
        home.join(".local/bin"),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    match own.iter().find(|folder| on_path.contains(folder)) {
        Some(folder) => Ok(folder.clone()),
        None => bail!(
            "none of {} is on PATH: add one",
            own.map(|folder| folder.display().to_string()).join(", ")
        ),
    }
}

/// A rename, because the program may be running.
fn install(built: &Path, program: &Path) -> Result<()> {
    let folder = program.parent().context("it has no folder")?;
    fs::create_dir_all(folder)?;
    let next = tempfile::NamedTempFile::new_in(folder)?;
    fs::copy(built, next.path())?;
    next.persist(program)?;
    Ok(())
}
