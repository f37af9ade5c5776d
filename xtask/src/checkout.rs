//! This checkout, and where it keeps the state of its embedded cloud.

use anyhow::{Context, Result, bail};
use std::fs::File;
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

    /// Held by whoever changes what is in the home, or starts or stops the embedded cloud, until it
    /// is dropped.
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
