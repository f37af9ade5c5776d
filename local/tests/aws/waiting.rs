//! What waits for a function, as the AWS CLI does after a deployment.

use crate::client::Cloud;
use crate::tools::run;
use anyhow::Result;
use cloud_testing::pypi::installed;
use serde_json::json;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use tokio::process::Command;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

#[tokio::test]
async fn the_aws_cli_waits_for_a_function_and_finds_it_ready() -> Result<()> {
    let cloud = Cloud::start().await?;
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }],
    });
    let role = json!({ "name": "r", "assumeRolePolicy": trust.to_string() });
    let role = cloud.deploy("aws:iam/role:Role", "r", role).await?;
    let path = cloud.folder.path().join("package.zip");
    let mut zip = ZipWriter::new(File::create(&path)?);
    zip.start_file(
        "bootstrap",
        SimpleFileOptions::default().unix_permissions(0o755),
    )?;
    zip.write_all(b"#!/bin/sh\n")?;
    zip.finish()?;
    let function = json!({
        "name": "f",
        "role": role.resource.output("arn"),
        "code": { "path": path },
        "runtime": "provided.al2023",
        "handler": "bootstrap",
    });
    let token = "aws:lambda/function:Function";
    cloud.deploy(token, "f", function).await?;

    let aws = installed("aws").await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/cli_waiting.sh");
    let mut command = Command::new("sh");
    run(command.arg(script).arg(aws).arg(&path), &cloud).await
}
