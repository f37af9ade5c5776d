//! `cargo xtask test`: every check and every test, and one line at the end.

use crate::browser;
use crate::checkout::Checkout;
use crate::pulumi;
use crate::tools;
use anyhow::{Context, Result, bail};
use clap::Args;
use pulumi_package::Architecture;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[derive(Args)]
pub struct Test {}

/// How many checks and tests passed and failed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
}

impl Test {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let mut count = Count::default();

        let cargo = |arguments: &[&str]| {
            let mut command = tools::cargo(&checkout.root);
            command.args(arguments);
            command
        };
        count
            .check("formatting", cargo(&["fmt", "--all", "--check"]))
            .await?;
        let mut clippy = cargo(&["clippy", "--quiet", "--workspace", "--all-targets"]);
        clippy.args(["--", "-D", "warnings"]);
        count.check("clippy", clippy).await?;
        let mut documentation = cargo(&["doc", "--quiet", "--workspace", "--no-deps"]);
        documentation.env("RUSTDOCFLAGS", "-D warnings");
        count.check("documentation", documentation).await?;

        count
            .check("workflows", actionlint(&checkout.root)?)
            .await?;

        browser::ensure().await?;
        add_targets(&checkout.root).await;
        // The end-to-end tests run the real CLI, found as `cargo xtask up` finds it.
        let cli = pulumi::find(&checkout).await?;
        let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
        tests.env("PATH", with_folder_of(&cli)?);
        count.tests(tests).await?;

        println!("{} passed, {} failed", count.passed, count.failed);
        if count.failed > 0 {
            std::process::exit(1);
        }
        Ok(())
    }
}

/// The linter of the workflows, which Go builds from the sources that tools/actionlint pins.
fn actionlint(root: &Path) -> Result<Command> {
    if tools::on_path("go", Path::new("")).is_none() {
        bail!(
            "the linter of .github/workflows is built with Go: install it from https://go.dev/dl"
        );
    }
    let mut command = Command::new("go");
    command
        .arg("-C")
        .arg(root.join("tools/actionlint"))
        .args(["tool", "actionlint"])
        .arg(root.join(".github/workflows/pull-request.yml"));
    Ok(command)
}

/// Rust's standard libraries for both of Lambda's architectures, where rustup can have them. The
/// tests say what a build without them answers.
async fn add_targets(root: &Path) {
    let architectures = [Architecture::X86_64, Architecture::Arm64];
    let mut rustup = Command::new("rustup");
    rustup
        .args(["target", "add"])
        .args(architectures.map(Architecture::target))
        .current_dir(root);
    if !rustup.status().await.is_ok_and(|status| status.success()) {
        println!("rustup cannot add Lambda's targets: packages are built for those that are here");
    }
}

impl Count {
    /// A check that is one for itself.
    async fn check(&mut self, name: &str, mut command: Command) -> Result<()> {
        println!("{name}");
        if command.status().await?.success() {
            self.passed += 1;
        } else {
            println!("{name} failed");
            self.failed += 1;
        }
        Ok(())
    }

    /// Test programs: their output is passed on, and their results are counted.
    async fn tests(&mut self, mut command: Command) -> Result<()> {
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut summaries = 0;
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                println!("{line}");
                if let Some(result) = parse(&line) {
                    summaries += 1;
                    self.passed += result.passed;
                    self.failed += result.failed;
                }
            }
        }
        let success = child.wait().await?.success();
        if summaries == 0 {
            bail!("the tests do not build");
        }
        // A test program that crashed has no summary.
        if !success && self.failed == 0 {
            self.failed += 1;
        }
        Ok(())
    }
}

/// `test result: ok. 3 passed; 0 failed; …`
fn parse(line: &str) -> Option<Count> {
    let counts = line.strip_prefix("test result: ")?;
    let number = |what: &str| {
        counts
            .split([' ', '.', ';'])
            .collect::<Vec<_>>()
            .windows(2)
            .find(|pair| pair[1] == what)
            .and_then(|pair| pair[0].parse().ok())
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

/// PATH, with a program's folder first.
pub fn with_folder_of(program: &Path) -> Result<std::ffi::OsString> {
    let folder = program.parent().context("the CLI has no folder")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_counted() {
        assert_eq!(
            parse(
                "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s"
            ),
            Some(Count {
                passed: 12,
                failed: 3
            })
        );
        assert_eq!(parse("test a_test ... ok"), None);
    }
}
