//! The trimmed schema of a Pulumi package, from the package's own descriptions.
//!
//! All of a large package makes a binding that compiles for far too long, so the schema holds what a
//! list of tokens selects. It is written from `pulumi package get-schema` where the engine can fetch
//! the provider, and from the Python SDK on PyPI where not; both say the same.

mod fetch;
mod full;
mod python;
mod selection;
mod spec;
mod trim;
mod write;

use std::path::Path;

use anyhow::{Context, Result};

pub use fetch::{Origin, cache};
pub use selection::Selection;
pub use spec::{PackageSpec, Properties, Property, Shape, TypeDef};
pub use trim::{Source, trim};
pub use write::{Choice, binding, sdk, template, update};

/// Writes the schema at `schema` from the selection at `tokens`.
///
/// # Errors
/// When the selection cannot be read, no origin can be had, or the selection names something
/// that the package does not have.
pub fn generate(tokens: &Path, schema: &Path, origin: Origin) -> Result<PackageSpec> {
    let selection = Selection::read(tokens)?;
    let mut source = fetch::source(&selection, origin)?;
    let package = trim(&selection, source.as_mut())
        .with_context(|| format!("cannot follow {}", tokens.display()))?;
    std::fs::write(schema, text(&package)?)
        .with_context(|| format!("cannot write {}", schema.display()))?;
    Ok(package)
}

/// As it is in `schema.json`.
fn text(package: &PackageSpec) -> Result<String> {
    let mut text = serde_json::to_string_pretty(package)?;
    text.push('\n');
    Ok(text)
}
