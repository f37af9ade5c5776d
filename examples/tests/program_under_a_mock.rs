//! A Pulumi program in a test: an engine inside the test runs its binary, answers what it
//! registers, and keeps a record.

use anyhow::Result;
use pulumi_mock::{Answer, Mock};
use serde_json::json;

#[test]
fn the_bucket_keeps_old_versions_and_cannot_be_destroyed_by_mistake() -> Result<()> {
    let run = Mock::new()
        .answer(|resource| match resource.r#type.as_str() {
            // What only a cloud knows: the name that it has made up.
            "aws:s3/bucket:Bucket" => Answer::new().output("bucket", "orders-1a2b3c4"),
            _ => Answer::new(),
        })
        .run(env!("CARGO_BIN_EXE_example-program"))?;
    assert_eq!(run.exit_code, Some(0), "{run}");

    let find = |kind: &str| run.resources.iter().find(|one| one.r#type == kind);
    let bucket = find("aws:s3/bucket:Bucket");
    assert!(
        bucket.is_some_and(|bucket| bucket.options.protect == Some(true)),
        "{run}"
    );

    let versioning = find("aws:s3/bucketVersioning:BucketVersioning");
    let inputs = versioning.map(|versioning| &versioning.inputs);
    assert_eq!(
        inputs,
        Some(&json!({
            "bucket": "orders-1a2b3c4",
            "versioningConfiguration": { "status": "Enabled" },
        }))
    );
    assert_eq!(run.outputs, Some(json!({ "bucket": "orders-1a2b3c4" })));
    Ok(())
}
