//! What is downloaded or built once for all checkouts.

use anyhow::{Context, Result};
use std::path::PathBuf;

/// `mysfits` in the user's cache.
pub fn folder() -> Result<PathBuf> {
    door::cache().context("neither XDG_CACHE_HOME nor HOME is set")
}
