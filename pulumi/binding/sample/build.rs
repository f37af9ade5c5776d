//! Generates the binding from the schema.

fn main() -> anyhow::Result<()> {
    pulumi_binding::generate("schema.json")
}
