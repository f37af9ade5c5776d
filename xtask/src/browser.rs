//! The browser of the end-to-end tests: Chromium with its driver, from Debian's packages.

use crate::checkout::Checkout;
use crate::pulumi;
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use tokio::process::Command;

const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Finds the browser, or installs it where that can be done without asking: as root, with apt.
///
/// # Errors
/// With the command that installs it.
pub async fn ensure() -> Result<()> {
    if is_there() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() || !has("apt-get") {
        bail!(
            "the browser tests need Chromium and its driver: run `sudo apt-get install {}`, \
             or your system's counterpart",
            PACKAGES.join(" ")
        );
    }
    println!("installing {}", PACKAGES.join(" and "));
    for arguments in [&["update", "-qq"][..], &["install", "-qq", "--yes"]] {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        if arguments.contains(&"install") {
            command.args(PACKAGES);
        }
        tools::run(&mut command, "apt-get").await?;
    }
    if !is_there() {
        bail!("apt-get installed no `chromedriver` on PATH");
    }
    Ok(())
}

/// Runs one of the end-to-end tests by its whole name, with more arguments of the test program and
/// with variables.
///
/// # Errors
/// When the browser or the Pulumi CLI is missing, or when the test fails, which has told why.
pub async fn run_test(
    checkout: &Checkout,
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &Path)],
) -> Result<()> {
    ensure().await?;
    let cli = pulumi::find(checkout).await?;
    let mut run = tools::cargo(&checkout.root);
    run.args(["test", "--workspace", "--test", "end_to_end", "--"])
        .args(["--exact", name])
        .args(arguments)
        .env("PATH", pulumi::with_folder_of(&cli)?)
        .envs(variables.iter().copied());
    let status = run.status().await.context("cargo cannot be started")?;
    ensure!(status.success(), "`{name}` failed");
    Ok(())
}

fn is_there() -> bool {
    has("chromedriver") && has("chromium")
}

fn has(program: &str) -> bool {
    tools::on_path(program, Path::new("")).is_some()
}
