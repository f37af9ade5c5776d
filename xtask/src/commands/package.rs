//! `cargo xtask package`: the Lambda function's archive, as the language host makes it.

use crate::checkout::Checkout;
use anyhow::{Context, Result};
use clap::Args;
use pulumi_package::cargo::Progress;
use pulumi_package::project::Project;
use pulumi_package::{Architecture, LambdaBuild, Profile};
use std::fs;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

const STACK_FILE: &str = "Pulumi.local.yaml";

#[derive(Args)]
pub struct PackageCommand {
    /// x86_64, arm64, or host for this machine's; without it x86_64
    #[arg(long)]
    architecture: Option<Architecture>,
}

impl PackageCommand {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let path = build(&checkout.root, self.architecture).await?;
        println!("{}", path.display());
        Ok(())
    }
}

/// Builds the archive that goes to AWS, with Cargo's own progress.
pub async fn build(root: &Path, architecture: Option<Architecture>) -> Result<PathBuf> {
    let package = LambdaBuild {
        architecture: architecture.unwrap_or_default(),
        profile: Profile::Release,
    };
    let project = Project::find(root, serde_json::Value::Null)?;
    build_with_progress(&project, package).await
}

/// Builds the archive that stack `local` needs if there is none yet. It takes minutes then, which
/// Cargo's own progress shows better than the language host's; after that the language host does
/// it alone.
pub async fn build_first(root: &Path) -> Result<()> {
    let project = Project::find(root, serde_json::Value::Null)?;
    let package = of_local(&project)?;
    if !package.path(root).is_file() {
        build_with_progress(&project, package).await?;
    }
    Ok(())
}

/// What the language host tells a program of stack `local` about its function's package, for a
/// program that runs without the workspace.
pub fn told(root: &Path) -> Result<(&'static str, String)> {
    let package = of_local(&Project::find(root, serde_json::Value::Null)?)?;
    let told = package.told(&package.path(root), root);
    Ok((pulumi_package::VARIABLE, told))
}

/// The file of stack `local`, changed so that its function is the one that goes to AWS: for
/// measurements. It is written into `folder`.
pub fn released(root: &Path, folder: &Path) -> Result<PathBuf> {
    let project = Project::find(root, serde_json::Value::Null)?;
    let text = fs::read_to_string(stack_file(root))?;
    let key = project.profile_config.as_deref();
    let is_profile =
        |line: &&str| key.is_some_and(|key| line.trim().starts_with(&format!("{key}:")));
    let lines = text.lines().filter(|line| !is_profile(line));
    let path = folder.join(STACK_FILE);
    fs::write(&path, lines.collect::<Vec<_>>().join("\n") + "\n")?;
    Ok(path)
}

fn stack_file(root: &Path) -> PathBuf {
    root.join(STACK_FILE)
}

/// Whether the function of stack `local` is built as the other programs here are.
pub fn is_quick(root: &Path) -> Result<bool> {
    let project = Project::find(root, serde_json::Value::Null)?;
    Ok(of_local(&project)?.profile == Profile::Quick)
}

async fn build_with_progress(project: &Project, package: LambdaBuild) -> Result<PathBuf> {
    let stop = CancellationToken::new();
    package.build(project, &Progress::Terminal, &stop).await
}

/// The package of stack `local`. A key and its value are on one line, as the CLI writes them.
fn of_local(project: &Project) -> Result<LambdaBuild> {
    let path = stack_file(&project.root);
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let value = |key: &str| {
        let mut lines = text.lines().map(str::trim);
        let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    };
    LambdaBuild::configured(project, value).with_context(|| format!("{} is wrong", path.display()))
}
