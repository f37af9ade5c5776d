//! What docs/compatibility/cloudfront.md lists is what there is.

use anyhow::Result;
use cloud_cloudfront::wire::OPERATIONS;
use cloud_testing::documented::{listed, words};

#[test]
fn the_operations_of_cloudfront() -> Result<()> {
    let done = words(OPERATIONS.iter().copied());
    assert_eq!(listed("cloudfront.md", "Operations that are done")?, done);
    Ok(())
}
