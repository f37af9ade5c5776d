//! `pulumi about`: the toolchain that builds the program.

use crate::project::{Program, Project};
use crate::proto::AboutResponse;
use crate::toolchain::{Toolchain, answer};
use anyhow::Result;

/// The compiler and Cargo that `project` is built with.
pub async fn about(project: &Project) -> Result<AboutResponse> {
    let (toolchain, cargo) = tokio::try_join!(
        Toolchain::of(&project.root),
        answer(&project.root, "cargo", &["--version"]),
    )?;
    let program = match &project.program {
        Program::Workspace(name) => name.clone(),
        Program::Prebuilt(path) => path.display().to_string(),
    };
    Ok(AboutResponse {
        executable: toolchain.sysroot.join("bin/rustc").display().to_string(),
        version: toolchain.version.name,
        metadata: [("cargo", cargo), ("program", program)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    })
}
