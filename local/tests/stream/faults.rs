//! Faults on request, seen from both ends: what the API answers, and what gets to the bucket.

use crate::pipeline::{FUNCTION_ARN, Pipeline, parameter};
use anyhow::{Context, Result, ensure};
use cloud_core::faults::{Fault, FaultKind as Kind};
use serde_json::{Value, json};

fn fault(service: &str, operation: &str, fault: Kind, calls: u64) -> Fault {
    Fault {
        service: service.to_owned(),
        operation: Some(operation.to_owned()),
        calls: Some(calls),
        fault,
        delay_ms: None,
    }
}

/// `PUT /` of an API in front of the stream, which tells failures apart; gives its URL.
pub async fn api(pipeline: &Pipeline) -> Result<String> {
    let world = &pipeline.world;
    let declare = async |kind: &str, name: &str, inputs: Value| {
        let (first, rest) = kind.split_at(1);
        let token = format!("aws:apigateway/{}{rest}:{kind}", first.to_lowercase());
        world.deploy(&token, name, inputs).await
    };
    let may_put = json!([{ "Effect": "Allow", "Action": "firehose:PutRecord", "Resource": "*" }]);
    let role = world
        .role("api", "apigateway.amazonaws.com", may_put)
        .await?;
    let api = declare("RestApi", "api", json!({ "name": "api" })).await?;
    let method = |inputs: Value| {
        let mut all = json!({
            "restApi": api.resource.id,
            "resourceId": api.resource.output("rootResourceId"),
            "httpMethod": "PUT",
        });
        for (name, value) in inputs.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        all
    };
    declare("Method", "put", method(json!({ "authorization": "NONE" }))).await?;
    let template =
        r#"{"DeliveryStreamName":"s","Record":{"Data":"$util.base64Encode($input.json('$'))"}}"#;
    let integration = json!({
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:firehose:action/PutRecord",
        "credentials": role.resource.output("arn"),
        "timeoutMilliseconds": 5000,
        "requestParameters": {
            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
        },
        "requestTemplates": { "application/json": template },
    });
    declare("Integration", "put", method(integration)).await?;
    for (status, pattern) in [
        ("200", None),
        ("503", Some(r"5\d{2}")),
        ("502", Some(r"4\d{2}")),
    ] {
        let response = method(json!({ "statusCode": status }));
        declare("MethodResponse", status, response).await?;
        let mut response = method(json!({
            "statusCode": status,
            "responseTemplates": { "application/json": "$input.path('$.__type')" },
        }));
        if let Some(pattern) = pattern {
            response["selectionPattern"] = pattern.into();
        }
        declare("IntegrationResponse", status, response).await?;
    }
    let id = json!({ "restApi": api.resource.id });
    let deployment = declare("Deployment", "deployment", id).await?;
    let stage = json!({
        "restApi": api.resource.id,
        "stageName": "prod",
        "deployment": deployment.resource.id,
    });
    declare("Stage", "prod", stage).await?;
    let port = world.server.endpoints().api;
    Ok(format!("http://127.0.0.1:{port}/{}/prod/", api.resource.id))
}

pub async fn put(url: &str, body: Value) -> Result<(u16, String)> {
    // Another test may have given it one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let response = client.put(url).json(&body).send().await?;
    Ok((response.status().as_u16(), response.text().await?))
}

#[tokio::test]
async fn the_api_says_what_firehose_said_and_stores_what_it_reported() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let url = api(&pipeline).await?;
    let cloud = pipeline.world.cloud();
    let faults = &cloud.context.faults;
    for (kind, code) in [
        (Kind::Throttle, "ServiceUnavailableException"),
        (Kind::Fail, "InternalFailure"),
    ] {
        faults.set(fault("firehose", "PutRecord", kind, 1));
        let answer = put(&url, json!("refused")).await?;
        ensure!(answer == (503, code.to_owned()), "{answer:?}");
    }
    faults.set(Fault {
        delay_ms: Some(900_000),
        ..fault("firehose", "PutRecord", Kind::Slow, 1)
    });
    let (status, answer) = put(&url, json!("too late")).await?;
    ensure!(
        status == 504 && answer.contains("Endpoint request timed out"),
        "{answer}"
    );
    faults.set(Fault {
        delay_ms: Some(1),
        ..fault("firehose", "PutRecord", Kind::Slow, 1)
    });
    let (status, answer) = put(&url, json!("taken")).await?;
    ensure!(status == 200, "{answer}");
    ensure!(pipeline.objects("firehose/", 1).await? == ["\"TAKEN\""]);
    Ok(())
}

#[tokio::test]
async fn what_the_pipeline_meets_on_its_way_is_repeated_and_logged() -> Result<()> {
    let parameters = json!([
        parameter("LambdaArn", &format!("{FUNCTION_ARN}:$LATEST")),
        parameter("NumberOfRetries", "1"),
        parameter("BufferSizeInMBs", "0.5"),
        parameter("BufferIntervalInSeconds", "0"),
    ]);
    let once = json!({ "processingConfiguration": {
        "enabled": true,
        "processors": [{ "type": "Lambda", "parameters": parameters }],
    } });
    let pipeline = Pipeline::start_with(json!({}), once).await?;
    let cloud = pipeline.world.cloud();
    let faults = &cloud.context.faults;
    faults.set(fault("lambda", "Invoke", Kind::Throttle, 1));
    faults.set(fault("s3", "PutObject", Kind::Throttle, 1));
    pipeline.put(&["late"]).await?;
    ensure!(pipeline.objects("firehose/", 1).await? == ["LATE"]);
    pipeline.logged("Lambda.InvokeLimitExceeded").await?;
    pipeline.logged("InternalError").await?;
    ensure!(faults.all().is_empty());

    // One repetition is not enough any more.
    faults.set(fault("lambda", "Invoke", Kind::Throttle, 2));
    pipeline.put(&["never"]).await?;
    let failed = pipeline.objects("errors/", 1).await?;
    let failed: Value = serde_json::from_str(failed.first().context("a line")?)?;
    ensure!(
        failed["errorCode"] == "Lambda.InvokeLimitExceeded",
        "{failed}"
    );
    ensure!(failed["attemptsMade"] == 2, "{failed}");
    Ok(())
}
