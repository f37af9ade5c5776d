//! The tools that people use: boto3 and the AWS CLI, as PyPI has them.

use crate::client::Cloud;
use crate::cloudfront::Site;
use anyhow::{Result, ensure};
use cloud_testing::pypi::installed;
use std::path::Path;
use tokio::process::Command;

#[tokio::test]
async fn boto3_does_what_it_does_every_day() -> Result<()> {
    let cloud = Cloud::start().await?;
    let python = installed("python").await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/boto3_daily.py");
    run(Command::new(python).arg(script), &cloud).await
}

#[tokio::test]
async fn the_aws_cli_does_what_it_does_every_day() -> Result<()> {
    let cloud = Cloud::start().await?;
    let aws = installed("aws").await?;
    let work = tempfile::tempdir()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/cli_daily.sh");
    let mut command = Command::new("sh");
    run(command.arg(script).arg(aws).arg(work.path()), &cloud).await
}

/// Runs a command in the environment that `cargo xtask env` gives a shell.
pub async fn run(command: &mut Command, cloud: &Cloud) -> Result<()> {
    command
        .env("AWS_ENDPOINT_URL", format!("http://{}", cloud.address()))
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .kill_on_drop(true);
    let output = command.output().await?;
    ensure!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn the_aws_cli_invalidates_and_waits() -> Result<()> {
    let site = Site::start().await?;
    let aws = installed("aws").await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/cli_invalidation.sh");
    let mut command = Command::new("sh");
    command
        .arg(script)
        .arg(aws)
        .arg(&site.distribution.resource.id);
    run(&mut command, &site.cloud).await
}
