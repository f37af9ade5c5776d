//! Builds whose bytes do not depend on the machine: one compiler, one C compiler, one linker, one
//! libc, and nothing of the user's environment.
//!
//! A target of glibc links the machine's own start files and against its own libc, with its own
//! linker, and crates with C in them ask its own compiler. So the pinned toolchain is not enough:
//! two machines would make two packages of one commit, and each preview would show a change.

mod environment;
mod tools;

use crate::Architecture;
use crate::cargo::Progress;
use crate::elf::GLIBC;
use crate::look::Environment;
use crate::toolchain::{Compiler, pinned_sysroot};
use anyhow::{Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use tools::Tools;

/// The tools and the environment of pinned builds of one workspace for one architecture.
#[derive(Debug)]
pub struct Pinned {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Environment,
}

impl Pinned {
    /// Finds what a build needs, and installs what it can.
    ///
    /// # Errors
    /// When something is missing, or when the user's Cargo configuration would change the package;
    /// each says what to do.
    pub async fn prepare(
        root: &Path,
        architecture: Architecture,
        progress: &Progress,
        stop: &CancellationToken,
    ) -> Result<Self> {
        environment::check_configuration()?;
        let (compiler, sysroot) = tokio::try_join!(Compiler::pinned(root), pinned_sysroot(root))?;
        let target = architecture.target();
        if !sysroot
            .join("lib/rustlib")
            .join(target)
            .join("lib")
            .is_dir()
        {
            bail!(
                "building for {architecture} needs Rust's standard library for it: run \
                 `rustup target add {target}` in {}",
                root.display()
            );
        }
        let tools = Tools::ensure(progress, stop).await?;
        let environment = environment::environment(root, target, &compiler, &sysroot, &tools)?;
        let mut arguments: Vec<OsString> = vec!["zigbuild".into()];
        // A build outside of the checkout does not read the checkout's own settings by itself.
        let settings = root.join(".cargo/config.toml");
        if settings.is_file() {
            arguments.extend(["--config".into(), settings.into()]);
        }
        let target = format!("{target}.{}.{}", GLIBC.0, GLIBC.1);
        arguments.extend(["--target".into(), target.into()]);
        Ok(Self {
            program: tools.cargo_zigbuild(),
            arguments,
            environment,
        })
    }

    /// `cargo build`, without the arguments that say what, and without its environment. It runs in
    /// the folder of all folders, since Cargo reads configuration from every folder above the one
    /// it runs in.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir("/");
        command
    }

    /// The arguments of that command.
    pub fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// The whole environment of that command.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}
