//! Services that are not here: what their own clients are told.

use crate::client::Cloud;
use crate::tools::run;
use anyhow::{Result, ensure};
use cloud_testing::pypi::installed;
use std::path::Path;
use tokio::process::Command;

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

#[tokio::test]
async fn the_aws_cli_says_which_operation_is_not_there() -> Result<()> {
    let cloud = Cloud::start().await?;
    let aws = installed("aws").await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/cli_absent.sh");
    let mut command = Command::new("sh");
    run(command.arg(script).arg(aws), &cloud).await
}

#[tokio::test]
async fn an_error_has_the_form_of_the_service_that_is_called() -> Result<()> {
    let cloud = Cloud::start().await?;
    let json = |version: &str| {
        cloud
            .post("/")
            .header("content-type", version)
            .header("x-amz-target", "AmazonAthena.StartQueryExecution")
            .service("athena")
            .body("{}")
    };
    for version in ["application/x-amz-json-1.0", "application/x-amz-json-1.1"] {
        let answer = json(version).send().await?.expect(400)?;
        ensure!(answer.header("content-type") == version);
        ensure!(answer.header("x-amzn-errortype") == "UnknownOperationException");
        let says = "no operation StartQueryExecution of athena";
        ensure!(answer.text().contains(says), "{}", answer.text());
    }
    json("application/x-amz-json-1.1")
        .anonymous()
        .send()
        .await?
        .expect(403)?;

    for (service, action) in [("iam", "ListUsers"), ("sns", "Publish"), ("bogus", "Do")] {
        let call = cloud
            .post("/")
            .header("content-type", FORM)
            .service(service)
            .body(format!("Action={action}&Version=2010-05-08"));
        let answer = call.send().await?.expect(400)?;
        ensure!(
            answer.text().starts_with("<ErrorResponse"),
            "{}",
            answer.text()
        );
        ensure!(answer.element("Code")? == "InvalidAction");
        let says = format!("no operation {action} of {service}: docs/compatibility");
        ensure!(
            answer.element("Message")?.contains(&says),
            "{}",
            answer.text()
        );
    }
    let ec2 = cloud.post("/").header("content-type", FORM).service("ec2");
    let ec2 = ec2.body("Action=DescribeVpcs&Version=2016-11-15");
    let answer = ec2.send().await?.expect(400)?;
    ensure!(
        answer.text().starts_with("<Response><Errors><Error>"),
        "{}",
        answer.text()
    );

    let tables = [
        ("apigateway", "/restapis"),
        ("lambda", "/2018-10-31/layers"),
    ];
    for (service, path) in tables {
        let answer = cloud.get(path).service(service).send().await?;
        ensure!(answer.status.is_client_error());
        ensure!(answer.header("x-amzn-errortype") == "UnknownOperationException");
        let says = format!("no operation GET {path} of {service}: docs/compatibility");
        ensure!(answer.text().contains(&says), "{}", answer.text());
    }
    let keys = cloud.get("/2020-05-31/key-group").service("cloudfront");
    let answer = keys.send().await?.expect(400)?;
    ensure!(answer.header("content-type") == "text/xml");
    let says = "no operation GET /2020-05-31/key-group of cloudfront";
    ensure!(
        answer.element("Message")?.contains(says),
        "{}",
        answer.text()
    );

    let path = "/service/GraniteServiceVersion20100801/operation/ListMetrics";
    let metrics = cloud
        .post(path)
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
        .service("monitoring");
    let answer = metrics.send().await?.expect(400)?;
    ensure!(answer.header("smithy-protocol") == "rpc-v2-cbor");
    ensure!(
        answer
            .body
            .starts_with(b"\xa2\x66__type\x78\x19UnknownOperationException")
    );
    ensure!(
        answer
            .text()
            .contains("no operation ListMetrics of monitoring")
    );
    Ok(())
}
