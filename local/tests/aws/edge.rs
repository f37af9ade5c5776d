//! What the listener itself answers.

use crate::client::{Answer, Cloud};
use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes as they are, and gives all that comes back until the end.
pub async fn raw(address: &str, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_foreign_host_is_refused() -> Result<()> {
    let cloud = Cloud::start().await?;
    for host in ["example.com", "localhost.example.com", "169.254.169.254"] {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = raw(&cloud.address(), request.as_bytes()).await?;
        ensure!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn sts_tells_who_is_calling() -> Result<()> {
    let cloud = Cloud::start().await?;
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let call = |action: &str| {
        cloud
            .post("/")
            .header("content-type", form)
            .service("sts")
            .body(format!("Action={action}&Version=2011-06-15"))
    };
    let answer = call("GetCallerIdentity").send().await?.expect(200)?;
    assert_eq!(answer.element("Account")?, "000000000000");
    assert_eq!(answer.element("Arn")?, "arn:aws:iam::000000000000:root");
    call("GetSessionToken")
        .send()
        .await?
        .refused(400, "InvalidAction")?;
    let unsigned = call("GetCallerIdentity").anonymous().send().await?;
    unsigned.refused(403, "MissingAuthenticationTokenException")
}

#[tokio::test]
async fn json_errors_have_their_type_in_body_and_header() -> Result<()> {
    let cloud = Cloud::start().await?;
    let call = || {
        let target = "Nothing_20000101.Do";
        cloud
            .post("/")
            .header("x-amz-target", target)
            .service("firehose")
            .body("{}")
    };
    let check = |answer: Answer, code: &str| -> Result<()> {
        let body: serde_json::Value = serde_json::from_slice(&answer.body)?;
        ensure!(body["__type"] == code, "{body}");
        ensure!(answer.header("x-amzn-errortype") == code);
        ensure!(answer.header("x-amzn-requestid").len() == 36);
        Ok(())
    };
    check(
        call().send().await?.expect(400)?,
        "UnknownOperationException",
    )?;
    let unsigned = call().anonymous().send().await?.expect(403)?;
    check(unsigned, "MissingAuthenticationTokenException")?;
    let mut large = call();
    large = large.body(vec![b' '; 9 * 1024 * 1024]);
    check(
        large.send().await?.expect(413)?,
        "RequestEntityTooLargeException",
    )
}

/// Whatever is sent, the answer is a refusal, and the next request is answered.
#[tokio::test]
async fn malformed_requests_are_refused_one_by_one() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let host = "Host: localhost\r\nConnection: close\r\n";
    for request in [
        "\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        format!("GET /bucket/%zz HTTP/1.1\r\n{host}\r\n"),
        format!("GET /bucket/%ff HTTP/1.1\r\n{host}\r\n"),
        format!("GET /bucket?list-type=x HTTP/1.1\r\n{host}\r\n"),
        format!("GET /bucket?max-keys=-1 HTTP/1.1\r\n{host}\r\n"),
        format!("GET /bucket/o HTTP/1.1\r\n{host}Authorization: AWS4-HMAC-SHA256 x\r\n\r\n"),
        format!("GET /bucket/o HTTP/1.1\r\n{host}Authorization: AWS test:x\r\n\r\n"),
        format!("GET /bucket/o HTTP/1.1\r\n{host}Range: lines=1-2\r\n\r\n"),
        format!("PUT /bucket/o HTTP/1.1\r\n{host}Content-Length: x\r\n\r\n"),
        format!("PUT /bucket/o HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        format!(
            "POST /bucket HTTP/1.1\r\n{host}Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 5\r\n\r\n--x--"
        ),
        format!("POST /bucket?delete HTTP/1.1\r\n{host}Content-Length: 3\r\n\r\n<a>"),
        format!("POST /bucket?delete HTTP/1.1\r\n{host}Content-Length: 58\r\n\r\n<Delet"),
        format!("PATCH /bucket HTTP/1.1\r\n{host}\r\n"),
        format!("POST / HTTP/1.1\r\n{host}X-Amz-Target: \u{1}\r\nContent-Length: 0\r\n\r\n"),
        format!(
            "POST / HTTP/1.1\r\n{host}X-Amz-Target: a.b.c\r\nAuthorization: AWS4-HMAC-SHA256 Credential=/////,SignedHeaders=,Signature=\r\nContent-Length: 0\r\n\r\n"
        ),
        format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(9_000)),
    ] {
        let answer = raw(&cloud.address(), request.as_bytes()).await?;
        let refused = answer.is_empty()
            || answer.starts_with("HTTP/1.1 4")
            || answer.starts_with("HTTP/1.1 501");
        ensure!(refused, "{request:?}: {answer}");
    }
    let answer = cloud.get("/bucket").send().await?.expect(200)?;
    assert_ne!(answer.header("x-amz-request-id"), "");
    Ok(())
}
