//! Which parts of the package the binding has: `tokens.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    pub package: String,
    pub version: String,
    /// Types that are left out where they are an alternative to a plain string.
    #[serde(default)]
    pub dropped_alternatives: BTreeSet<String>,
    /// What the binding has of the provider itself, as a resource.
    pub provider: Option<Member>,
    #[serde(default)]
    pub resources: BTreeMap<String, Member>,
    #[serde(default)]
    pub functions: BTreeMap<String, Member>,
    #[serde(default)]
    pub types: BTreeMap<String, Nested>,
}

/// A resource or a function.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The inputs to keep. Absent: every one that is not deprecated.
    pub inputs: Option<BTreeSet<String>>,
    /// Inputs to leave out of what `inputs` says.
    #[serde(default)]
    pub without: BTreeSet<String>,
    /// The outputs to keep: those that a program reads.
    #[serde(default)]
    pub outputs: BTreeSet<String>,
    /// Every output that is not deprecated, whatever `outputs` says.
    #[serde(default, rename = "all-outputs")]
    pub all_outputs: bool,
    /// Integers that may be beyond the 32 bits that Gestalt gives them: they become numbers.
    #[serde(default)]
    pub numbers: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nested {
    pub properties: BTreeSet<String>,
    /// Like [`Member::numbers`].
    #[serde(default)]
    pub numbers: BTreeSet<String>,
}

impl Selection {
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
    }
}
