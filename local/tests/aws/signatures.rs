//! What a signature has to cover, and for which service and region it is good.

use crate::client::{Answer, Call, Cloud};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// One call of a service's JSON protocol, not sent yet.
fn json_call<'a>(cloud: &'a Cloud, service: &'static str, target: &str, input: &Value) -> Call<'a> {
    cloud
        .post("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .service(service)
        .body(input.to_string())
}

fn code(answer: &Answer) -> Result<String> {
    let body: Value = serde_json::from_slice(&answer.body)
        .with_context(|| format!("no JSON: {}", answer.text()))?;
    Ok(body["__type"].as_str().unwrap_or_default().to_owned())
}

fn refused(answer: &Answer, says: &str) -> Result<()> {
    ensure!(
        answer.status == 403 && code(answer)? == "InvalidSignatureException",
        "{}: {}",
        answer.status,
        answer.text()
    );
    ensure!(answer.text().contains(says), "{}", answer.text());
    Ok(())
}

const CALLS: [(&str, &str); 3] = [
    ("firehose", "Firehose_20150804.ListDeliveryStreams"),
    ("logs", "Logs_20140328.DescribeLogGroups"),
    ("kms", "TrentService.DescribeKey"),
];

#[tokio::test]
async fn a_signature_is_good_for_the_service_it_names() -> Result<()> {
    let cloud = Cloud::start().await?;
    for (service, target) in CALLS {
        let right = json_call(&cloud, service, target, &json!({}))
            .send()
            .await?;
        ensure!(right.status != 403, "{service}: {}", right.text());
        for other in ["s3", "lambda", "sts", "bogus", "firehose2"] {
            let answer = json_call(&cloud, other, target, &json!({})).send().await?;
            refused(&answer, &format!("correct service: '{service}'"))?;
        }
    }
    for other in ["s3", "logs", "bogus"] {
        let functions = cloud.get("/2015-03-31/functions").service(other);
        refused(&functions.send().await?, "correct service: 'lambda'")?;

        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        let identity = cloud
            .post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .service(other)
            .body(form);
        let answer = identity.send().await?.expect(403)?;
        ensure!(answer.element("Code")? == "SignatureDoesNotMatch");
        ensure!(
            answer
                .element("Message")?
                .contains("correct service: 'sts'")
        );

        let path = "/2020-05-31/distribution/E1/invalidation";
        let invalidations = cloud.get(path).service(other).send().await?.expect(403)?;
        ensure!(invalidations.element("Code")? == "SignatureDoesNotMatch");
    }
    for other in ["logs", "firehose", "bogus"] {
        let buckets = cloud.get("/").service(other).send().await?;
        buckets.refused(400, "AuthorizationHeaderMalformed")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_signature_covers_the_host_and_all_headers_of_amazons() -> Result<()> {
    let cloud = Cloud::start().await?;
    let (service, target) = CALLS[0];
    for header in ["host", "x-amz-target", "x-amz-date", "x-amz-content-sha256"] {
        let call = json_call(&cloud, service, target, &json!({})).without_signing(header);
        let says = format!("'{header}' must be a 'SignedHeader'");
        refused(&call.send().await?, &says)?;
    }
    let more = |name: &'static str| {
        json_call(&cloud, service, target, &json!({}))
            .header(name, "x")
            .without_signing(name)
    };
    refused(&more("x-amz-whatever").send().await?, "x-amz-whatever")?;
    more("amz-sdk-invocation-id").send().await?.expect(200)?;
    more("x-amzn-trace-id").send().await?.expect(200)?;

    let functions = cloud.get("/2015-03-31/functions").service("lambda");
    refused(&functions.without_signing("host").send().await?, "'host'")?;

    let unsigned = json_call(&cloud, "kms", "TrentService.Decrypt", &json!({})).anonymous();
    unsigned.send().await?.expect(403)?;
    Ok(())
}

#[tokio::test]
async fn a_request_is_answered_for_the_region_it_is_signed_for() -> Result<()> {
    let cloud = Cloud::start().await?;
    let group = json!({ "name": "g" });
    cloud
        .deploy("aws:cloudwatch/logGroup:LogGroup", "g", group)
        .await?;
    let target = "Logs_20140328.DescribeLogStreams";
    let streams =
        |region| json_call(&cloud, "logs", target, &json!({ "logGroupName": "g" })).region(region);
    streams("us-east-1").send().await?.expect(200)?;
    let elsewhere = streams("eu-west-1").send().await?.expect(400)?;
    ensure!(code(&elsewhere)? == "ResourceNotFoundException");

    let target = "Logs_20140328.DescribeLogGroups";
    let all = json_call(&cloud, "logs", target, &json!({})).region("eu-west-1");
    let all: Value = serde_json::from_slice(&all.send().await?.expect(200)?.body)?;
    ensure!(all == json!({ "logGroups": [] }), "{all}");

    let function = cloud
        .get("/2015-03-31/functions/f")
        .service("lambda")
        .region("eu-west-1");
    let answer = function.send().await?.expect(404)?;
    let says = "Function not found: arn:aws:lambda:eu-west-1:000000000000:function:f";
    ensure!(answer.text().contains(says), "{}", answer.text());
    Ok(())
}
