//! Values that the real provider and AWS are particular about, each with where that was read.

use anyhow::Result;
use serde_json::{Value, json};

use super::cloud::package;
use super::{all, mock, one, run};

/// aws package, FirehoseDeliveryStream, processors' parameters: parameters with their default
/// values (NumberOfRetries 3, RoleArn the stream's, BufferSizeInMBs 1, BufferIntervalInSeconds 60)
/// are not stored, and differ at every preview; the resource version belongs to the function's ARN.
#[test]
fn no_processor_parameter_has_its_default() -> Result<()> {
    let run = run(mock())?;
    let stream = one(&run, "kinesis/firehoseDeliveryStream", "mysfits-clicks")?;
    let s3 = &stream.inputs["extendedS3Configuration"];
    assert_eq!(
        s3["processingConfiguration"],
        json!({
            "enabled": true,
            "processors": [{
                "type": "Lambda",
                "parameters": [
                    {
                        "parameterName": "LambdaArn",
                        "parameterValue": "arn:aws:lambda:eu-west-1:123456789012:function:mysfits-processor-1a2b3c4:$LATEST",
                    },
                    { "parameterName": "BufferSizeInMBs", "parameterValue": "0.3" },
                    { "parameterName": "BufferIntervalInSeconds", "parameterValue": "30" },
                ],
            }],
        })
    );
    assert_eq!(stream.inputs["destination"], "extended_s3");
    assert_eq!(s3["prefix"], "firehose/");
    // Firehose, "Custom prefixes": an error prefix with an expression names the type of the error,
    // and gets no date of its own.
    assert_eq!(
        s3["errorOutputPrefix"],
        "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    );
    Ok(())
}

/// CloudFront: the default certificate forces TLSv1 as minimum; another value never settles.
#[test]
fn the_default_certificate_comes_without_a_minimum_of_tls() -> Result<()> {
    let run = run(mock())?;
    let distribution = one(&run, "cloudfront/distribution", "mysfits-site")?;
    assert_eq!(
        distribution.inputs["viewerCertificate"],
        json!({ "cloudfrontDefaultCertificate": true })
    );
    assert_eq!(
        distribution.inputs["defaultCacheBehavior"]["viewerProtocolPolicy"],
        "redirect-to-https"
    );
    Ok(())
}

/// API Gateway: with WHEN_NO_MATCH, a body of another content type passes by the template.
#[test]
fn nothing_passes_by_the_templates() -> Result<()> {
    let run = run(mock())?;
    for integration in all(&run, "apigateway/integration") {
        assert_eq!(integration.inputs["passthroughBehavior"], "NEVER");
    }
    let put = one(&run, "apigateway/integration", "mysfits-api-put")?;
    assert_eq!(put.inputs["type"], "AWS");
    assert_eq!(put.inputs["integrationHttpMethod"], "POST");
    assert_eq!(
        put.inputs["uri"],
        "arn:aws:apigateway:eu-west-1:firehose:action/PutRecord"
    );
    assert_eq!(
        put.inputs["requestTemplates"]["application/json"],
        r#"{"DeliveryStreamName": "mysfits-clicks-1a2b3c4", "Record": {"Data": "$util.base64Encode($input.json('$'))"}}"#
    );
    Ok(())
}

/// API Gateway: the answer without a pattern takes whatever no pattern matches, so a refused
/// record would count as stored without patterns for 4xx and 5xx.
#[test]
fn only_a_stored_click_is_ok() -> Result<()> {
    let run = run(mock())?;
    let pattern = |status: &str| -> Result<Value> {
        let name = format!("mysfits-api-put-{status}");
        let answer = one(&run, "apigateway/integrationResponse", &name)?;
        Ok(answer.inputs["selectionPattern"].clone())
    };
    assert_eq!(pattern("200")?, Value::Null);
    assert_eq!(pattern("502")?, r"4\d{2}");
    assert_eq!(pattern("503")?, r"5\d{2}");
    let later = one(
        &run,
        "apigateway/integrationResponse",
        "mysfits-api-put-503",
    )?;
    let headers = &later.inputs["responseParameters"];
    assert_eq!(headers["method.response.header.Retry-After"], "'1'");
    Ok(())
}

/// API Gateway: a model is named by letters and digits, and checked by its validator.
#[test]
fn what_is_no_click_is_refused_before_firehose() -> Result<()> {
    let run = run(mock())?;
    let put = one(&run, "apigateway/method", "mysfits-api-put")?;
    assert_eq!(
        put.inputs["requestModels"],
        json!({ "application/json": "Click" })
    );
    assert_eq!(put.inputs["requestValidatorId"], "mysfits-api-body-id");
    let validator = one(&run, "apigateway/requestValidator", "mysfits-api-body")?;
    assert_eq!(validator.inputs["validateRequestBody"], true);
    let model = one(&run, "apigateway/model", "mysfits-api-click")?;
    let schema: Value = serde_json::from_str(model.inputs["schema"].as_str().unwrap_or_default())?;
    let uuid = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";
    assert_eq!(
        schema,
        json!({
            "$schema": "http://json-schema.org/draft-04/schema#",
            "title": "Click",
            "type": "object",
            "properties": {
                "userId": { "type": "string", "minLength": 1, "maxLength": 128 },
                "mysfitId": { "type": "string", "pattern": uuid },
                "clickId": { "type": "string", "pattern": uuid },
            },
            "required": ["userId", "mysfitId"],
            "additionalProperties": false,
        })
    );
    Ok(())
}

/// Lambda: `provided.al2023` starts an executable named `bootstrap`.
#[test]
fn the_function_is_the_packaged_bootstrap() -> Result<()> {
    for (configured, architecture, file) in [
        (None, "x86_64", "bootstrap.zip"),
        (Some("x86_64"), "x86_64", "bootstrap.zip"),
        (Some("arm64"), "arm64", "bootstrap-arm64.zip"),
        (Some("host"), "arm64", "bootstrap-arm64-quick.zip"),
    ] {
        let mut mock = mock().env("PULUMI_RUST_LAMBDA", &package(file, architecture));
        if let Some(configured) = configured {
            mock = mock.config("mysfits:architecture", configured);
        }
        let run = run(mock)?;
        let function = one(&run, "lambda/function", "mysfits-processor")?;
        let inputs = &function.inputs;
        assert_eq!(inputs["runtime"], "provided.al2023");
        assert_eq!(inputs["handler"], "bootstrap");
        assert_eq!(inputs["architectures"], json!([architecture]));
        assert_eq!(
            inputs["code"],
            pulumi_mock::value::file_archive(&format!("target/lambda/{file}"))
        );
        assert_eq!(
            (&inputs["memorySize"], &inputs["timeout"]),
            (&json!(128), &json!(30))
        );
    }
    Ok(())
}

/// Lambda takes any zip, and a binary for another machine cannot start.
#[test]
fn a_package_for_another_architecture_is_refused() -> Result<()> {
    for (configured, packaged) in [(None, "arm64"), (Some("arm64"), "x86_64")] {
        let mut mock = mock().env("PULUMI_RUST_LAMBDA", &package("bootstrap.zip", packaged));
        if let Some(configured) = configured {
            mock = mock.config("mysfits:architecture", configured);
        }
        let run = mock.preview().run(env!("CARGO_BIN_EXE_infra"))?;
        let errors = run.errors().join("\n");
        let wanted = configured.unwrap_or("x86_64");
        let expected = format!(
            "mysfits:architecture is {wanted}, and the processor was packaged for {packaged}"
        );
        assert!(errors.contains(&expected), "{errors}");
        assert!(
            run.resources.iter().all(|resource| !resource.custom),
            "{run}"
        );
    }
    Ok(())
}

/// A host of another repository, or of an older commit.
#[test]
fn a_host_that_packages_nothing_is_refused() -> Result<()> {
    let run = mock()
        .env("PULUMI_RUST_LAMBDA", "")
        .run(env!("CARGO_BIN_EXE_infra"))?;
    let errors = run.errors().join("\n");
    assert!(errors.contains("PULUMI_RUST_LAMBDA"), "{errors}");
    Ok(())
}
