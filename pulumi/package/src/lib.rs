//! How a Lambda function in Rust becomes the zip that is deployed.
//!
//! | module | what is in it |
//! | --- | --- |
//! | this one | which package is wanted, where it is, and how it is built |
//! | [`pinned`] | the compiler, linker and libc of packages for AWS, the same on every machine |
//! | `archive`, `elf` | the zip, and what its binary asks of the machine that runs it |
//! | [`project`], [`toolchain`] | what the workspace's files and compiler say |
//! | [`cargo`], [`group`] | cargo with progress, and process groups |
//! | [`answers`], `look`, `inputs` | when Cargo and the compiler need not be asked |
//! | `cache`, [`whole`] | the folder for what is downloaded once; files that are written whole |

pub mod answers;
mod archive;
mod cache;
pub mod cargo;
mod elf;
pub mod group;
mod inputs;
mod look;
pub mod pinned;
pub mod project;
pub mod toolchain;
pub mod whole;

use anyhow::{Context, Result, bail};
use cargo::{Build, Progress};
use pinned::Pinned;
use project::Project;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tokio_util::sync::CancellationToken;

/// The Cargo profile of a released function.
const RELEASE: &str = "lambda";

/// Tells a program where the package of its function is, and for which architecture: JSON, which
/// `package` in `pulumi_program` reads.
pub const VARIABLE: &str = "PULUMI_RUST_LAMBDA";

/// The binary of a function; Lambda's `provided` runtimes start the file of this name.
const BINARY: &str = "bootstrap";

/// An architecture that Lambda runs functions on, with Lambda's name for it. The default does not
/// depend on the machine, or two people would deploy two functions from one commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Architecture {
    #[default]
    X86_64,
    Arm64,
}

/// How a function is built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Profile {
    /// Small and quick to start, and the same bytes from every machine.
    #[default]
    Release,
    /// In seconds, with this machine's own compiler and linker, and with the artefacts that the
    /// workspace's other programs have compiled: for a cloud on this machine.
    Quick,
}

/// A package of the project's function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LambdaBuild {
    pub architecture: Architecture,
    pub profile: Profile,
}

impl LambdaBuild {
    /// The package that a stack's configuration asks for; `value` gives the value of a key.
    ///
    /// # Errors
    /// When a value is not one of those that there are, with the key.
    pub fn configured(project: &Project, value: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Ok(Self {
            architecture: configured(project.architecture_config.as_deref(), &value)?,
            profile: configured(project.profile_config.as_deref(), &value)?,
        })
    }

    /// Where the package is: the one place that says so. Each kind has a path of its own, so that
    /// two stacks can be deployed at the same time. It does not depend on Cargo's target folder.
    pub fn path(self, root: &Path) -> PathBuf {
        root.join("target/lambda")
            .join(match (self.architecture, self.profile) {
                (Architecture::X86_64, Profile::Release) => "bootstrap.zip",
                (Architecture::Arm64, Profile::Release) => "bootstrap-arm64.zip",
                (Architecture::X86_64, Profile::Quick) => "bootstrap-quick.zip",
                (Architecture::Arm64, Profile::Quick) => "bootstrap-arm64-quick.zip",
            })
    }

    /// The value of [`VARIABLE`] for a program in `folder`. The path is relative where it can be: it
    /// is kept in the stack's state, which other checkouts read too.
    pub fn told(self, archive: &Path, folder: &Path) -> String {
        serde_json::json!({
            "archive": archive.strip_prefix(folder).unwrap_or(archive),
            "architecture": self.architecture.to_string(),
        })
        .to_string()
    }

    /// Builds the function, and writes its archive if its bytes change.
    ///
    /// # Errors
    /// When the function does not build, when something that the build needs is missing, or when
    /// the binary is not one that Lambda would start.
    pub async fn build(
        self,
        project: &Project,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<PathBuf> {
        if project.lambda.is_none() {
            bail!(
                "{} does not name the crate of the Lambda function: add `lambda = \"CRATE\"` to [workspace.metadata.pulumi]",
                project.root.join("Cargo.toml").display()
            );
        }
        let binary = match self.profile {
            Profile::Release => self.build_released(project, progress, stop).await?,
            Profile::Quick => self.build_quickly(project, progress, stop).await?,
        };
        let path = self.path(&project.root);
        archive::update(
            &path,
            &binary,
            BINARY,
            self.profile.compression(),
            |content| {
                self.check(content, progress)
                    .with_context(|| format!("{} would not start in Lambda", binary.display()))
            },
        )?;
        Ok(path)
    }

    async fn build_released(
        self,
        project: &Project,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<PathBuf> {
        let pinned = Pinned::prepare(&project.root, self.architecture, progress, stop).await?;
        let build = Build {
            root: &project.root,
            binary: BINARY,
            profile: Some(RELEASE),
            pinned: Some(&pinned),
        };
        build.run(progress, stop).await
    }

    /// In Cargo's profile `dev`, without a target: only so are dependencies compiled once for the
    /// function, the Pulumi program and all else that is built here.
    async fn build_quickly(
        self,
        project: &Project,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<PathBuf> {
        let own = Architecture::of_this_machine()?;
        if self.architecture != own {
            bail!(
                "a quick package is compiled for this machine, which is {own}, and the \
                 architecture asked for is {}: ask for `host`, or for a package of profile `release`",
                self.architecture
            );
        }
        let build = Build {
            root: &project.root,
            binary: BINARY,
            profile: None,
            pinned: None,
        };
        build.run(progress, stop).await
    }

    /// A quick package runs on this machine, whose glibc it was linked with. On AWS it may not
    /// start, which is said when such a package is made.
    fn check(self, binary: &[u8], progress: &Progress) -> Result<()> {
        elf::check_machine(binary, self.architecture.elf_machine())?;
        match (elf::newer_glibc(binary)?, self.profile) {
            (None, _) => Ok(()),
            (Some(needs), Profile::Release) => bail!("{needs}"),
            (Some(needs), Profile::Quick) => {
                progress.message(format!(
                    "the quick package is for this machine alone: {needs}"
                ));
                Ok(())
            }
        }
    }
}

fn configured<T: FromStr<Err = anyhow::Error> + Default>(
    key: Option<&str>,
    value: impl Fn(&str) -> Option<String>,
) -> Result<T> {
    let Some((key, value)) = key.and_then(|key| Some((key, value(key)?))) else {
        return Ok(T::default());
    };
    value
        .parse()
        .with_context(|| format!("the configuration value {key} is wrong"))
}

impl Architecture {
    /// That of the machine that this runs on.
    ///
    /// # Errors
    /// When Lambda has no such machines.
    pub fn of_this_machine() -> Result<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Ok(Self::X86_64),
            "aarch64" => Ok(Self::Arm64),
            other => bail!("this machine is {other}, and Lambda's are x86_64 and arm64"),
        }
    }

    /// Rust's name for Lambda's machines of this architecture.
    pub fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
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
            "host" => Self::of_this_machine(),
            _ => bail!(
                "`{name}` is no architecture of Lambda's: x86_64, arm64, or `host` for that of this machine"
            ),
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

impl Profile {
    /// Deflate's level. A quick package is read once, on this machine.
    fn compression(self) -> i64 {
        match self {
            Self::Release => 9,
            Self::Quick => 1,
        }
    }
}

impl FromStr for Profile {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "release" => Ok(Self::Release),
            "quick" => Ok(Self::Quick),
            _ => bail!("`{name}` is no profile of a package: release or quick"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_packages_have_one_path() {
        let mut paths = BTreeSet::new();
        for architecture in [Architecture::X86_64, Architecture::Arm64] {
            for profile in [Profile::Release, Profile::Quick] {
                let package = LambdaBuild {
                    architecture,
                    profile,
                };
                paths.insert(package.path(Path::new("/checkout")));
            }
        }
        assert_eq!(paths.len(), 4);
        assert_eq!(
            LambdaBuild::default().path(Path::new("/checkout")),
            Path::new("/checkout/target/lambda/bootstrap.zip")
        );
    }
}
