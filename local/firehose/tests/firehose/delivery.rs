//! Streams: what they are declared to do, what they take, and what becomes of it.

use crate::pipeline::{FUNCTION_ARN, Pipeline, configuration, delivery_role, parameter};
use crate::support::{STREAM, World};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

#[tokio::test]
async fn each_record_of_a_batch_has_its_own_fate() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    pipeline
        .put(&["a ", "drop b", "fail c", "forget d", "twice e", "f "])
        .await?;
    ensure!(pipeline.objects("firehose/", 1).await? == ["A F "]);
    let failed = pipeline.objects("errors/processing-failed/", 1).await?;
    let failed: Vec<Value> = failed[0]
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let codes: Vec<_> = failed.iter().map(|line| &line["errorCode"]).collect();
    ensure!(
        codes
            == [
                "Lambda.ProcessingFailedStatus",
                "Lambda.MissingRecordId",
                "Lambda.DuplicatedRecordId"
            ],
        "{codes:?}"
    );
    ensure!(failed[0]["rawData"] == STANDARD.encode("fail c"));
    ensure!(failed[0]["lambdaARN"] == format!("{FUNCTION_ARN}:$LATEST"));
    Ok(())
}

#[tokio::test]
async fn what_was_put_before_a_stop_is_delivered_once() -> Result<()> {
    let long = json!({ "bufferingInterval": 900, "bufferingSize": 128 });
    let pipeline = Pipeline::start_with(json!({}), long).await?;
    pipeline.put(&["a ", "b "]).await?;
    let pipeline = pipeline.restart().await?;
    ensure!(pipeline.objects("firehose/", 1).await? == ["A B "]);
    pipeline.put(&["c "]).await?;
    let pipeline = pipeline.restart().await?;
    let mut all = pipeline.objects("firehose/", 2).await?;
    all.sort();
    ensure!(all == ["A B ", "C "], "{all:?}");
    Ok(())
}

#[tokio::test]
async fn a_stream_is_described_and_listed_as_firehose_does() -> Result<()> {
    let mut pipeline = Pipeline::start().await?;
    let name = json!({ "DeliveryStreamName": "s" });
    let answer = pipeline
        .call("DescribeDeliveryStream", name.clone())
        .await?;
    let described = &answer["DeliveryStreamDescription"];
    ensure!(described["DeliveryStreamStatus"] == "ACTIVE" && described["VersionId"] == "1");
    let destination = &described["Destinations"][0]["ExtendedS3DestinationDescription"];
    ensure!(destination["BufferingHints"] == json!({ "SizeInMBs": 1, "IntervalInSeconds": 0 }));
    ensure!(destination["Prefix"] == "firehose/", "{destination}");
    let listed = pipeline.call("ListDeliveryStreams", json!({})).await?;
    ensure!(listed == json!({ "DeliveryStreamNames": ["s"], "HasMoreDeliveryStreams": false }));

    let mut changed = pipeline.stream.resource.inputs["extendedS3Configuration"].clone();
    changed["compressionFormat"] = "GZIP".into();
    let changes = json!({ "extendedS3Configuration": changed });
    pipeline.stream = pipeline.world.update(&pipeline.stream, changes).await?;
    let answer = pipeline
        .call("DescribeDeliveryStream", name.clone())
        .await?;
    ensure!(
        answer["DeliveryStreamDescription"]["VersionId"] == "2",
        "{answer}"
    );
    let tags = json!({ "tags": { "a": "b" } });
    pipeline.stream = pipeline.world.update(&pipeline.stream, tags).await?;
    ensure!(
        pipeline.stream.resource.output("versionId") == "2",
        "tags change no version"
    );

    pipeline.world.delete(&pipeline.stream).await?;
    let gone = pipeline.call("DescribeDeliveryStream", name).await;
    ensure!(
        gone.err()
            .context("gone")?
            .to_string()
            .contains("ResourceNotFoundException")
    );
    Ok(())
}

#[tokio::test]
async fn parameters_at_their_defaults_are_not_stored_as_on_aws() -> Result<()> {
    let defaults = json!({
        "enabled": true,
        "processors": [{
            "type": "Lambda",
            "parameters": [
                parameter("LambdaArn", FUNCTION_ARN),
                parameter("NumberOfRetries", "3"),
                parameter("BufferSizeInMBs", "1.0"),
                parameter("BufferIntervalInSeconds", "30"),
            ],
        }],
    });
    let changes = json!({ "processingConfiguration": defaults });
    let pipeline = Pipeline::start_with(json!({}), changes).await?;
    let account = pipeline.world.account();
    let declared = account.package.resource_type(STREAM).context("the type")?;
    let known = pipeline.stream.resource.clone();
    let id = known.id.clone();
    let read = declared
        .of
        .read(&known.scope(), &id, Some(known.clone()))
        .await?;
    let configuration = &read.context("it is there")?.inputs["extendedS3Configuration"];
    let parameters = &configuration["processingConfiguration"]["processors"][0]["parameters"];
    let expected = json!([
        parameter("LambdaArn", FUNCTION_ARN),
        parameter("BufferIntervalInSeconds", "30"),
    ]);
    ensure!(*parameters == expected, "{parameters}");
    Ok(())
}

#[tokio::test]
async fn put_refuses_what_firehose_refuses() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let data = |length: usize| json!({ "Data": STANDARD.encode("x".repeat(length)) });
    let one = |record: Value| json!({ "DeliveryStreamName": "s", "Record": record });
    let many = |records: Vec<Value>| json!({ "DeliveryStreamName": "s", "Records": records });
    let cases = [
        ("PutRecord", one(data(1_024_001)), "ValidationException"),
        (
            "PutRecord",
            one(json!({ "Data": "%%" })),
            "SerializationException",
        ),
        ("PutRecord", one(json!({})), "ValidationException"),
        (
            "PutRecord",
            json!({ "Record": data(1) }),
            "ValidationException",
        ),
        (
            "PutRecord",
            json!({ "DeliveryStreamName": 7 }),
            "SerializationException",
        ),
        (
            "PutRecord",
            json!({ "DeliveryStreamName": "none", "Record": data(1) }),
            "ResourceNotFoundException",
        ),
        ("PutRecordBatch", many(vec![]), "ValidationException"),
        (
            "PutRecordBatch",
            many(vec![data(1); 501]),
            "ValidationException",
        ),
        (
            "PutRecordBatch",
            many(vec![data(1_000_000); 5]),
            "InvalidArgumentException",
        ),
        (
            "CreateDeliveryStream",
            json!({}),
            "UnknownOperationException",
        ),
    ];
    for (action, input, code) in cases {
        let refused = pipeline.call(action, input).await;
        let refused = refused.err().context(code)?.to_string();
        ensure!(refused.starts_with(code), "{refused}");
    }
    pipeline.call("PutRecord", one(data(1_024_000))).await?;
    pipeline
        .call("PutRecordBatch", many(vec![data(1_000_000); 4]))
        .await?;
    pipeline.put(&[""]).await?;
    Ok(())
}

#[tokio::test]
async fn a_stream_that_cannot_be_is_refused_by_name() -> Result<()> {
    let world = World::start().await?;
    let (role, _) = delivery_role(&world).await?;
    let role = role.resource.output("arn");
    let stranger = world.role("stranger", "lambda.amazonaws.com").await?;
    let processors = |parameters: Value| json!({ "enabled": true, "processors": [{ "type": "Lambda", "parameters": parameters }] });
    let lambda = parameter("LambdaArn", FUNCTION_ARN);
    let cases = [
        (
            "roleArn",
            json!(stranger.resource.output("arn")),
            "unable to assume role",
        ),
        ("bucketArn", json!("clicks"), "is not the ARN of a bucket"),
        ("bufferingSize", json!(129), "129 is not within 1 to 128"),
        (
            "bufferingInterval",
            json!(901),
            "901 is not within 0 to 900",
        ),
        ("compressionFormat", json!("ZIP"), "GZIP or not at all"),
        ("prefix", json!("!{timestamp:EEE}"), "'EEE' is none of them"),
        (
            "errorOutputPrefix",
            json!("!{timestamp:yyyy}"),
            "error-output-type",
        ),
        ("customTimeZone", json!("Asia/Tokyo"), "UTC"),
        ("s3BackupMode", json!("Enabled"), "no backup"),
        ("kmsKeyArn", json!("arn:aws:kms:x"), "nothing with KMS"),
        ("fileExtension", json!("json"), "must be a '.'"),
        (
            "dynamicPartitioningConfiguration",
            json!({ "enabled": true }),
            "dynamicPartitioning",
        ),
        (
            "processingConfiguration",
            processors(json!([])),
            "not the ARN of a function",
        ),
        (
            "processingConfiguration",
            processors(json!([lambda, parameter("BufferSizeInMBs", "2")])),
            "must be given together",
        ),
        (
            "processingConfiguration",
            processors(json!([
                lambda,
                parameter("BufferSizeInMBs", "3.1"),
                parameter("BufferIntervalInSeconds", "0"),
            ])),
            "3.1 is not within 0.2 to 3",
        ),
        (
            "processingConfiguration",
            processors(json!([lambda, parameter("NumberOfRetries", "301")])),
            "301 is not within 0 to 300",
        ),
        (
            "processingConfiguration",
            processors(json!([lambda, parameter("SubRecordType", "JSON")])),
            "is no parameter of a processor of type Lambda",
        ),
        (
            "processingConfiguration",
            json!({ "enabled": true, "processors": [{ "type": "AppendDelimiterToRecord" }] }),
            "has the processor Lambda, not AppendDelimiterToRecord",
        ),
    ];
    for (property, value, reason) in cases {
        let mut configuration = configuration(role);
        configuration[property] = value;
        let stream = json!({
            "name": "s",
            "destination": "extended_s3",
            "extendedS3Configuration": configuration,
        });
        let refused = world.deploy(STREAM, "s", stream).await;
        let refused = refused
            .err()
            .with_context(|| format!("{property}: {reason}"))?;
        ensure!(refused.message.contains(reason), "{property}: {refused}");
    }
    Ok(())
}
