//! `pulumi about`: the toolchain that builds the program. The engine asks before every command
//! too, so that the answer has to be quick.

use crate::proto::AboutResponse;
use anyhow::Result;
use pulumi_package::answers::Question;
use pulumi_package::project::{Program, Project};
use pulumi_package::toolchain::{Compiler, on_path};

/// The compiler and Cargo that `project` is built with.
pub async fn about(project: &Project) -> Result<AboutResponse> {
    let (compiler, cargo) = tokio::try_join!(
        Compiler::of(&project.root),
        Question::Cargo.ask(&project.root),
    )?;
    let program = match &project.program {
        Program::Workspace(name) => name.clone(),
        Program::Prebuilt(path) => path.display().to_string(),
    };
    let executable = on_path("rustc").unwrap_or_default();
    Ok(AboutResponse {
        executable: executable.display().to_string(),
        version: compiler.name,
        metadata: [("cargo", cargo), ("program", program)]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    })
}
