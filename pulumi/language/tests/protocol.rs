//! The committed code of the protocol is what its description generates.

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

#[test]
fn the_committed_code_is_that_of_the_description() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let description = fs::read(folder.join("language.proto"))?;
    let generated = fs::read_to_string(folder.join("language.generated"))?;
    let (stamp, code) = generated.split_once('\n').context("no first line")?;
    let digest = |bytes: &[u8]| -> String {
        let digest = Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    ensure!(
        stamp == format!("// {} {}", digest(&description), digest(code.as_bytes())),
        "proto/language.proto, or what is generated from it, was changed alone: run `cargo run \
         --manifest-path pulumi/language/generator/Cargo.toml`"
    );
    Ok(())
}
