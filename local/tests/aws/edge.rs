//! What the listener itself answers.

use crate::client::{Answer, Cloud};
use anyhow::{Context, Result, ensure};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes as they are, and gives all that comes back until the end.
async fn raw(cloud: &Cloud, request: &[u8]) -> Result<String> {
    let mut stream = TcpStream::connect(cloud.address()).await?;
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
        let answer = raw(&cloud, request.as_bytes()).await?;
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
        format!("PATCH /bucket HTTP/1.1\r\n{host}\r\n"),
        format!("POST / HTTP/1.1\r\n{host}X-Amz-Target: \u{1}\r\nContent-Length: 0\r\n\r\n"),
        format!(
            "POST / HTTP/1.1\r\n{host}X-Amz-Target: a.b.c\r\nAuthorization: AWS4-HMAC-SHA256 Credential=/////,SignedHeaders=,Signature=\r\nContent-Length: 0\r\n\r\n"
        ),
        format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(9_000)),
    ] {
        let answer = raw(&cloud, request.as_bytes()).await?;
        let refused = answer.is_empty()
            || answer.starts_with("HTTP/1.1 4")
            || answer.starts_with("HTTP/1.1 501");
        ensure!(refused, "{request:?}: {answer}");
    }
    cloud.get("/bucket").send().await?.expect(200)?;
    Ok(())
}

/// Thousands of requests with a few bytes changed, lost or added: none is answered with a
/// failure of the cloud's own, none leaves a connection hanging.
#[tokio::test]
async fn mangled_requests_never_fail_the_cloud() -> Result<()> {
    const REQUESTS: usize = 4_000;
    let cloud = Cloud::with_bucket().await?;
    let host = format!("Host: {}\r\nConnection: close\r\n", cloud.address());
    let scope = "test/20261123/us-east-1/firehose/aws4_request";
    let seeds = [
        format!("GET /bucket?list-type=2&prefix=a%2Fb&max-keys=3 HTTP/1.1\r\n{host}\r\n"),
        format!("PUT /bucket/key%20 HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\nhello"),
        format!(
            "PUT /bucket/o HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        ),
        format!("GET /bucket/o HTTP/1.1\r\n{host}Range: bytes=0-1\r\nIf-Match: \"x\"\r\n\r\n"),
        format!(
            "POST /bucket?delete HTTP/1.1\r\n{host}Content-Length: 58\r\n\r\n<Delete><Object><Key>a</Key></Object><Quiet>1</Quiet></Delete>"
        ),
        format!(
            "POST / HTTP/1.1\r\n{host}X-Amz-Target: Firehose_20150804.PutRecord\r\nX-Amz-Date: 20261123T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00\r\nContent-Length: 2\r\n\r\n{{}}"
        ),
        format!(
            "POST / HTTP/1.1\r\n{host}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 24\r\n\r\nAction=GetCallerIdentity"
        ),
        format!(
            "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\n{host}Content-Length: 2\r\n\r\n{{}}"
        ),
        format!(
            "GET /bucket/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20261123%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00 HTTP/1.1\r\n{host}\r\n"
        ),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mangled: Vec<Vec<u8>> = (0..REQUESTS)
        .map(|index| random.mangle(seeds[index % seeds.len()].as_bytes()))
        .collect();
    for some in mangled.chunks(32) {
        let cloud = &cloud;
        let answers = some.iter().map(|request| async move {
            let answer = tokio::time::timeout(Duration::from_secs(30), raw(cloud, request)).await;
            (request, answer)
        });
        for (request, answer) in futures::future::join_all(answers).await {
            let shown = String::from_utf8_lossy(request);
            let answer = answer.with_context(|| format!("stuck: {shown:?}"))?;
            // A connection that is refused may be reset before all of the answer is read.
            let answer = answer.unwrap_or_default();
            ensure!(!answer.starts_with("HTTP/1.1 500"), "{shown:?}: {answer}");
        }
    }
    cloud.get("/bucket").send().await?.expect(200)?;
    Ok(())
}

/// The same requests in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit as u64)).unwrap_or(0)
    }

    fn mangle(&mut self, request: &[u8]) -> Vec<u8> {
        const TELLING: &[u8] = b"\0\r\n %/?&=;:,\"<>{}\xff\xc3-019AZ";
        let mut request = request.to_vec();
        for _ in 0..=self.below(4) {
            let place = self.below(request.len().max(1));
            let byte = match self.below(2) {
                0 => TELLING[self.below(TELLING.len())],
                _ => self.below(256) as u8,
            };
            match self.below(4) {
                0 if !request.is_empty() => request[place] = byte,
                1 if !request.is_empty() => {
                    request.remove(place);
                }
                2 => request.truncate(place),
                _ => request.insert(place, byte),
            }
        }
        request
    }
}
