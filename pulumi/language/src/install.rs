//! `pulumi install`: the crates that the program needs.

use crate::proto::InstallDependenciesResponse;
use anyhow::{Context, Result, bail};
use pulumi_package::group::Group;
use pulumi_package::toolchain::Compiler;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tonic::Status;

type Responses = UnboundedSender<Result<InstallDependenciesResponse, Status>>;

/// Downloads what Cargo.lock names for this machine (and writes Cargo.lock where there is none),
/// with Cargo's output passed on as it comes.
pub async fn install(
    root: &Path,
    terminal: bool,
    responses: &Responses,
    stop: &CancellationToken,
) -> Result<()> {
    let host = Compiler::of(root).await?.host;
    let mut command = Command::new("cargo");
    command
        .args([
            "fetch",
            "--color",
            if terminal { "always" } else { "never" },
        ])
        .args(["--target", &host])
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut group = Group::spawn(&mut command)
        .context("installing needs Rust: install it from https://rustup.rs")?;
    let stdout = group.child.stdout.take();
    let stderr = group.child.stderr.take();
    let (status, (), ()) = tokio::join!(
        group.wait(stop),
        pass_on(stdout, responses, |stdout| InstallDependenciesResponse {
            stdout,
            ..Default::default()
        }),
        pass_on(stderr, responses, |stderr| InstallDependenciesResponse {
            stderr,
            ..Default::default()
        }),
    );
    let status = status?;
    if !status.success() {
        bail!("`cargo fetch` failed ({status})");
    }
    Ok(())
}

async fn pass_on(
    stream: Option<impl AsyncRead + Unpin>,
    responses: &Responses,
    response: impl Fn(Vec<u8>) -> InstallDependenciesResponse,
) {
    let Some(mut stream) = stream else { return };
    let mut buffer = vec![0; 8192];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        responses.send(Ok(response(buffer[..length].to_vec()))).ok();
    }
}
