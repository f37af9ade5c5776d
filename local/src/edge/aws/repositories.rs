//! Repositories for git clients: `/v1/repos/NAME`, as at CodeCommit's own address. No bucket can be
//! called `v1`.

use crate::cloud::Cloud;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_codecommit::password::Claim;
use cloud_codecommit::{Deployed, Exchange, Refused};
use cloud_core::identity::DEFAULT_REGION;
use cloud_core::request_body::RequestBody;
use cloud_iam::Caller;
use futures::StreamExt;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use time::OffsetDateTime;

/// Where all repositories are.
pub(super) const PATH: &str = "/v1/repos/";

type Answer = Response<s3s::Body>;

/// Answers a request of a git client.
pub(super) async fn answer(cloud: &Cloud, parts: &Parts, body: RequestBody) -> Answer {
    let path = parts.uri.path();
    let (name, rest) = split(path);
    let Some(repository) = authenticated(cloud, parts, name) else {
        return unauthorized();
    };
    let Some(repository) = repository else {
        return text(
            StatusCode::NOT_FOUND,
            &format!("repository {name} not found"),
        );
    };
    let exchange = Exchange {
        repository: &repository,
        path: rest,
        query: parts.uri.query().unwrap_or_default(),
        method: &parts.method,
        headers: &parts.headers,
    };
    match cloud
        .codecommit
        .git_http(&Caller::Account, &exchange, body)
        .await
    {
        Ok(git) => {
            let frames = git.body.map(|chunk| chunk.map(Frame::data));
            let mut answer = Response::new(s3s::Body::http_body_unsync(StreamBody::new(frames)));
            *answer.status_mut() = git.status;
            *answer.headers_mut() = git.headers;
            answer
        }
        Err(Refused::NotFound) => text(
            StatusCode::NOT_FOUND,
            "a repository is served by git's smart HTTP protocol, and nothing else",
        ),
        Err(Refused::BrokenOff) => text(
            StatusCode::REQUEST_TIMEOUT,
            "the request's body did not arrive in full",
        ),
        Err(Refused::Failed(error)) => text(error.http_status(), &error.message),
    }
}

/// `NAME` and what is asked of it.
fn split(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix(PATH).unwrap_or_default();
    match rest.find('/') {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    }
}

/// The repository, when the password is right. The inner `None` means that there is no such
/// repository. A password is for one region, which the address does not name.
fn authenticated(cloud: &Cloud, parts: &Parts, name: &str) -> Option<Option<Deployed>> {
    let given = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(given.strip_prefix("Basic ")?.trim()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (user, password) = decoded.split_once(':')?;
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let claim = Claim {
        user: user.split('%').next().unwrap_or_default(),
        password,
        host: host.split(':').next().unwrap_or_default(),
        path: &format!("{PATH}{name}"),
    };
    let now = OffsetDateTime::now_utc();
    let repositories = cloud.codecommit.repositories(name);
    if repositories.is_empty() {
        // A client with the right keys is told.
        return claim.is_right(DEFAULT_REGION, now).then_some(None);
    }
    let mut right = repositories
        .into_iter()
        .filter(|one| claim.is_right(&one.region, now));
    right.next().map(Some)
}

fn unauthorized() -> Answer {
    let mut answer = text(
        StatusCode::UNAUTHORIZED,
        "credentials are those of `aws codecommit credential-helper`, with credential.UseHttpPath",
    );
    answer.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"AWS CodeCommit\""),
    );
    answer
}

fn text(status: StatusCode, says: &str) -> Answer {
    let body = Full::from(format!("{says}\n"));
    let mut answer = Response::new(s3s::Body::http_body(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}
