//! What the pages under docs/compatibility list, to be compared with what there is.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The comma-separated words of the last paragraph under a heading of a page.
///
/// # Errors
/// When there is no such page or heading.
pub fn listed(page: &str, heading: &str) -> Result<BTreeSet<String>> {
    let text = read(page)?;
    let heading = format!("\n## {heading}\n");
    let (_, section) = text.split_once(&heading).context("no such heading")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let paragraph = section.trim().rsplit("\n\n").next().unwrap_or_default();
    Ok(words(paragraph.split(", ").map(str::trim)))
}

/// Words as [`listed`] gives them.
pub fn words<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    words.map(str::to_owned).collect()
}

/// The operations in the table of a page, under its heading Operations.
///
/// # Errors
/// When there is no such page or heading.
pub fn tabled(page: &str) -> Result<BTreeSet<String>> {
    let text = read(page)?;
    let (_, section) = text.split_once("\n## Operations\n").context("no table")?;
    let section = section.split("\n## ").next().unwrap_or_default();
    let cells = section
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let names = cells.flat_map(|cell| cell.split(", "));
    let operations = names.filter(|name| {
        name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric)
    });
    Ok(operations.map(str::to_owned).collect())
}

fn read(page: &str) -> Result<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility");
    let text = std::fs::read_to_string(folder.join(page));
    text.with_context(|| format!("docs/compatibility/{page}"))
}
