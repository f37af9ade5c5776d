//! Checks that are no tests. The output of one is shown only when it fails.

use super::board::Count;
use crate::tools;
use anyhow::{Context, Result, bail};
use pulumi_package::Architecture;
use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

pub async fn formatting(root: &Path) -> Result<Count> {
    check(cargo(root, &["fmt", "--all", "--check"])).await
}

pub async fn clippy(root: &Path) -> Result<Count> {
    let mut clippy = cargo(root, &["clippy", "--quiet", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    check(clippy).await
}

pub async fn documentation(root: &Path) -> Result<Count> {
    let mut documentation = cargo(root, &["doc", "--quiet", "--workspace", "--no-deps"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    check(documentation).await
}

/// The examples in the documentation, which rustdoc compiles and runs.
pub async fn examples(root: &Path) -> Result<Count> {
    check(cargo(root, &["test", "--quiet", "--workspace", "--doc"])).await
}

/// The linter of the workflows, which Go builds from the sources that tools/actionlint pins.
pub async fn workflows(root: &Path) -> Result<Count> {
    if tools::on_path("go", Path::new("")).is_none() {
        bail!(
            "the linter of .github/workflows is built with Go: install it from https://go.dev/dl"
        );
    }
    let folder = root.join(".github/workflows");
    let workflows = fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("{} cannot be read", folder.display()))?;
    let workflows: Vec<PathBuf> = workflows;
    let mut command = Command::new("go");
    command
        .arg("-C")
        .arg(root.join("tools/actionlint"))
        .args(["tool", "actionlint"])
        .args(workflows);
    check(command).await
}

/// Rust's standard libraries for both of Lambda's architectures, where rustup can have them. The
/// tests say what a build without them answers.
pub async fn add_targets(root: &Path) {
    let architectures = [Architecture::X86_64, Architecture::Arm64];
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add"])
        .args(architectures.map(Architecture::target))
        .current_dir(root);
    let output = rustup.output().await;
    if !output.is_ok_and(|output| output.status.success()) {
        println!("rustup cannot add Lambda's targets: packages are built for those that are here");
    }
}

/// Cargo, with colours where a person sees them.
fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = tools::cargo(root);
    command.args(arguments);
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

async fn check(mut command: Command) -> Result<Count> {
    let program = command.as_std().get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{} cannot be started", program.display()))?;
    if output.status.success() {
        return Ok(Count::PASSED);
    }
    print!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(Count::FAILED)
}
