//! The compiler of a workspace, as it describes itself.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What rustup, or whoever puts rustc on PATH, gives a workspace.
#[derive(Debug)]
pub struct Toolchain {
    /// Where it is installed.
    pub sysroot: PathBuf,
    pub version: Version,
}

/// What `rustc -vV` says.
#[derive(Debug)]
pub struct Version {
    /// `rustc 1.95.0 (…)`
    pub name: String,
    pub commit: String,
    /// The target triple that it runs on, and compiles for by itself.
    pub host: String,
}

impl Toolchain {
    pub async fn of(root: &Path) -> Result<Self> {
        let (sysroot, version) = tokio::try_join!(
            answer(root, "rustc", &["--print", "sysroot"]),
            answer(root, "rustc", &["-vV"]),
        )?;
        let field = |name: &str| {
            version
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
                .with_context(|| format!("`rustc -vV` does not say its {name}"))
        };
        Ok(Self {
            sysroot: sysroot.into(),
            version: Version {
                name: version.lines().next().unwrap_or_default().to_owned(),
                commit: field("commit-hash: ")?,
                host: field("host: ")?,
            },
        })
    }
}

/// What a tool of the workspace's toolchain prints.
pub async fn answer(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .await
        .with_context(|| {
            format!("{program} cannot be started: install Rust from https://rustup.rs")
        })?;
    if !output.status.success() {
        bail!(
            "{program} {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("{program} did not answer in UTF-8"))?;
    Ok(text.trim().to_owned())
}
