//! Where what is downloaded or built once for all checkouts is.

use anyhow::{Context, Result};
use std::path::PathBuf;

/// The folder, which need not exist yet.
///
/// # Errors
/// When neither XDG_CACHE_HOME nor HOME is set.
pub fn folder() -> Result<PathBuf> {
    door::cache().context("neither XDG_CACHE_HOME nor HOME is set")
}
