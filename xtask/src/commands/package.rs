//! `cargo xtask package`: the Lambda function's archive, as the language host makes it.

use crate::checkout::Checkout;
use anyhow::{Context, Result};
use clap::Args;
use pulumi_language_rust::cargo::Progress;
use pulumi_language_rust::package::{self, Architecture};
use pulumi_language_rust::project::Project;
use std::fs;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

#[derive(Args)]
pub struct Package {
    /// x86_64 or arm64; without it, what Pulumi.local.yaml says
    #[arg(long)]
    architecture: Option<Architecture>,
}

impl Package {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let path = build(&checkout.root, self.architecture).await?;
        println!("{}", path.display());
        Ok(())
    }
}

/// Builds the archive, with Cargo's own progress.
pub async fn build(root: &Path, architecture: Option<Architecture>) -> Result<PathBuf> {
    let project = Project::find(root, serde_json::Value::Null)?;
    let architecture = match architecture {
        Some(architecture) => architecture,
        None => configured(&project)?,
    };
    package::package(
        &project,
        architecture,
        &Progress::Terminal,
        &CancellationToken::new(),
    )
    .await
}

/// Builds the archive that stack `local` needs if there is none yet. It takes minutes then, which
/// Cargo's own progress shows better than the language host's; after that the language host does
/// it alone.
pub async fn build_first(root: &Path) -> Result<()> {
    let architecture = configured(&Project::find(root, serde_json::Value::Null)?)?;
    if !package::path(root, architecture).is_file() {
        build(root, Some(architecture)).await?;
    }
    Ok(())
}

/// The architecture of stack `local`. The key and its value stand on one line, as the CLI writes
/// them.
fn configured(project: &Project) -> Result<Architecture> {
    let Some(key) = &project.architecture_config else {
        return Ok(Architecture::default());
    };
    let path = project.root.join("Pulumi.local.yaml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    text.lines()
        .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':'))
        .map_or(Ok(Architecture::default()), |value| {
            value.trim().trim_matches(['"', '\'']).parse()
        })
        .with_context(|| format!("{key} in {} is wrong", path.display()))
}
