//! Generates the binding from the committed schema.

fn main() -> anyhow::Result<()> {
    pulumi_binding::generate("schema.json")
}
