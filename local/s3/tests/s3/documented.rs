//! What docs/compatibility/s3.md lists is what there is.

use anyhow::Result;
use cloud_s3::wire::OPERATIONS;
use cloud_testing::documented::{listed, words};

#[test]
fn the_operations_of_s3() -> Result<()> {
    let done = words(OPERATIONS.iter().copied());
    assert_eq!(listed("s3.md", "Operations that are done")?, done);
    Ok(())
}
