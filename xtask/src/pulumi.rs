//! The Pulumi CLI for the commands: found, or waited for while it is built.

use crate::cache;
use crate::checkout::Checkout;
use crate::progress;
use anyhow::Result;
use door::cli::{Cli, Found};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// The CLI: the one on PATH when it is new enough, or one built into the cache.
pub async fn find(checkout: &Checkout) -> Result<PathBuf> {
    let cli = Cli::of(&checkout.root, &cache::folder()?)?;
    let except = checkout.bin();
    if let Some(found) = cli.find(&except) {
        return Ok(noted(found));
    }
    let step = progress::step("the Pulumi CLI is built from its sources (minutes, once)");
    let built = tokio::task::spawn_blocking(move || {
        let found = cli.find_or_build(&except, &|detail| step.at(detail));
        if found.is_ok() {
            step.done();
        }
        found
    });
    Ok(noted(built.await??))
}

/// Says once what there is to know of the CLI.
fn noted(found: Found) -> PathBuf {
    static NOTED: Once = Once::new();
    if let Some(note) = found.note {
        NOTED.call_once(|| eprintln!("note: {note}"));
    }
    found.path
}

/// PATH with a program's folder first: the tests find the CLI as `cargo xtask up` finds it.
pub fn with_folder_of(program: &Path) -> Result<OsString> {
    let folder = program.parent().map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folder.into_iter().chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}
