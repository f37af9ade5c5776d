//! boto3 and the AWS CLI, as PyPI has them, for the tests of several crates.

use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::path::PathBuf;
use tokio::process::Command;

/// What is installed, once for all checkouts of a user.
const PACKAGES: [&str; 2] = ["awscli==1.46.3", "boto3==1.44.5"];

/// A program of the packages, which are installed when they are not yet.
pub async fn installed(program: &str) -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("HOME is not set")?).join(".cache"),
    };
    let folder = cache
        .join("mysfits")
        .join(PACKAGES.join("-").replace("==", "-"));
    fs::create_dir_all(&folder)?;
    // One test installs, the others wait; the lock goes with the file handle.
    let lock = File::create(folder.join("lock"))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;

    let finished = folder.join("installed");
    let environment = folder.join("venv");
    if !finished.exists() {
        let mut create = Command::new("python3");
        create.args(["-m", "venv", "--clear"]).arg(&environment);
        let why = "python3 with its venv module is needed: install python3 and python3-venv";
        succeed(&mut create).await.context(why)?;
        let mut install = Command::new(environment.join("bin/python"));
        install.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        let why = format!("{} cannot be installed from PyPI", PACKAGES.join(" and "));
        succeed(install.args(PACKAGES)).await.context(why)?;
        fs::write(&finished, "")?;
    }
    drop(lock);
    Ok(environment.join("bin").join(program))
}

async fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {errors}", output.status);
    Ok(())
}
