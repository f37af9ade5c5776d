//! The listener itself: whatever bytes arrive, it answers or hangs up, and goes on.

use crate::support::{Api, Mock, TestCloud};
use anyhow::{Context, Result};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An API that says what it was sent.
async fn api(cloud: &TestCloud) -> Result<Api> {
    let api = cloud.api().await?;
    cloud
        .mock(&api, (&api.root, "POST"), Mock::making("$input.json('$')"))
        .await?;
    cloud.deploy(&api).await?;
    Ok(api)
}

/// Sends bytes and nothing more; gives all that comes back until the other side hangs up.
async fn converse(port: u16, bytes: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let talk = async {
        // The other side may have hung up before everything is sent.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(Duration::from_secs(20), talk)
        .await
        .context("the connection hangs")
}

/// The status lines in what came back.
fn statuses(answer: &str) -> Vec<&str> {
    answer
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .filter_map(|line| line.split(' ').next())
        .collect()
}

#[tokio::test]
async fn requests_as_bytes() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let id = api(&cloud).await?.id;
    let port = cloud.port();
    let head = format!("POST /{id}/prod HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n");
    let whole = format!("{head}Content-Length: 2\r\n\r\n{{}}");
    for (bytes, expected) in [
        (whole.clone(), &["200"][..]),
        // Kept alive, and sent without waiting.
        (whole.repeat(3), &["200", "200", "200"]),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n"),
            &["200"],
        ),
        // Another site's name for this machine.
        (
            whole.replace("Host: 127.0.0.1", "Host: evil.example"),
            &["403"],
        ),
        (
            format!("{}{whole}", whole.replace("127.0.0.1", "evil.example")),
            &["403", "200"],
        ),
        (
            whole.replace("Content-Length: 2", "Content-Length: x"),
            &["400"],
        ),
        (
            whole.replace("Content-Length: 2", "Content-Length: -2"),
            &["400"],
        ),
        (
            whole.replace(
                "Content-Length: 2",
                "Content-Length: 2\r\nContent-Length: 3",
            ),
            &["400"],
        ),
        (whole.replace("HTTP/1.1", "HTTP/3.7"), &["400"]),
        (whole.replace("POST /", "POST \0/"), &["400"]),
        (format!("{head} folded\r\n\r\n"), &["400"]),
        (
            format!("{head}X-A{}: b\r\n\r\n", "a".repeat(1024 * 1024)),
            &["431"],
        ),
        (
            format!("{head}{}\r\n\r\n", "X-A: b\r\n".repeat(1000)),
            &["431"],
        ),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)),
            &["414"],
        ),
        // Nothing, or not enough.
        (String::new(), &[]),
        ("\r\n\r\n".to_owned(), &[]),
        (head.clone(), &[]),
        (format!("{head}Content-Length: 3\r\n\r\n{{}}"), &["400"]),
        (
            format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            &["400"],
        ),
    ] {
        let answer = converse(port, bytes.as_bytes()).await?;
        let bytes = bytes.get(..300).unwrap_or(&bytes);
        assert_eq!(statuses(&answer), expected, "{bytes}\n{answer}");
    }
    Ok(())
}

/// The multi-threaded runtime of the cloud goes on while this thread makes up requests.
#[test]
fn thousands_of_odd_requests_leave_it_well() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let cloud = runtime.block_on(TestCloud::start())?;
    let api = runtime.block_on(api(&cloud))?;
    let piece = prop_oneof![
        Just("POST ".to_owned()),
        Just("GET ".to_owned()),
        Just(format!("/{}/prod", api.id)),
        Just(" HTTP/1.1\r\n".to_owned()),
        Just("Host: 127.0.0.1\r\n".to_owned()),
        Just("Content-Length: 2\r\n".to_owned()),
        Just("Content-Length: 20000000\r\n".to_owned()),
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        Just("Content-Type: application/json\r\n".to_owned()),
        Just("Expect: 100-continue\r\n".to_owned()),
        Just("Connection: close\r\n".to_owned()),
        Just("Connection: Upgrade\r\nUpgrade: h2c\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("{}".to_owned()),
        Just("%".to_owned()),
        Just("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        "[ -~]{0,20}",
        "\\PC{0,20}",
    ];
    let noise = prop::collection::vec(any::<u8>(), 0..200);
    let bytes = prop_oneof![
        3 => prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes()),
        1 => noise,
    ];
    let mut runner = TestRunner::new(Config {
        cases: 3000,
        failure_persistence: None,
        ..Config::default()
    });
    runner.run(&bytes, |bytes| {
        let answer = runtime.block_on(converse(cloud.port(), &bytes));
        let answer = answer.map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
        let odd = statuses(&answer).iter().any(|status| *status >= "500");
        prop_assert!(!odd, "{}", answer);
        Ok(())
    })?;

    let answer = runtime.block_on(cloud.ask(&api, "POST /", &[], "{}"))?;
    assert_eq!((answer.status, answer.header("x-made")), (200, "{}"));
    Ok(())
}
