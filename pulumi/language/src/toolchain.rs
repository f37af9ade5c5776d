//! The compiler of a workspace: what rustup, or whoever puts rustc on PATH, gives it.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What `rustc -vV` says.
#[derive(Debug)]
pub struct Compiler {
    /// `rustc 1.95.0 (…)`
    pub name: String,
    pub commit: String,
    /// The target triple that it runs on, and compiles for by itself.
    pub host: String,
}

impl Compiler {
    pub async fn of(root: &Path) -> Result<Self> {
        let version = answer(root, "rustc", &["-vV"]).await?;
        let field = |name: &str| {
            version
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
                .with_context(|| format!("`rustc -vV` does not say its {name}"))
        };
        Ok(Self {
            name: version.lines().next().unwrap_or_default().to_owned(),
            commit: field("commit-hash: ")?,
            host: field("host: ")?,
        })
    }
}

/// Where the compiler is installed. It takes several times as long as its version.
pub async fn sysroot(root: &Path) -> Result<PathBuf> {
    let sysroot = answer(root, "rustc", &["--print", "sysroot"]).await?;
    Ok(sysroot.into())
}

/// The first program of this name on PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
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
