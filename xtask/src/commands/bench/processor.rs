//! The processor, as it is packaged: lambda/benches/batch drives it, and the reference in Python.

use crate::commands::package;
use crate::tools;
use anyhow::{Context, Result};
use pulumi_package::Architecture;
use std::fs::File;
use std::path::Path;
use zip::ZipArchive;

pub async fn run(root: &Path) -> Result<()> {
    println!("the processor, as it is packaged");
    // Other functions do not run here.
    let archive = package::build(root, Some(Architecture::of_this_machine()?)).await?;
    let folder = tempfile::tempdir()?;
    unpack(&archive, folder.path())
        .with_context(|| format!("{} cannot be unpacked", archive.display()))?;
    let mut bench = tools::cargo(root);
    bench
        .args(["bench", "--quiet", "--workspace", "--profile", "dev"])
        .args(["--bench", "batch", "--", "--bootstrap"])
        .arg(folder.path().join("bootstrap"))
        .arg("--zip")
        .arg(&archive);
    tools::run(&mut bench, "the benchmark of the processor").await
}

fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    Ok(ZipArchive::new(File::open(archive)?)?.extract(folder)?)
}
