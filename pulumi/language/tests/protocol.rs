//! The committed code of the protocol is what its description generates.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

#[test]
fn the_committed_code_is_that_of_the_description() -> Result<()> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    // protox needs no protoc on the machine.
    let descriptors = protox::compile(["language.proto"], [package.join("proto")])?;
    tonic_prost_build::configure()
        .out_dir(folder)
        .compile_fds(descriptors)?;
    let generated = folder.join("pulumirpc.rs");
    let committed = package.join("proto/language.generated");
    let text = |path: &Path| fs::read_to_string(path).with_context(|| path.display().to_string());
    ensure!(
        text(&generated)? == text(&committed)?,
        "proto/language.proto has changed: run `cp '{}' '{}'`",
        generated.display(),
        committed.display()
    );
    Ok(())
}
