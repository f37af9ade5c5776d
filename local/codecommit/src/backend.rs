//! git's smart HTTP protocol: `git http-backend`, a CGI program that comes with git.
//!
//! What a CGI program is given and answers: RFC 3875, and `git help http-backend`.

use super::Deployed;
use super::git::missing;
use crate::CodeCommit;
use bytes::{Bytes, BytesMut};
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::{Call, Caller};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body;
use std::io;
use std::process::Stdio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdout};
use tokio_util::sync::CancellationToken;

/// What git's program may print before the body of its answer.
const MAX_HEAD: usize = 16 * 1024;

/// Bytes that are read of it at once.
const CHUNK: usize = 64 * 1024;

/// A request about a repository.
#[derive(Debug)]
pub struct Exchange<'a> {
    pub repository: &'a Deployed,
    /// What comes after the repository's name: `/info/refs`.
    pub path: &'a str,
    pub query: &'a str,
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
}

/// git's answer, before its body.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

/// Why a request is not answered by git.
#[derive(Debug)]
pub enum Refused {
    /// There is no such thing in a repository.
    NotFound,
    /// The body of the request did not arrive in full.
    BrokenOff,
    Failed(AwsError),
}

impl From<AwsError> for Refused {
    fn from(error: AwsError) -> Self {
        Self::Failed(error)
    }
}

impl Exchange<'_> {
    /// The permission that it takes:
    /// <https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-permissions-reference.html>.
    fn action(&self) -> Option<&'static str> {
        match (self.method, self.path, self.query) {
            (&Method::GET, "/info/refs", "service=git-upload-pack") => Some("codecommit:GitPull"),
            (&Method::GET, "/info/refs", "service=git-receive-pack") => Some("codecommit:GitPush"),
            (&Method::POST, "/git-upload-pack", "") => Some("codecommit:GitPull"),
            (&Method::POST, "/git-receive-pack", "") => Some("codecommit:GitPush"),
            _ => None,
        }
    }
}

impl CodeCommit {
    /// Has git answer a request, while its body arrives.
    pub async fn git_http<B>(
        &self,
        caller: &Caller,
        exchange: &Exchange<'_>,
        body: B,
    ) -> Result<Answer, Refused>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: std::fmt::Display + Send,
    {
        let action = exchange.action().ok_or(Refused::NotFound)?;
        let repository = exchange.repository;
        self.iam.authorize(&Call {
            caller,
            action,
            resource: &repository.arn,
            context: &[],
            resource_policy: None,
        })?;
        let git = self.open(repository.id()).await?;
        git.settle_head(repository.wanted_branch()).await?;
        let header = |name: &str| {
            exchange
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let mut command = git.command();
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &git.path)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", exchange.path)
            .env("QUERY_STRING", exchange.query)
            .env("REQUEST_METHOD", exchange.method.as_str())
            // A client that is known may push.
            .env("REMOTE_USER", "account")
            .env("REMOTE_ADDR", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        for (variable, name) in [
            ("CONTENT_TYPE", "content-type"),
            ("CONTENT_LENGTH", "content-length"),
            ("HTTP_CONTENT_ENCODING", "content-encoding"),
            ("GIT_PROTOCOL", "git-protocol"),
        ] {
            if let Some(value) = header(name) {
                command.env(variable, value);
            }
        }
        let mut child = command.spawn().map_err(|error| missing(&error))?;
        let broken = CancellationToken::new();
        if let Some(stdin) = child.stdin.take() {
            self.context
                .tasks
                .spawn(pass_on(body, stdin, broken.clone()));
        }
        let stdout = child.stdout.take();
        let mut stdout = stdout.ok_or_else(|| AwsError::internal("git has no output"))?;
        let (status, headers, rest) = tokio::select! {
            head = head(&mut stdout) => head?,
            () = broken.cancelled() => return Err(Refused::BrokenOff),
        };
        Ok(Answer {
            status,
            headers,
            body: rest_of(child, stdout, rest, broken),
        })
    }
}

/// Passes the body of a request on to git's program, and tells when it breaks off. The end of its
/// input is not enough then: a program that was told a length reads on forever
/// (`pipe_fixed_length` in git's `http-backend.c`).
async fn pass_on<B>(mut body: B, mut stdin: tokio::process::ChildStdin, broken: CancellationToken)
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    while let Some(frame) = body.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                tracing::debug!(%error, "a push or a fetch broke off");
                broken.cancel();
                return;
            }
        };
        if let Ok(data) = frame.into_data()
            && stdin.write_all(&data).await.is_err()
        {
            return;
        }
    }
}

/// The lines before the body: status and headers. Gives too what was read of the body.
async fn head(stdout: &mut ChildStdout) -> AwsResult<(StatusCode, HeaderMap, Bytes)> {
    let mut read = BytesMut::new();
    let (end, gap) = loop {
        if let Some(found) = end_of_head(&read) {
            break found;
        }
        let count = stdout
            .read_buf(&mut read)
            .await
            .map_err(AwsError::internal)?;
        if count == 0 || read.len() > MAX_HEAD {
            return Err(AwsError::internal(
                "git's program has not answered as CGI has it",
            ));
        }
    };
    let head = read.split_to(end);
    let body = read.split_off(gap).freeze();
    let mut status = StatusCode::OK;
    let mut headers = HeaderMap::new();
    for line in String::from_utf8_lossy(&head).lines() {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().and_then(|code| code.parse().ok());
            status = code.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            continue;
        }
        let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(AwsError::internal)?;
        headers.insert(name, value.parse().map_err(AwsError::internal)?);
    }
    Ok((status, headers, body))
}

/// Where the head ends, and the length of the empty line after it.
fn end_of_head(read: &[u8]) -> Option<(usize, usize)> {
    let find = |gap: &[u8]| read.windows(gap.len()).position(|window| window == gap);
    find(b"\r\n\r\n")
        .map(|end| (end, 4))
        .or_else(|| find(b"\n\n").map(|end| (end, 2)))
}

/// The body of the answer as git prints it. The program is killed when nobody reads it any more, or
/// when the body of the request breaks off.
fn rest_of(
    child: Child,
    stdout: ChildStdout,
    first: Bytes,
    broken: CancellationToken,
) -> BoxStream<'static, io::Result<Bytes>> {
    let first = stream::iter((!first.is_empty()).then_some(Ok(first)));
    let rest = stream::unfold(Some((child, stdout, broken)), |running| async move {
        let (mut child, mut stdout, broken) = running?;
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = tokio::select! {
            read = stdout.read_buf(&mut chunk) => read,
            () = broken.cancelled() => Err(io::ErrorKind::UnexpectedEof.into()),
        };
        match read {
            Ok(0) => {
                // It has closed its output, and ends.
                child.wait().await.ok();
                None
            }
            Ok(_) => Some((Ok(chunk.freeze()), Some((child, stdout, broken)))),
            Err(error) => Some((Err(error), None)),
        }
    });
    first.chain(rest).boxed()
}
