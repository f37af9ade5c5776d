//! The committed schema is what the generator writes.

use std::path::Path;

use anyhow::{Result, ensure};
use pulumi_schema::Origin;

#[test]
fn the_committed_schema_is_what_the_generator_writes() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws");
    let scratch = tempfile::tempdir()?;
    let written = scratch.path().join("schema.json");
    pulumi_schema::generate(&folder.join("tokens.toml"), &written, Origin::PyPi)?;
    let committed = std::fs::read_to_string(folder.join("schema.json"))?;
    ensure!(
        std::fs::read_to_string(written)? == committed,
        "pulumi/aws/schema.json is stale: cargo xtask schema"
    );
    Ok(())
}

#[test]
fn a_selection_of_what_is_not_there_is_refused() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let cases = [
        ("outputs = [\"size\"]", "there is no output size"),
        ("inputs = [\"size\"]", "there is no input size"),
        (
            "numbers = [\"size\"]",
            "numbers has size, which is not kept",
        ),
        ("numbers = [\"bucket\"]", "bucket is no integer"),
    ];
    for (member, expected) in cases {
        let tokens = scratch.path().join("tokens.toml");
        let text = format!(
            "package = \"aws\"\nversion = \"7.48.0\"\n[functions]\n[resources.\"aws:s3/bucket:Bucket\"]\n{member}\n"
        );
        std::fs::write(&tokens, text)?;
        let written = scratch.path().join("schema.json");
        let result = pulumi_schema::generate(&tokens, &written, Origin::PyPi);
        let error = result.err().map(|error| format!("{error:#}"));
        let error = error.unwrap_or_default();
        ensure!(error.contains(expected), "{member}: {error}");
        ensure!(!written.exists(), "{member}: a schema was written");
    }
    Ok(())
}
