//! What docs/compatibility/firehose.md lists as operations is what there is.

use anyhow::{Result, ensure};
use cloud_testing::documented::tabled;
use std::collections::BTreeSet;

#[test]
fn the_operations_of_firehose() -> Result<()> {
    let there: BTreeSet<_> = cloud_firehose::OPERATIONS
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    ensure!(tabled("firehose.md")? == there);
    Ok(())
}
