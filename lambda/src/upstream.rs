//! One question to the mysfits service: `GET {base}/mysfits/{id}`, with retries. Every response
//! becomes an answer about that mysfit, or a failure. The caller sets the deadline: when it stops
//! waiting, the request is dropped.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderName, LOCATION};
use reqwest::{Client, Response, StatusCode, redirect};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{sleep, timeout};

use crate::config::BaseUrl;
use crate::mysfit::{Mysfit, MysfitError, MysfitId};

/// A mysfit is a few hundred bytes; a larger answer than this is an error.
const MAX_ANSWER: usize = 64 * 1024;

/// Less than the 60 s after which AWS's load balancers drop an idle connection, so that an
/// environment that was frozen does not send into a closed one.
const IDLE_CONNECTION: Duration = Duration::from_secs(50);

const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");

/// What the service says about an id. It is final, unlike a `Failure`.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Mysfit(Arc<Mysfit>),
    /// 404, or 403, which is how S3 and CloudFront say it.
    Unknown,
    /// A mysfit without this attribute, or with one that cannot be used.
    Unusable(&'static str),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    #[error("the mysfits service answered HTTP {0}")]
    Status(u16),
    #[error(
        "the mysfits service redirects to {0}, which is not followed: let MYSFITS_API_URL name the final address"
    )]
    Redirect(Arc<str>),
    #[error("the mysfits service answered something that is no mysfit")]
    NotAMysfit,
    #[error("the mysfits service's answer is over {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("the connection to the mysfits service failed: {0}")]
    Connection(Arc<str>),
    #[error("the mysfits service did not answer in {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("the mysfits service did not answer before the invocation's deadline")]
    Deadline,
}

impl Failure {
    /// Whether asking again can help: 5xx, 429 and what happens to connections.
    fn is_transient(&self) -> bool {
        match self {
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::Connection(_) | Self::TimedOut(_) => true,
            Self::Redirect(_) | Self::NotAMysfit | Self::TooLarge | Self::Deadline => false,
        }
    }
}

/// How long, and how often, an answer is waited for.
#[derive(Clone, Debug)]
pub struct Patience {
    pub attempts: u32,
    pub attempt_timeout: Duration,
    /// The longest pause after the first attempt; it doubles with each. The actual one is
    /// random below it, so that many environments do not come back together.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            attempts: 4,
            attempt_timeout: Duration::from_secs(4),
            pause: Duration::from_millis(100),
        }
    }
}

impl Patience {
    fn pause_after(&self, attempt: u32) -> Duration {
        let longest = self.pause.saturating_mul(1 << (attempt - 1).min(16));
        // std's hasher keys are its one source of randomness, and good enough for jitter.
        let random = RandomState::new().hash_one(attempt);
        longest.mul_f64(random as f64 / u64::MAX as f64)
    }
}

#[derive(Debug)]
pub struct Upstream {
    client: Client,
    base: BaseUrl,
    patience: Patience,
}

/// An answer or the last failure, and how many requests it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub answer: Result<Answer, Failure>,
    pub requests: u32,
}

impl Upstream {
    /// `connections` is how many are kept open between invocations.
    pub fn new(
        base: BaseUrl,
        patience: Patience,
        connections: usize,
    ) -> Result<Self, UpstreamError> {
        // Mozilla's roots, compiled in: the system's bundle would be parsed from a file at every
        // cold start, and that takes longer than all the rest of the start.
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::with_roots(base, patience, connections, roots)
    }

    pub fn with_roots(
        base: BaseUrl,
        patience: Patience,
        connections: usize,
        roots: RootCertStore,
    ) -> Result<Self, UpstreamError> {
        let client = http_client(roots, connections)?;
        Ok(Self {
            client,
            base,
            patience,
        })
    }

    pub async fn ask(&self, id: MysfitId, trace_id: Option<&str>) -> Asked {
        let mut requests = 0;
        loop {
            requests += 1;
            let limit = self.patience.attempt_timeout;
            let answer = match timeout(limit, self.attempt(id, trace_id)).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::TimedOut(limit)),
            };
            match &answer {
                Err(failure) if failure.is_transient() && requests < self.patience.attempts => {
                    tracing::debug!(%id, requests, %failure, "asking again");
                    sleep(self.patience.pause_after(requests)).await;
                }
                _ => return Asked { answer, requests },
            }
        }
    }

    async fn attempt(&self, id: MysfitId, trace_id: Option<&str>) -> Result<Answer, Failure> {
        let mut request = self
            .client
            .get(format!("{}/mysfits/{id}", self.base.as_str()))
            .header(ACCEPT, "application/json");
        if let Some(trace_id) = trace_id {
            request = request.header(TRACE_ID, trace_id);
        }
        let mut response = request.send().await.map_err(connection)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Failure::Redirect(location(&response)));
        }
        // Read whatever the status, since a connection is kept only when its answer was.
        let body = body(&mut response).await;
        match status {
            StatusCode::OK => understand(&body?),
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(Answer::Unknown),
            _ => Err(Failure::Status(status.as_u16())),
        }
    }
}

/// An HTTP client that trusts `roots` and keeps up to `connections` open to a host.
pub fn http_client(roots: RootCertStore, connections: usize) -> Result<Client, UpstreamError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("mysfits-processor/", env!("CARGO_PKG_VERSION")))
        // An answer must not be able to send the processor elsewhere, to the Runtime API on
        // loopback for one.
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(connections)
        .pool_idle_timeout(IDLE_CONNECTION)
        .build()?;
    Ok(client)
}

#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    #[error("the HTTPS client cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the HTTP client cannot be set up: {0}")]
    Http(#[from] reqwest::Error),
}

fn understand(body: &[u8]) -> Result<Answer, Failure> {
    match Mysfit::parse(body) {
        Ok(mysfit) => Ok(Answer::Mysfit(Arc::new(mysfit))),
        Err(MysfitError::Attribute(name)) => Ok(Answer::Unusable(name)),
        Err(MysfitError::NotAnObject) => Err(Failure::NotAMysfit),
    }
}

async fn body(response: &mut Response) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().unwrap_or_default();
    if announced > MAX_ANSWER as u64 {
        return Err(Failure::TooLarge);
    }
    let mut body = Vec::with_capacity(announced as usize);
    while let Some(chunk) = response.chunk().await.map_err(connection)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// reqwest's own text is only "error sending request"; what happened is at the end of its
/// chain of sources.
fn connection(error: reqwest::Error) -> Failure {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Failure::Connection(cause.to_string().into())
}

fn location(response: &Response) -> Arc<str> {
    let header = response.headers().get(LOCATION);
    let text = header.and_then(|value| value.to_str().ok());
    text.unwrap_or("nowhere")
        .chars()
        .take(200)
        .collect::<String>()
        .into()
}
