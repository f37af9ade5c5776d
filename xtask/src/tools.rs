//! Programs of others that a command needs.

use anyhow::{Context, Result, bail};
use pulumi_package::cargo::forget_own_package;
use std::path::{Path, PathBuf};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// The first program of this name on PATH, in folders other than `except`.
pub fn on_path(name: &str, except: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder != except)
        .map(|folder| folder.join(name))
        .find(|program| is_executable(program))
}

/// A Cargo that does not see what the Cargo around `cargo xtask` told this process about itself.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root);
    forget_own_package(&mut command);
    command
}

/// Runs a program to its end; its output goes where ours goes. Ctrl-C reaches it too, and this
/// waits for its end, because an engine finishes what it has begun.
pub async fn run(command: &mut Command, what: &str) -> Result<()> {
    let _interrupts = signal(SignalKind::interrupt()).context("signals cannot be received")?;
    let program = command.as_std().get_program().to_owned();
    let status = command
        .status()
        .await
        .with_context(|| format!("{} cannot be started", program.display()))?;
    if !status.success() {
        bail!("{what} failed");
    }
    Ok(())
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}
