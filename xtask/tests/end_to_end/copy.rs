//! A copy of this checkout's files, with its own target folder.

use crate::place::run;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What git tracks here, committed to a repository of its own.
pub struct Copy {
    pub root: PathBuf,
    _folder: tempfile::TempDir,
}

impl Copy {
    pub fn new() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("no checkout")?;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let root = folder.path().join("a second checkout");
        copy_tracked(here, &root)?;
        share_dependencies(here, &root)?;
        for arguments in [
            &["init", "--quiet"][..],
            &["add", "--all"],
            &[
                "-c",
                "user.name=t",
                "-c",
                "user.email=t",
                "commit",
                "--quiet",
                "--message=copy",
            ],
        ] {
            run(Command::new("git").args(arguments).current_dir(&root))?;
        }
        Ok(Self {
            root,
            _folder: folder,
        })
    }
}

fn copy_tracked(from: &Path, to: &Path) -> Result<()> {
    let list = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let files = run(Command::new("git").args(list).current_dir(from))?;
    for file in files.split_terminator('\0') {
        let target = to.join(file);
        fs::create_dir_all(target.parent().context("no folder")?)?;
        // A file that was deleted and not yet committed is in the list too.
        if from.join(file).is_file() {
            fs::copy(from.join(file), target).with_context(|| file.to_owned())?;
        }
    }
    Ok(())
}

/// Hard links to what Cargo made of other people's crates: the same files are right for every
/// checkout. What it made of this workspace's own crates names its path, and is left out.
fn share_dependencies(from: &Path, to: &Path) -> Result<()> {
    let own = own_names(from)?;
    let debug = Path::new(env!("CARGO_BIN_EXE_xtask"))
        .parent()
        .context("no target folder")?;
    for folder in [".fingerprint", "build", "deps"] {
        let target = to.join("target/debug").join(folder);
        fs::create_dir_all(&target)?;
        for entry in fs::read_dir(debug.join(folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !own.contains(&crate_name(&name)) {
                link(&entry.path(), &target.join(&name))?;
            }
        }
    }
    Ok(())
}

/// `libserde_json-0123456789abcdef.rlib` and `serde_json-0123456789abcdef` are of serde_json.
fn crate_name(file: &str) -> String {
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    name.strip_prefix("lib").unwrap_or(name).replace('-', "_")
}

fn link(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            link(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    match fs::hard_link(from, to) {
        // Another test builds here meanwhile, and replaces files.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        linked => Ok(linked?),
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

fn own_names(root: &Path) -> Result<HashSet<String>> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata = run(Command::new("cargo").args(arguments).current_dir(root))?;
    let metadata: Metadata = serde_json::from_str(&metadata)?;
    let names = metadata.packages.into_iter().flat_map(|package| {
        let targets = package.targets.into_iter().map(|target| target.name);
        targets.chain([package.name])
    });
    Ok(names.map(|name| crate_name(&format!("{name}-"))).collect())
}
