//! What docs/compatibility/logs.md lists as operations is what there is.

use crate::support::World;
use anyhow::{Result, ensure};
use cloud_testing::documented::tabled;
use serde_json::json;

#[tokio::test]
async fn the_operations_of_logs() -> Result<()> {
    let world = World::start().await?;
    let known = |action: &str| {
        let refused = world.logs_call(action, json!({})).err();
        refused.is_none_or(|error| error.code != "UnknownOperationException")
    };
    let listed = tabled("logs.md")?;
    ensure!(!listed.is_empty());
    for action in &listed {
        ensure!(known(action), "{action} is not there");
    }
    for action in [
        "CreateLogGroup",
        "DeleteLogGroup",
        "PutRetentionPolicy",
        "TagResource",
    ] {
        ensure!(
            !known(action) && !listed.contains(action),
            "{action} is not listed"
        );
    }
    Ok(())
}
