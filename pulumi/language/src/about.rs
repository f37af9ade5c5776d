//! `pulumi about`: the toolchain that builds the program.

use crate::project::{Program, Project};
use crate::proto::AboutResponse;
use anyhow::{Context, Result};
use std::path::Path;
use tokio::process::Command;

/// The compiler and Cargo that `project` is built with.
pub async fn about(project: &Project) -> Result<AboutResponse> {
    let (rustc, cargo, sysroot) = tokio::try_join!(
        answer(&project.root, "rustc", &["--version"]),
        answer(&project.root, "cargo", &["--version"]),
        answer(&project.root, "rustc", &["--print", "sysroot"]),
    )?;
    let program = match &project.program {
        Program::Workspace(name) => name.clone(),
        Program::Prebuilt(path) => path.display().to_string(),
    };
    Ok(AboutResponse {
        executable: format!("{sysroot}/bin/rustc"),
        version: rustc,
        metadata: [("cargo", cargo), ("program", program)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    })
}

async fn answer(root: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .await
        .with_context(|| {
            format!("{program} cannot be started: install Rust from https://rustup.rs")
        })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
