//! The Lambda function's archive: `target/lambda/bootstrap.zip` in the checkout, the same bytes
//! from any checkout path.

mod archive;
mod elf;
mod flags;

use crate::cargo::{Build, Progress};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio_util::sync::CancellationToken;

/// The Cargo profile of a function.
const PROFILE: &str = "lambda";

/// The binary of a function; Lambda's `provided` runtimes start the file of this name.
const BINARY: &str = "bootstrap";

/// An architecture that Lambda runs functions on, with Lambda's name for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Architecture {
    #[default]
    X86_64,
    Arm64,
}

/// Builds the function and writes its archive if its bytes change.
pub async fn package(
    project: &Project,
    architecture: Architecture,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<PathBuf> {
    if project.lambda.is_none() {
        bail!(
            "{} does not name the crate of the Lambda function: add `lambda = \"CRATE\"` to [workspace.metadata.pulumi]",
            project.root.join("Cargo.toml").display()
        );
    }
    let build = Build {
        root: &project.root,
        binary: BINARY,
        profile: Some(PROFILE),
        target: Some(architecture.target()),
        environment: flags::environment(project, architecture).await?,
    };
    let binary = build.run(progress, stop).await?;
    let path = path(&project.root, architecture);
    archive::update(&path, &binary, BINARY, |content| {
        elf::check(content, architecture.elf_machine())
            .with_context(|| format!("{} would not start in Lambda", binary.display()))
    })?;
    Ok(path)
}

/// Where the archive for an architecture is, whatever Cargo's target folder is.
pub fn path(root: &Path, architecture: Architecture) -> PathBuf {
    root.join("target/lambda").join(match architecture {
        Architecture::X86_64 => "bootstrap.zip",
        Architecture::Arm64 => "bootstrap-arm64.zip",
    })
}

impl Architecture {
    fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// As compilers and packages for cross compilation call it.
    fn machine_name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    fn elf_machine(self) -> u16 {
        match self {
            Self::X86_64 => object::elf::EM_X86_64,
            Self::Arm64 => object::elf::EM_AARCH64,
        }
    }
}

impl FromStr for Architecture {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "x86_64" => Ok(Self::X86_64),
            "arm64" => Ok(Self::Arm64),
            _ => bail!("`{name}` is no architecture of Lambda's: x86_64 or arm64"),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}
