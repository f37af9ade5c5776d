//! Clients that are slow: each listener waits for them, and not forever.

use crate::client::{Cloud, signature};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_core::patience::Patience;
use http::Method;
use pulumi_gestalt_proto::pulumi::pulumirpc::PluginInfo;
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Endpoint;

/// Longer than anything here may take: a test that reaches it waits for something that never comes.
const TOO_LONG: Duration = Duration::from_secs(60);

/// A cloud that gives a body no longer than this, however much of it comes.
async fn impatient(body: Duration) -> Result<Cloud> {
    let patience = Patience {
        body,
        per_byte: Duration::ZERO,
        ..Patience::default()
    };
    let cloud = Cloud::with_patience(patience).await?;
    cloud.put("/bucket").send().await?.expect(200)?;
    Ok(cloud)
}

/// A request that never ends for each kind of listener, and what its refusal says. The sites do not
/// read bodies.
fn unfinished(cloud: &Cloud) -> Result<Vec<(u16, String, &'static str, &'static str)>> {
    let endpoints = cloud.server.endpoints();
    let put = cloud.call(Method::PUT, "/bucket/key").presigned(600)?;
    let object = put.split_once(&cloud.address()).context("no path")?.1;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let head = |line: &str, headers: &str| {
        let host = cloud.address();
        let length = 4_000_000;
        format!("{line} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n")
    };
    let too_slow = "did not arrive in full";
    Ok(vec![
        (
            endpoints.api,
            head("PUT /abcdefghij/prod/clicks", ""),
            "HTTP/1.1 408",
            "",
        ),
        (
            endpoints.aws,
            head("POST /", "X-Amz-Target: Firehose_20150804.PutRecord\r\n"),
            "HTTP/1.1 408",
            "RequestTimeout",
        ),
        (
            endpoints.aws,
            head("POST /2015-03-31/functions/f/invocations", ""),
            "HTTP/1.1 408",
            "RequestTimeout",
        ),
        (
            endpoints.aws,
            head("POST /2020-05-31/distribution/D/invalidation", ""),
            "HTTP/1.1 408",
            "RequestTimeout",
        ),
        (
            endpoints.aws,
            head("POST /", form),
            "HTTP/1.1 408",
            too_slow,
        ),
        (
            endpoints.aws,
            head(&format!("PUT {object}"), ""),
            "HTTP/1.1 400",
            "not read from or written to within the timeout period",
        ),
    ])
}

#[tokio::test]
async fn a_body_that_stays_away_is_not_waited_for() -> Result<()> {
    let cloud = impatient(Duration::ZERO).await?;
    let mut requests = unfinished(&cloud)?;
    let length = 60_000;
    let fault = format!(
        "PUT /_mysfits/faults HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    );
    let aws = cloud.server.endpoints().aws;
    requests.push((aws, fault, "HTTP/1.1 408", "did not arrive in full"));
    for (port, head, status, says) in requests {
        let exchange = async {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(head.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, anyhow::Error>(answer)
        };
        let answer = tokio::time::timeout(TOO_LONG, exchange).await;
        let answer = answer.with_context(|| head.clone())??;
        ensure!(answer.starts_with(status), "{head}{answer}");
        ensure!(answer.contains(says), "{head}{answer}");
        ensure!(answer.contains("connection: close"), "{head}{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_not_waited_for() -> Result<()> {
    /// Of these bytes no two are as far apart as a listener would wait, and all are together.
    const ENOUGH: usize = 5_000;
    let cloud = impatient(Duration::from_millis(200)).await?;
    for (port, head, status, says) in unfinished(&cloud)? {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let (mut reading, mut writing) = stream.into_split();
        writing.write_all(head.as_bytes()).await?;
        let endless = async {
            let mut pace = tokio::time::interval(Duration::from_millis(1));
            for _ in 0..ENOUGH {
                pace.tick().await;
                if writing.write_all(b"a").await.is_err() {
                    // The listener has closed the connection.
                    std::future::pending::<()>().await;
                }
            }
        };
        let mut answer = Vec::new();
        let answered = async {
            let mut piece = [0; 1024];
            // A connection that was closed with bytes on the way to it ends with an error.
            while let Ok(length @ 1..) = reading.read(&mut piece).await {
                answer.extend_from_slice(&piece[..length]);
            }
        };
        tokio::select! {
            () = answered => {}
            () = endless => anyhow::bail!("it still waits: {head}"),
        }
        let answer = String::from_utf8_lossy(&answer);
        ensure!(answer.starts_with(status), "{head}{answer}");
        ensure!(answer.contains(says), "{head}{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_push_that_does_not_end_is_not_waited_for() -> Result<()> {
    let cloud = impatient(Duration::ZERO).await?;
    let repository = json!({ "repositoryName": "r" });
    let token = "aws:codecommit/repository:Repository";
    cloud.deploy(token, "r", repository).await?;
    // The password is a signature, as `aws codecommit credential-helper` makes it.
    let format = format_description!("[year][month][day]T[hour][minute][second]");
    let date = OffsetDateTime::now_utc().format(&format)?;
    let scope = format!("{}/us-east-1/codecommit/aws4_request", &date[..8]);
    let canonical = "GIT\n/v1/repos/r\n\nhost:127.0.0.1\n\nhost\n";
    let signature = signature(&scope, &date, canonical)?;
    let credentials = STANDARD.encode(format!("test:{date}Z{signature}"));

    let mut stream = TcpStream::connect(cloud.address()).await?;
    let request = format!(
        "POST /v1/repos/r/git-receive-pack HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic \
         {credentials}\r\nContent-Type: application/x-git-receive-pack-request\r\n\
         Content-Length: 1000\r\n\r\n0094",
        cloud.address()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    let answered = stream.read_to_string(&mut answer);
    tokio::time::timeout(TOO_LONG, answered).await??;
    ensure!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    ensure!(answer.contains("connection: close"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_call_of_the_engine_that_does_not_end_is_not_waited_for() -> Result<()> {
    let cloud = impatient(Duration::ZERO).await?;
    let port = cloud.server.endpoints().provider;
    let channel = Endpoint::new(format!("http://127.0.0.1:{port}"))?
        .connect()
        .await?;
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let messages = futures::stream::pending::<()>();
    let path = http::uri::PathAndQuery::from_static("/pulumirpc.ResourceProvider/GetPluginInfo");
    let codec = tonic_prost::ProstCodec::<(), PluginInfo>::default();
    let call = client.client_streaming(tonic::Request::new(messages), path, codec);
    let refused = tokio::time::timeout(TOO_LONG, call).await?.err();
    let said = refused.context("it was answered")?;
    ensure!(said.message().contains("came too slowly"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() -> Result<()> {
    let patience = Patience {
        head: Duration::from_millis(20),
        ..Patience::default()
    };
    let cloud = Cloud::with_patience(patience).await?;
    let endpoints = cloud.server.endpoints();
    let http = ["", "GET / HTTP/1.1\r\nHost: local"];
    let site = *endpoints.sites.first().context("no site")?;
    for (port, heads) in [
        (endpoints.provider, &http[..1]),
        (endpoints.aws, &http),
        (endpoints.api, &http),
        (site, &http),
    ] {
        for head in heads {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
            stream.write_all(head.as_bytes()).await?;
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(TOO_LONG, stream.read_to_end(&mut rest));
            ended.await.with_context(|| format!("{port} {head:?}"))??;
        }
    }
    Ok(())
}
