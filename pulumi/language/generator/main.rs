//! Writes `proto/language.generated` from `proto/language.proto`, with a first line by which a test
//! sees that neither was changed alone.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

fn main() -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = package.parent().context("no package")?.join("proto");
    let target = package.join("target");
    // protox needs no protoc on the machine.
    let descriptors = protox::compile(["language.proto"], [&folder])?;
    tonic_prost_build::configure()
        .out_dir(&target)
        .compile_fds(descriptors)?;
    let code = fs::read_to_string(target.join("pulumirpc.rs"))?;
    let description = fs::read(folder.join("language.proto"))?;
    let digest = |bytes: &[u8]| -> String {
        let digest = Sha256::digest(bytes);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let stamp = format!("// {} {}\n", digest(&description), digest(code.as_bytes()));
    fs::write(folder.join("language.generated"), stamp + &code)?;
    Ok(())
}
