//! The same names in two regions: each request is answered for the one that it is signed for.
//! Buckets, whose names are unique in all regions, are looked at in `buckets` and `refusals`; of
//! API Gateway there are resource types alone.

use crate::client::Cloud;
use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pulumi_protocol::{ARCHIVE, SIGNATURE};
use serde_json::{Value, json};
use std::io::Write;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
const EMPTY: &str = "ap-southeast-2";

/// One request for each service, and where its answer names a region.
fn requests() -> Vec<(&'static str, &'static str, Value, &'static str)> {
    let secret = STANDARD.encode("a secret");
    vec![
        (
            "logs",
            "Logs_20140328.DescribeLogGroups",
            json!({}),
            "/logGroups/0/arn",
        ),
        (
            "kms",
            "TrentService.Encrypt",
            json!({ "KeyId": "alias/n", "Plaintext": secret }),
            "/KeyId",
        ),
        (
            "codecommit",
            "CodeCommit_20150413.GetRepository",
            json!({ "repositoryName": "n" }),
            "/repositoryMetadata/Arn",
        ),
        (
            "firehose",
            "Firehose_20150804.DescribeDeliveryStream",
            json!({ "DeliveryStreamName": "n" }),
            "/DeliveryStreamDescription/DeliveryStreamARN",
        ),
    ]
}

async fn ask(
    cloud: &Cloud,
    region: &'static str,
    (service, target, input): (&'static str, &str, &Value),
) -> Result<(u16, Value)> {
    let answer = cloud
        .post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .service(service)
        .region(region)
        .body(input.to_string())
        .send()
        .await?;
    Ok((
        answer.status.as_u16(),
        serde_json::from_slice(&answer.body)?,
    ))
}

#[tokio::test]
async fn each_service_answers_for_the_region_of_the_signature() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    deploy(&cloud).await?;
    for (service, target, input, place) in requests() {
        for region in REGIONS {
            let (status, body) = ask(&cloud, region, (service, target, &input)).await?;
            let arn = body.pointer(place).and_then(Value::as_str);
            let arn = arn.unwrap_or_default();
            let begins = format!("arn:aws:{service}:{region}:000000000000:");
            ensure!(status == 200 && arn.starts_with(&begins), "{region} {body}");
            if service == "logs" {
                ensure!(
                    body["logGroups"].as_array().map(Vec::len) == Some(1),
                    "{body}"
                );
            }
        }
        let (status, body) = ask(&cloud, EMPTY, (service, target, &input)).await?;
        let nothing = body == json!({ "logGroups": [] });
        ensure!(status == 400 || nothing, "{service}: {body}");
    }

    for region in REGIONS {
        let call = cloud.get("/2015-03-31/functions/n").service("lambda");
        let answer = call.region(region).send().await?.expect(200)?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        let arn = format!("arn:aws:lambda:{region}:000000000000:function:n");
        ensure!(body["Configuration"]["FunctionArn"] == *arn, "{body}");

        let call = cloud.get("/2015-03-31/functions").service("lambda");
        let answer = call.region(region).send().await?.expect(200)?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        let functions = body["Functions"].as_array();
        ensure!(functions.map(Vec::len) == Some(1), "{body}");
        ensure!(body["Functions"][0]["FunctionArn"] == *arn, "{body}");
    }
    let call = cloud.get("/2015-03-31/functions/n").service("lambda");
    call.region(EMPTY).send().await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn what_is_deleted_in_one_region_stays_in_the_other() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for record in deploy(&cloud).await? {
        cloud.undeploy(&record).await?;
    }
    for (service, target, input, place) in requests() {
        let [first, last] = REGIONS;
        let (status, body) = ask(&cloud, first, (service, target, &input)).await?;
        ensure!(status == 200 && body.pointer(place).is_some(), "{body}");
        let (status, body) = ask(&cloud, last, (service, target, &input)).await?;
        let nothing = body == json!({ "logGroups": [] });
        ensure!(status == 400 || nothing, "{service}: {body}");
    }
    Ok(())
}

/// A resource of each service in each region. Gives those of the last one, the youngest first.
async fn deploy(cloud: &Cloud) -> Result<Vec<cloud_resource::deployments::Record>> {
    let principals = ["firehose.amazonaws.com", "lambda.amazonaws.com"];
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": principals },
            "Action": "sts:AssumeRole",
        }],
    });
    let role = json!({ "name": "r", "assumeRolePolicy": trust.to_string() });
    let role = cloud.deploy("aws:iam/role:Role", "r", role).await?;
    let role = role.resource.output("arn").to_owned();

    let zip = cloud.folder.path().join("function.zip");
    let mut package = ZipWriter::new(std::fs::File::create(&zip)?);
    package.start_file(
        "bootstrap",
        SimpleFileOptions::default().unix_permissions(0o755),
    )?;
    package.write_all(&std::fs::read(env!("CARGO_BIN_EXE_test-runtime"))?)?;
    package.finish()?;
    let code = json!({
        (SIGNATURE): ARCHIVE,
        "path": zip,
    });

    let mut of_region = Vec::new();
    for region in REGIONS {
        of_region.clear();
        let key = cloud.deploy_in(region, "aws:kms/key:Key", region, json!({}));
        let key = key.await?;
        let alias = json!({ "name": "alias/n", "targetKeyId": key.resource.id });
        of_region.push(key);
        let destination = json!({ "bucketArn": "arn:aws:s3:::bucket", "roleArn": role });
        for (token, inputs) in [
            ("aws:kms/alias:Alias", alias),
            ("aws:cloudwatch/logGroup:LogGroup", json!({ "name": "n" })),
            (
                "aws:codecommit/repository:Repository",
                json!({ "repositoryName": "n" }),
            ),
            (
                "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
                json!({
                    "name": "n",
                    "destination": "extended_s3",
                    "extendedS3Configuration": destination,
                }),
            ),
            (
                "aws:lambda/function:Function",
                json!({
                    "name": "n",
                    "runtime": "provided.al2023",
                    "handler": "bootstrap",
                    "role": role,
                    "code": code,
                }),
            ),
        ] {
            let record = cloud.deploy_in(region, token, region, inputs).await?;
            of_region.push(record);
        }
    }
    of_region.reverse();
    Ok(of_region)
}
