//! What `cargo xtask` does before its own program is compiled: it shows what Cargo does, and has
//! the Pulumi CLI built meanwhile.
//!
//! This crate has no dependencies, so that it is compiled in a second and somebody who calls
//! `cargo xtask` for the first time sees at once what they wait for.

pub mod cli;
pub mod compile;
pub mod elapsed;

use std::path::PathBuf;

/// What is downloaded or built once for all checkouts: `mysfits` in the user's cache. There is
/// none when neither XDG_CACHE_HOME nor HOME is set.
pub fn cache() -> Option<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => PathBuf::from(cache),
        _ => std::env::home_dir()?.join(".cache"),
    };
    Some(cache.join("mysfits"))
}

/// The variable in which `cargo xtask` says where it has just put a program: `MYSFITS_BUILT_INFRA`
/// and the like. Its commands need not ask Cargo a second time then.
pub fn built_variable(program: &str) -> String {
    format!("MYSFITS_BUILT_{}", program.to_uppercase().replace('-', "_"))
}
