//! What the pages under docs/compatibility list is what there is.

use anyhow::{Context, Result};
use mysfits_local::services::iam::condition::KNOWN_KEYS;
use mysfits_local::services::s3::protocol::OPERATIONS;
use std::collections::BTreeSet;
use std::path::Path;

/// The comma-separated words of the last paragraph under a heading.
fn listed(page: &str, heading: &str) -> Result<BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility");
    let text = std::fs::read_to_string(root.join(page))?;
    let (_, section) = text.split_once(heading).context("no such heading")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let paragraph = section.trim().rsplit("\n\n").next().unwrap_or_default();
    Ok(paragraph
        .split(", ")
        .map(|word| word.trim().to_owned())
        .collect())
}

#[test]
fn the_operations_of_s3() -> Result<()> {
    let done = OPERATIONS
        .iter()
        .filter_map(|name| name.strip_suffix("Input"));
    let done: BTreeSet<String> = done.map(str::to_owned).collect();
    assert_eq!(listed("s3.md", "## Operations that are done")?, done);
    Ok(())
}

#[test]
fn the_condition_keys_of_iam() -> Result<()> {
    let known: BTreeSet<String> = KNOWN_KEYS.iter().map(|&key| key.to_owned()).collect();
    assert_eq!(listed("iam.md", "## Condition keys")?, known);
    Ok(())
}
