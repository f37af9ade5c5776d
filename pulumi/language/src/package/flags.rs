//! The flags that a function is built with, and what a build for another machine needs.

use super::Architecture;
use crate::project::Project;
use crate::toolchain::{Compiler, on_path, sysroot};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The environment for Cargo that makes a build for `architecture` independent of where the
/// workspace, Cargo's home and the compiler are.
pub async fn environment(
    project: &Project,
    architecture: Architecture,
) -> Result<Vec<(String, OsString)>> {
    let (compiler, sysroot) =
        tokio::try_join!(Compiler::of(&project.root), sysroot(&project.root))?;
    let mut environment = vec![(
        "CARGO_ENCODED_RUSTFLAGS".to_owned(),
        rust_flags(project, &sysroot, &compiler.commit)?,
    )];
    if compiler.host != architecture.target() {
        environment.extend(cross(&sysroot, architecture)?);
    }
    Ok(environment)
}

/// Paths end up in a binary as the places of panics. When several prefixes match, rustc takes
/// the last.
fn rust_flags(project: &Project, sysroot: &Path, commit: &str) -> Result<OsString> {
    let cargo_home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir()
            .context("neither CARGO_HOME nor HOME is set")?
            .join(".cargo"),
    };
    let mut prefixes = vec![
        (cargo_home, "/cargo".to_owned()),
        (
            sysroot.join("lib/rustlib/src/rust"),
            format!("/rustc/{commit}"),
        ),
        (project.root.clone(), "/workspace".to_owned()),
    ];
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        prefixes.push((project.root.join(target), "/workspace/target".to_owned()));
    }
    let mut flags = OsString::new();
    for (from, to) in prefixes {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    Ok(flags)
}

/// What a build for another machine needs: its standard library, and a linker.
fn cross(sysroot: &Path, architecture: Architecture) -> Result<Option<(String, OsString)>> {
    let target = architecture.target();
    let library = sysroot.join("lib/rustlib").join(target).join("lib");
    if !library.is_dir() {
        bail!(
            "building for {architecture} needs Rust's standard library for it: run `rustup target add {target}`"
        );
    }
    let variable = format!(
        "CARGO_TARGET_{}_LINKER",
        target.to_uppercase().replace('-', "_")
    );
    if std::env::var_os(&variable).is_some() {
        return Ok(None);
    }
    let linker = format!("{}-linux-gnu-gcc", architecture.machine_name());
    if on_path(&linker).is_none() {
        bail!(
            "building for {architecture} needs a linker for it: install {linker} (Debian and \
             Ubuntu: `sudo apt-get install gcc-{}-linux-gnu`), or name another in {variable}",
            architecture.machine_name().replace('_', "-")
        );
    }
    Ok(Some((variable, linker.into())))
}
