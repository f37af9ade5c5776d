//! The pinned C compiler and linker: installed once into the user's cache, from wheels whose
//! hashes are in requirements.txt.

use crate::cache;
use crate::cargo::Progress;
use crate::group::Group;
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// What to do without Python or pip.
const ADVICE: &str = "a package for Lambda is linked by pinned tools from PyPI, which Python 3 \
    with pip installs once: install both (Debian and Ubuntu: `sudo apt-get install python3-pip`; \
    Fedora: `sudo dnf install python3-pip`)";

/// Zig and cargo-zigbuild, in a folder of the cache.
#[derive(Debug)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Finds the tools in the user's cache, or installs them there.
    ///
    /// # Errors
    /// When there is no Python 3 with pip or venv, or when pip cannot install them.
    pub async fn ensure(progress: &Progress, stop: &CancellationToken) -> Result<Self> {
        let cache = cache::folder()?;
        let tools = Self {
            folder: cache.join(name()),
        };
        if tools.are_there() {
            return Ok(tools);
        }
        fs::create_dir_all(&cache)
            .with_context(|| format!("{} cannot be created", cache.display()))?;
        // Two builds at once would download the same hundred megabytes.
        let lock = lock(cache.join("zig.lock")).await?;
        if !tools.are_there() {
            tools.install(&cache, progress, stop).await?;
        }
        drop(lock);
        Ok(tools)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn zig(&self) -> PathBuf {
        self.folder.join("ziglang/zig")
    }

    pub fn cargo_zigbuild(&self) -> PathBuf {
        self.folder.join("bin/cargo-zigbuild")
    }

    /// The folder gets its name when it is complete.
    fn are_there(&self) -> bool {
        self.zig().is_file() && self.cargo_zigbuild().is_file()
    }

    async fn install(
        &self,
        cache: &Path,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<()> {
        let pinned: Vec<&str> = pinned().collect();
        progress.status(&format!(
            "Installing {}, which link the package (once)",
            pinned.join(" and ")
        ));
        let scratch = tempfile::Builder::new().prefix("zig-").tempdir_in(cache)?;
        let made = scratch.path().join("tools");
        let requirements = scratch.path().join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS)?;
        let mut pip = pip(scratch.path(), stop).await?;
        pip.args(["install", "--disable-pip-version-check", "--no-input"])
            .args(["--quiet", "--no-deps", "--only-binary=:all:"])
            .arg("--require-hashes")
            .arg("--target")
            .arg(&made)
            .arg("--requirement")
            .arg(&requirements)
            // They contradict --target, and belong to other installations.
            .env("PIP_USER", "0")
            .env("PIP_REQUIRE_VIRTUALENV", "0")
            .env_remove("PIP_PREFIX")
            .env_remove("PIP_ROOT");
        run(&mut pip, stop)
            .await
            .with_context(|| format!("{} cannot be installed with pip", pinned.join(" and ")))?;
        let complete = Self { folder: made };
        if !complete.are_there() {
            bail!(
                "pip installed {} without their programs",
                pinned.join(" and ")
            );
        }
        // What an interrupted or damaged installation left.
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::rename(&complete.folder, &self.folder)
            .with_context(|| format!("{} cannot be written", self.folder.display()))
    }
}

/// `ziglang 0.17.1`, and so on.
fn pinned() -> impl Iterator<Item = &'static str> {
    let lines = REQUIREMENTS.lines().filter(|line| line.contains("=="));
    lines.filter_map(|line| line.split_whitespace().next())
}

/// With the versions in it, so that tools of other versions stay for other checkouts.
fn name() -> String {
    pinned().collect::<Vec<_>>().join("-").replace("==", "-")
}

async fn lock(path: PathBuf) -> Result<File> {
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(&path)?;
        file.lock()?;
        std::io::Result::Ok(file)
    });
    locked
        .await?
        .context("the lock of the tools cannot be taken")
}

/// `python3 -m pip`, or where a distribution leaves pip out, that of a virtual environment.
async fn pip(scratch: &Path, stop: &CancellationToken) -> Result<Command> {
    let mut version = Command::new("python3");
    version.args(["-m", "pip", "--version"]);
    if run(&mut version, stop).await.is_ok() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip"]);
        return Ok(pip);
    }
    let folder = scratch.join("venv");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&folder);
    run(&mut venv, stop).await.context(ADVICE)?;
    let mut pip = Command::new(folder.join("bin/python3"));
    pip.args(["-m", "pip"]);
    Ok(pip)
}

/// Runs a program to its end; an error has what it said.
async fn run(command: &mut Command, stop: &CancellationToken) -> Result<()> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut group = Group::spawn(command)?;
    let mut stderr = group.child.stderr.take();
    let said = async {
        let mut said = Vec::new();
        if let Some(stderr) = &mut stderr {
            stderr.read_to_end(&mut said).await.ok();
        }
        String::from_utf8_lossy(&said).trim().to_owned()
    };
    let (status, said) = tokio::join!(group.wait(stop), said);
    let status = status?;
    if !status.success() {
        bail!("it failed ({status}): {said}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_named_after_what_is_pinned() {
        assert_eq!(name(), "ziglang-0.17.1-cargo-zigbuild-0.24.1");
    }

    #[test]
    fn every_wheel_has_hashes() {
        let wheels = REQUIREMENTS.split("==").skip(1);
        for wheel in wheels {
            assert!(wheel.matches("--hash=sha256:").count() >= 3, "{wheel}");
        }
    }
}
