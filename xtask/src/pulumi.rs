//! The Pulumi CLI: found, or built once from the sources that tools/go.mod pins.

use crate::checkout::Checkout;
use crate::progress;
use crate::tools;
use anyhow::{Context, Result, bail};
use pulumi_package::cache;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// The module that tools/go.mod pins, and the command in it.
const MODULE: &str = "github.com/pulumi/pulumi/pkg/v3";
const COMMAND: &str = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";

/// The variable of the CLI that holds its version; its releases are linked with it set.
const VERSION: &str = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/// The CLI: the one on PATH when it is new enough, or one built into the cache.
pub async fn find(checkout: &Checkout) -> Result<PathBuf> {
    let wanted = pinned(&checkout.root)?;
    if let Some(program) = tools::on_path("pulumi", &checkout.bin())
        && version(&program).await.is_some_and(|found| found >= wanted)
    {
        return Ok(program);
    }
    let folder = cache::folder()?.join(format!("pulumi-{wanted}"));
    let program = folder.join("pulumi");
    if !program.is_file() {
        build(&checkout.root.join("tools"), &folder, wanted).await?;
    }
    Ok(program)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// `v3.259.0`; what follows a hyphen or a plus is not compared.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().strip_prefix('v')?;
        let end = text.find(['-', '+']).unwrap_or(text.len());
        let mut numbers = text[..end].splitn(3, '.').map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next()??))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.0, self.1, self.2)
    }
}

fn pinned(root: &Path) -> Result<Version> {
    let path = root.join("tools/go.mod");
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    text.lines()
        .filter_map(|line| line.trim().strip_prefix(MODULE))
        .find_map(|line| Version::parse(line.split_whitespace().next()?))
        .with_context(|| format!("{} does not require {MODULE}", path.display()))
}

async fn version(program: &Path) -> Option<Version> {
    let output = Command::new(program)
        .arg("version")
        .env("PULUMI_SKIP_UPDATE_CHECK", "true")
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    Version::parse(&String::from_utf8_lossy(&output.stdout))
}

/// Builds beside the final place, so that a build that was cut short is never taken for a CLI.
async fn build(module: &Path, folder: &Path, version: Version) -> Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be created", folder.display()))?;
    let made = tempfile::Builder::new()
        .prefix("build-")
        .tempdir_in(folder)?;
    let program = made.path().join("pulumi");
    let step = progress::step(format!(
        "building the Pulumi CLI {version} from its sources (minutes, once)"
    ));
    let mut go = Command::new("go")
        .args(["build", "-v", "-ldflags"])
        .arg(format!("-s -w -X {VERSION}=v{version}"))
        .arg("-o")
        .arg(&program)
        .arg(COMMAND)
        .current_dir(module)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| {
            format!(
                "there is no Pulumi CLI {version} or newer on PATH, and no Go to build it: run \
                 `curl -fsSL https://get.pulumi.com | sh -s -- --version {version}`, or install \
                 Go from https://go.dev/dl"
            )
        })?;
    let mut last = Vec::new();
    if let Some(stderr) = go.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        let mut packages = 0_u32;
        while let Some(line) = lines.next_line().await? {
            packages += 1;
            let detail = format!("{packages} packages, {line}");
            match packages % 250 {
                0 => step.note(&detail),
                _ => step.at(&detail),
            }
            last.push(line);
        }
    }
    if !go.wait().await?.success() {
        let from = last.len().saturating_sub(20);
        bail!(
            "the Pulumi CLI cannot be built in {}:\n{}",
            module.display(),
            last[from..].join("\n")
        );
    }
    fs::rename(&program, folder.join("pulumi"))?;
    step.done();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(Version::parse("v3.300.0\n") > Version::parse("v3.259.0"));
        assert!(Version::parse("v3.99.9") < Version::parse("v3.259.0"));
        assert_eq!(
            Version::parse("v3.259.1-alpha.2+dirty"),
            Some(Version(3, 259, 1))
        );
        assert_eq!(Version::parse(""), None);
        assert_eq!(Version::parse("v3"), None);
    }
}
