//! Previews: what can be promised, and that nothing happens.

use crate::support::{TestCloud, secret, urn};
use crate::world::THING;
use anyhow::Result;
use pulumi_protocol::UNKNOWN;
use serde_json::json;

#[tokio::test]
async fn a_preview_promises_what_is_known_and_does_nothing() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let thing = urn(THING, "t");

    let promised = engine
        .preview_create(
            &thing,
            json!({ "name": "n", "password": secret("p"), "count": UNKNOWN }),
        )
        .await?;
    assert_eq!(
        promised,
        json!({
            "name": "n", "password": secret("p"), "count": UNKNOWN, "tagsAll": {},
            // Computed, or decided by the service; `size` alone is nobody's unless it is given.
            "arn": UNKNOWN, "share": UNKNOWN, "version": UNKNOWN, "token": secret(UNKNOWN),
        })
    );

    let created = engine
        .deploy(&thing, json!({ "name": "n", "count": 1, "size": "small" }))
        .await?;
    let before = cloud.world.state().calls.clone();
    let promised = engine
        .preview_update(
            &thing,
            &created,
            json!({ "name": "n", "count": 2, "tags": {"a": UNKNOWN} }),
        )
        .await?;
    assert_eq!(
        promised,
        json!({
            "name": "n", "count": 2, "tags": {"a": UNKNOWN}, "tagsAll": {"a": UNKNOWN},
            "region": "us-east-1", "generation": 1, "share": 0.5,
            "arn": created.outputs["arn"], "token": secret("s3cr3t"),
            // The type says that an update changes it.
            "version": UNKNOWN,
        })
    );
    assert_eq!(cloud.world.state().calls, before, "nothing was called");
    assert_eq!(
        engine.read(&thing, &created).await?,
        Some(created),
        "nothing was stored"
    );
    Ok(())
}
