//! This checkout, and where it keeps the state of its embedded cloud.

use crate::session::LOCAL;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A checkout of this repository.
#[derive(Debug, Clone)]
pub struct Checkout {
    pub root: PathBuf,
    /// All state of the embedded cloud: `MYSFITS_HOME`, or `.local` in the checkout.
    pub home: PathBuf,
}

impl Checkout {
    /// The checkout that `cargo xtask` was called in.
    pub fn find() -> Result<Self> {
        let root = root()?;
        let home = match std::env::var_os("MYSFITS_HOME") {
            Some(home) if !home.is_empty() => std::path::absolute(home)?,
            _ => root.join(".local"),
        };
        Ok(Self { root, home })
    }

    /// The home, made when it is missing.
    pub fn open() -> Result<Self> {
        let checkout = Self::find()?;
        std::fs::create_dir_all(&checkout.home)
            .with_context(|| format!("{} cannot be created", checkout.home.display()))?;
        Ok(checkout)
    }

    /// Held until it is dropped, by a command that changes what is in the home, or that starts or
    /// stops the embedded cloud.
    pub fn lock(&self) -> Result<File> {
        let path = self.home.join("lock");
        let lock = || {
            let file = File::create(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|error: std::io::Error| {
            anyhow::Error::new(error).context(format!("{} cannot be locked", path.display()))
        })
    }

    /// Whether a cloud of this home runs, or stack `local` has resources.
    pub fn is_in_use(&self) -> Result<bool> {
        Ok(self.cloud_process().is_some() || self.has_resources(LOCAL)?)
    }

    /// The process of this home's cloud, whether it answers or not.
    pub fn cloud_process(&self) -> Option<i32> {
        let pid = fs::read_to_string(self.home.join("cloud.pid")).ok()?;
        let pid: i32 = pid.trim().parse().ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let data = self.data();
        arguments
            .split(|byte| *byte == 0)
            .any(|argument| argument == data.as_os_str().as_bytes())
            .then_some(pid)
    }

    /// What the backend remembers of a stack: there is nothing to destroy, and no cloud to start
    /// for it, when no resource is in the state.
    pub fn has_resources(&self, stack: &str) -> Result<bool> {
        Ok(self.resources(stack)?.is_some_and(|count| count > 0))
    }

    /// How many resources a stack of the local backend has; nothing when there is no such stack.
    pub fn resources(&self, stack: &str) -> Result<Option<usize>> {
        let path = self.stack(stack);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let state: Value = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no state of a stack", path.display()))?;
        let resources = state["checkpoint"]["latest"]["resources"].as_array();
        Ok(Some(resources.map_or(0, Vec::len)))
    }

    /// The embedded cloud's data folder.
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// What a shell has first on its PATH.
    pub fn bin(&self) -> PathBuf {
        self.home.join("bin")
    }

    /// Pulumi's own home: its plugins and which stack is selected.
    pub fn pulumi_home(&self) -> PathBuf {
        self.home.join("pulumi-home")
    }

    /// The backend that holds the state of the stacks.
    pub fn backend(&self) -> PathBuf {
        self.home.join("pulumi")
    }

    /// The file of a stack's state in the backend.
    pub fn stack(&self, name: &str) -> PathBuf {
        self.backend()
            .join(".pulumi/stacks/mysfits")
            .join(format!("{name}.json"))
    }
}

/// Cargo tells a program that it runs where its package is; a program that somebody started
/// looks around itself.
fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = match package {
        Some(package) => package,
        None => std::env::current_dir().context("the current folder is gone")?,
    };
    let root = start.ancestors().find(|folder| is_root(folder));
    match root {
        Some(root) => Ok(root.to_owned()),
        None => bail!(
            "{} is not in a checkout: no folder above it has a Pulumi.yaml and a Cargo.toml",
            start.display()
        ),
    }
}

fn is_root(folder: &Path) -> bool {
    ["Pulumi.yaml", "Cargo.toml"]
        .iter()
        .all(|name| folder.join(name).is_file())
}
