//! What each operation refuses by its reference page: numbers out of range, tokens that were
//! never given out, names that cannot be.

use crate::client::Cloud;
use anyhow::{Context, Result, ensure};

#[tokio::test]
async fn firehose_refuses_what_its_parameters_cannot_be() -> Result<()> {
    let cloud = Cloud::start().await?;
    let long = format!(r#"{{"DeliveryStreamName":"{}"}}"#, "s".repeat(65));
    let long = long.as_str();
    let invalid = "ValidationException";
    for (action, input, expected) in [
        ("ListDeliveryStreams", r#"{"Limit":0}"#, invalid),
        ("ListDeliveryStreams", r#"{"Limit":-1}"#, invalid),
        ("ListDeliveryStreams", r#"{"Limit":10001}"#, invalid),
        (
            "ListDeliveryStreams",
            r#"{"Limit":"1"}"#,
            "SerializationException",
        ),
        (
            "ListDeliveryStreams",
            r#"{"DeliveryStreamType":"Direct"}"#,
            invalid,
        ),
        (
            "ListDeliveryStreams",
            r#"{"ExclusiveStartDeliveryStreamName":"a b"}"#,
            invalid,
        ),
        (
            "DescribeDeliveryStream",
            r#"{"DeliveryStreamName":"s","Limit":0}"#,
            invalid,
        ),
        (
            "DescribeDeliveryStream",
            r#"{"DeliveryStreamName":"s","ExclusiveStartDestinationId":"a_b"}"#,
            invalid,
        ),
        (
            "DescribeDeliveryStream",
            r#"{"DeliveryStreamName":"a/b"}"#,
            invalid,
        ),
        ("DescribeDeliveryStream", long, invalid),
        (
            "PutRecord",
            r#"{"DeliveryStreamName":"a b","Record":{"Data":""}}"#,
            invalid,
        ),
        (
            "PutRecord",
            r#"{"DeliveryStreamName":"s","Record":{"Data":""}}"#,
            "ResourceNotFoundException",
        ),
    ] {
        let call = cloud
            .post("/")
            .service("firehose")
            .header("x-amz-target", format!("Firehose_20150804.{action}"))
            .header("content-type", "application/x-amz-json-1.1");
        let answer = call.body(input).send().await?;
        let text = answer.expect(400).context(input.to_owned())?.text();
        ensure!(text.contains(expected), "{action} {input}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn lambda_refuses_what_its_parameters_cannot_be() -> Result<()> {
    let cloud = Cloud::start().await?;
    let functions = "/2015-03-31/functions/";
    let invalid = "ValidationException";
    for (path, name, value, expected) in [
        ("", "MaxItems", "0", invalid),
        ("", "MaxItems", "10001", invalid),
        ("", "MaxItems", "many", invalid),
        ("", "FunctionVersion", "SOME", invalid),
        ("", "Marker", "never", "InvalidParameterValueException"),
        ("f", "Qualifier", "a b", invalid),
        ("a~b", "Qualifier", "1", invalid),
    ] {
        let call = cloud.get(&format!("{functions}{path}")).service("lambda");
        let answer = call.query(name, value).send().await?;
        let text = answer
            .expect(400)
            .context(format!("{name}={value}"))?
            .text();
        ensure!(text.contains(expected), "{path} {name}={value}: {text}");
    }
    let invoke = cloud.post(&format!("{functions}f/invocations"));
    let invoke = invoke.service("lambda").header("x-amz-log-type", "Head");
    let text = invoke.send().await?.expect(400)?.text();
    ensure!(text.contains(invalid), "{text}");
    Ok(())
}
