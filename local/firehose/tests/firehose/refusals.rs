//! What each operation refuses by its reference page: numbers out of range, names that cannot be.

use crate::support::World;
use anyhow::{Context, Result, ensure};

#[tokio::test]
async fn firehose_refuses_what_its_parameters_cannot_be() -> Result<()> {
    let cloud = World::start().await?;
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
