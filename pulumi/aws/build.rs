//! Generates the binding from the committed schema.

use std::path::Path;

fn main() -> anyhow::Result<()> {
    pulumi_gestalt_build::generate_from_schema(Path::new("schema.json"))
}
