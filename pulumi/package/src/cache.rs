//! What is downloaded once for all workspaces.

use anyhow::{Context, Result};
use std::path::PathBuf;

/// `pulumi-rust` in the user's cache: `$XDG_CACHE_HOME`, or `~/.cache`.
pub fn folder() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => PathBuf::from(cache),
        _ => std::env::home_dir()
            .context("neither XDG_CACHE_HOME nor HOME is set")?
            .join(".cache"),
    };
    Ok(cache.join("pulumi-rust"))
}
