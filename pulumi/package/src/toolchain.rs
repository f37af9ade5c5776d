//! The compiler of a workspace: the one that rustup gives it, or the one on PATH.

use crate::answers::Question;
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
        Self::parse(&Question::Compiler.ask(root).await?)
    }

    /// The compiler that the workspace's rust-toolchain.toml pins, whatever a variable or a
    /// `cargo +TOOLCHAIN` asks for.
    ///
    /// # Errors
    /// When it is another: somebody without rustup has it from elsewhere.
    pub async fn pinned(root: &Path) -> Result<Self> {
        let compiler = Self::parse(&pinned_answer(root, &["-vV"]).await?)?;
        if let Some(version) = pinned_version(root)?
            && compiler.name.split(' ').nth(1) != Some(&version)
        {
            bail!(
                "packages are built by Rust {version}, as rust-toolchain.toml in {} says, and here \
                 is {}: install Rust from https://rustup.rs, which finds the right one",
                root.display(),
                compiler.name
            );
        }
        Ok(compiler)
    }

    fn parse(version: &str) -> Result<Self> {
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

/// Where the pinned compiler is installed. It takes several times as long as its version.
pub async fn pinned_sysroot(root: &Path) -> Result<PathBuf> {
    let sysroot = pinned_answer(root, &["--print", "sysroot"]).await?;
    Ok(sysroot.into())
}

const TOOLCHAIN_FILE: &str = "rust-toolchain.toml";

/// The version that a workspace pins, when it pins one.
fn pinned_version(root: &Path) -> Result<Option<String>> {
    let path = root.join(TOOLCHAIN_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let table: toml::Table = text
        .parse()
        .with_context(|| format!("{} is not valid TOML", path.display()))?;
    let channel = table
        .get("toolchain")
        .and_then(|table| table.get("channel"));
    let channel = channel.and_then(toml::Value::as_str).unwrap_or_default();
    // `stable` and similar channels change from day to day.
    let is_version = channel.starts_with(|letter: char| letter.is_ascii_digit());
    Ok(is_version.then(|| channel.to_owned()))
}

async fn pinned_answer(root: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("rustc");
    if root.join(TOOLCHAIN_FILE).is_file() {
        // It would win over the file.
        command.env_remove("RUSTUP_TOOLCHAIN");
    }
    ask(command, root, arguments).await
}

/// The first program of this name on PATH.
pub fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// What a tool of the workspace's toolchain prints.
pub async fn answer(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    ask(Command::new(program), root, arguments).await
}

async fn ask(mut command: Command, root: &Path, arguments: &[&str]) -> Result<String> {
    let program = command.as_std().get_program().display().to_string();
    let output = command
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
