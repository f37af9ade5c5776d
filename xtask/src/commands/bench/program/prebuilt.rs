//! The project with its program built already: a folder of links to the checkout, apart from what
//! makes the language host build.

use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use tempfile::TempDir;

const OWN: [&str; 2] = ["Cargo.toml", "Pulumi.yaml"];

/// The folder; `program` is the binary.
pub fn folder(root: &Path, program: &Path) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        if !OWN.iter().any(|own| entry.file_name() == *own) {
            symlink(entry.path(), folder.path().join(entry.file_name()))?;
        }
    }
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\n")?;
    let project = fs::read_to_string(root.join("Pulumi.yaml"))?;
    let runtime = "runtime: rust\n";
    let (before, after) = project
        .split_once(runtime)
        .with_context(|| format!("Pulumi.yaml has no line `{}`", runtime.trim()))?;
    let runtime = serde_json::json!({ "name": "rust", "options": { "binary": program } });
    let project = format!("{before}runtime: {runtime}\n{after}");
    fs::write(folder.path().join("Pulumi.yaml"), project)?;
    Ok(folder)
}
