//! What an operator asks of the cloud itself, over HTTP, and what clients see of it.

use crate::client::{Answer, Cloud, http};
use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

/// One request to `/_mysfits/PATH`.
async fn operator(cloud: &Cloud, request: &str, body: &str) -> Result<(u16, Value)> {
    let (method, path) = request.split_once(' ').context("METHOD PATH")?;
    let url = format!("http://{}/_mysfits/{path}", cloud.address());
    let method = Method::from_bytes(method.as_bytes())?;
    let request = http().request(method, url).body(body.to_owned());
    let answer = Answer::read(request.send().await?).await?;
    Ok((
        answer.status.as_u16(),
        serde_json::from_slice(&answer.body)?,
    ))
}

async fn switch_on(cloud: &Cloud, fault: Value) -> Result<()> {
    let (status, answer) = operator(cloud, "PUT faults", &fault.to_string()).await?;
    ensure!(status == 200, "{answer}");
    Ok(())
}

/// One call of each service, as clients make it.
async fn call(cloud: &Cloud, service: &str) -> Result<Answer> {
    let call = match service {
        "firehose" => cloud
            .post("/")
            .service("firehose")
            .header("x-amz-target", "Firehose_20150804.ListDeliveryStreams")
            .body("{}"),
        "lambda" => cloud
            .post("/2015-03-31/functions/none/invocations")
            .service("lambda"),
        _ => cloud.get("/bucket").query("list-type", 2),
    };
    call.send().await
}

#[tokio::test]
async fn a_fault_gives_each_service_its_own_error_for_so_many_calls() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let cases = [
        ("firehose", "throttle", 500, "ServiceUnavailableException"),
        ("firehose", "fail", 500, "InternalFailure"),
        ("lambda", "throttle", 429, "TooManyRequestsException"),
        ("lambda", "fail", 500, "ServiceException"),
        ("s3", "throttle", 503, "SlowDown"),
        ("s3", "fail", 500, "InternalError"),
    ];
    for (service, fault, status, code) in cases {
        let usual = call(&cloud, service).await?.status;
        switch_on(
            &cloud,
            json!({ "service": service, "fault": fault, "calls": 2 }),
        )
        .await?;
        for _ in 0..2 {
            let answer = call(&cloud, service).await?.expect(status)?;
            let said = match service {
                "s3" => answer.element("Code")?,
                _ => {
                    let said: Value = serde_json::from_slice(&answer.body)?;
                    ensure!(answer.header("x-amzn-errortype") == code, "{said}");
                    said["__type"].as_str().context("__type")?.to_owned()
                }
            };
            ensure!(said == code, "{service} {fault}: {said}");
        }
        call(&cloud, service).await?.expect(usual.as_u16())?;
    }
    Ok(())
}

#[tokio::test]
async fn faults_are_listed_with_the_calls_that_are_left_and_cleared() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let lists =
        json!({ "service": "s3", "operation": "ListObjectsV2", "calls": 2, "fault": "fail" });
    switch_on(&cloud, lists).await?;
    switch_on(&cloud, json!({ "service": "s3", "fault": "throttle" })).await?;
    // The operation's own fault comes before the service's, which has no end.
    call(&cloud, "s3").await?.refused(500, "InternalError")?;
    cloud
        .get("/bucket/key")
        .send()
        .await?
        .refused(503, "SlowDown")?;
    let (_, listed) = operator(&cloud, "GET faults", "").await?;
    let expected = json!({ "faults": [
        { "service": "s3", "operation": "ListObjectsV2", "calls": 1, "fault": "fail" },
        { "service": "s3", "fault": "throttle" },
    ] });
    ensure!(listed == expected, "{listed}");
    let (_, cleared) = operator(&cloud, "DELETE faults", "").await?;
    ensure!(cleared == json!({ "faults": [] }), "{cleared}");
    call(&cloud, "s3").await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn what_is_no_fault_is_refused_with_the_reason() -> Result<()> {
    let cloud = Cloud::start().await?;
    for (fault, reason) in [
        (r#"{"service":"s3""#, "EOF"),
        (r#"{"fault":"fail"}"#, "missing field `service`"),
        (
            r#"{"service":"sqs","fault":"fail"}"#,
            "unknown variant `sqs`, expected one of `firehose`, `lambda`, `provider`, `s3`",
        ),
        (
            r#"{"service":"s3","fault":"explode"}"#,
            "expected one of `slow`, `throttle`, `fail`, `settings`",
        ),
        (
            r#"{"service":"s3","fault":"fail","call":1}"#,
            "unknown field `call`",
        ),
        (
            r#"{"service":"lambda","operation":"PutRecord","fault":"fail"}"#,
            "operation: PutRecord is none of Invoke",
        ),
        (
            r#"{"service":"s3","fault":"fail","calls":0}"#,
            "calls: must be 1 or more",
        ),
        (
            r#"{"service":"s3","fault":"slow"}"#,
            "delayMs: must be given with the fault slow, as 1 to 900000",
        ),
        (
            r#"{"service":"s3","fault":"fail","delayMs":5}"#,
            "delayMs: is for the fault slow alone",
        ),
    ] {
        let (status, answer) = operator(&cloud, "PUT faults", fault).await?;
        let said = answer["message"].as_str().unwrap_or_default();
        ensure!(status == 400 && said.contains(reason), "{fault}: {answer}");
    }
    let (status, answer) = operator(&cloud, "GET nothing", "").await?;
    ensure!(status == 404, "{answer}");
    let (_, listed) = operator(&cloud, "GET faults", "").await?;
    ensure!(listed == json!({ "faults": [] }), "{listed}");
    Ok(())
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_ask_for_any_of_it() -> Result<()> {
    let cloud = Cloud::start().await?;
    let url = format!("http://{}/_mysfits/faults", cloud.address());
    let fault = r#"{"service":"s3","fault":"fail"}"#;
    for (header, value) in [
        ("origin", "http://127.0.0.1:20003"),
        ("host", "example.com"),
    ] {
        let request = http().put(&url).header(header, value).body(fault);
        let status = request.send().await?.status();
        ensure!(status == 403, "{header}: {status}");
    }
    let (_, listed) = operator(&cloud, "GET faults", "").await?;
    ensure!(listed == json!({ "faults": [] }), "{listed}");
    Ok(())
}
