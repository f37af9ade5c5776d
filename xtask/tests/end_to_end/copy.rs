//! A copy of this checkout's files, with its own target folder.

use crate::place::run;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What stays in a copy from one test to the next: what Cargo made of this workspace's own crates,
/// which takes minutes.
const KEPT: &str = "target";

/// What git tracks here, committed to a repository of its own. There is one place for it, so that
/// one test has it at a time.
pub struct Copy {
    pub root: PathBuf,
    _lock: File,
}

impl Copy {
    pub fn new() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("no checkout")?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let lock = File::create(folder.join("a second checkout.lock"))?;
        lock.lock()?;
        let root = folder.join("a second checkout");
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
        Ok(Self { root, _lock: lock })
    }
}

/// Brings the copy to the state of `from`. A file that is the same already is left alone: Cargo
/// would compile it again.
fn copy_tracked(from: &Path, to: &Path) -> Result<()> {
    let list = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let files = run(Command::new("git").args(list).current_dir(from))?;
    let files: HashSet<PathBuf> = files
        .split_terminator('\0')
        // A file that was deleted and not yet committed is in the list too.
        .filter(|file| from.join(file).is_file())
        .map(PathBuf::from)
        .collect();
    fs::create_dir_all(to)?;
    remove_others(to, Path::new(""), &files)?;
    for file in &files {
        let (source, target) = (from.join(file), to.join(file));
        fs::create_dir_all(target.parent().context("no folder")?)?;
        if fs::read(&source)? != fs::read(&target).unwrap_or_default() || !target.is_file() {
            fs::copy(&source, &target).with_context(|| file.display().to_string())?;
        }
    }
    Ok(())
}

fn remove_others(root: &Path, folder: &Path, files: &HashSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if path == Path::new(KEPT) || files.contains(&path) {
            continue;
        }
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && files.iter().any(|file| file.starts_with(&path)) {
            remove_others(root, &path, files)?;
        } else if is_folder {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
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
        // Another test builds here meanwhile, and replaces files. What was linked before stays.
        Err(error)
            if [
                std::io::ErrorKind::NotFound,
                std::io::ErrorKind::AlreadyExists,
            ]
            .contains(&error.kind()) =>
        {
            Ok(())
        }
        linked => Ok(linked?),
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
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
