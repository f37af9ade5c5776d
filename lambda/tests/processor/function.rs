//! The Lambda side: a Runtime API on a port of its own, and the real `bootstrap` that polls it.

use std::collections::HashMap;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

pub const TRACE_ID: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";

/// A function in an environment of its own, as Lambda would run it.
pub struct Function {
    host: Arc<Host>,
    child: Child,
    output: JoinHandle<Vec<String>>,
    invocations: u64,
}

/// How an invocation ended.
#[derive(Debug)]
pub enum Ended {
    Response(Bytes),
    Error(Value),
}

impl Ended {
    pub fn response(self) -> Result<Bytes> {
        match self {
            Self::Response(body) => Ok(body),
            Self::Error(error) => bail!("the invocation failed: {error}"),
        }
    }

    pub fn error(self) -> Result<Value> {
        match self {
            Self::Error(error) => Ok(error),
            Self::Response(body) => bail!("a response: {}", String::from_utf8_lossy(&body)),
        }
    }
}

impl Function {
    /// Starts `program` with what Lambda sets, and `vars`.
    pub async fn start(program: &[&str], vars: &[(&str, &str)]) -> Result<Self> {
        let (host, api) = Host::listen().await?;
        let (program, arguments) = program.split_first().context("a program")?;
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api)
            .env("AWS_LAMBDA_FUNCTION_NAME", "clicks-processor")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(vars.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let output = tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            let mut read = Vec::new();
            while let Ok(Some(line)) = lines.next_line().await {
                read.push(line);
            }
            read
        });
        Ok(Self {
            host,
            child,
            output,
            invocations: 0,
        })
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the function asks for its first invocation.
    pub async fn ready(&mut self) -> Result<()> {
        tokio::select! {
            () = self.host.polled.notified() => Ok(()),
            status = self.child.wait() => bail!("the function ended: {}", status?),
        }
    }

    /// One invocation; the function is late, as for Lambda, when it has not ended after `left`.
    pub async fn invoke(&mut self, event: impl Into<Bytes>, left: Duration) -> Result<Ended> {
        self.invocations += 1;
        let request_id = format!("{:0>36}", self.invocations);
        let deadline = Instant::now() + left;
        let (sender, ended) = oneshot::channel();
        self.host.queue.send(Queued {
            request_id,
            deadline: SystemTime::now() + left,
            event: event.into(),
            sender,
        })?;
        tokio::select! {
            ended = timeout_at(deadline, ended) => Ok(ended.context("the function timed out")??),
            status = self.child.wait() => bail!("the function ended: {}", status?),
        }
    }

    /// Ends the function, and gives what it wrote.
    pub async fn stop(mut self) -> Result<Vec<String>> {
        self.child.kill().await?;
        Ok(self.output.await?)
    }

    /// Waits for the function to end by itself, and gives what it told the Runtime API of its
    /// start.
    pub async fn ended(mut self) -> Result<(ExitStatus, Option<Value>, Vec<String>)> {
        let status = self.child.wait().await?;
        let error = lock(&self.host.init_error).take();
        Ok((status, error, self.output.await?))
    }
}

struct Host {
    queue: mpsc::UnboundedSender<Queued>,
    next: tokio::sync::Mutex<mpsc::UnboundedReceiver<Queued>>,
    polled: tokio::sync::Notify,
    running: Mutex<HashMap<String, oneshot::Sender<Ended>>>,
    init_error: Mutex<Option<Value>>,
}

struct Queued {
    request_id: String,
    deadline: SystemTime,
    event: Bytes,
    sender: oneshot::Sender<Ended>,
}

impl Host {
    async fn listen() -> Result<(Arc<Self>, String)> {
        let (queue, next) = mpsc::unbounded_channel();
        let host = Arc::new(Self {
            queue,
            next: tokio::sync::Mutex::new(next),
            polled: tokio::sync::Notify::new(),
            running: Mutex::default(),
            init_error: Mutex::default(),
        });
        let runtime = Router::new()
            .route("/invocation/next", get(next_invocation))
            .route("/invocation/{id}/response", post(response))
            .route("/invocation/{id}/error", post(error))
            .route("/init/error", post(init_error))
            .with_state(Arc::clone(&host))
            .layer(DefaultBodyLimit::disable());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api = listener.local_addr()?.to_string();
        let router = Router::new().nest("/2018-06-01/runtime", runtime);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((host, api))
    }

    fn end(&self, request_id: &str, ended: Ended) -> StatusCode {
        match lock(&self.running).remove(request_id) {
            Some(sender) => {
                let _ = sender.send(ended);
                StatusCode::ACCEPTED
            }
            None => StatusCode::GONE,
        }
    }
}

async fn next_invocation(State(host): State<Arc<Host>>) -> Response {
    host.polled.notify_one();
    let Some(queued) = host.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = queued
        .deadline
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:clicks-processor";
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", queued.request_id.clone()),
        (
            "Lambda-Runtime-Deadline-Ms",
            deadline.as_millis().to_string(),
        ),
        ("Lambda-Runtime-Invoked-Function-Arn", arn.to_owned()),
        ("Lambda-Runtime-Trace-Id", TRACE_ID.to_owned()),
    ];
    lock(&host.running).insert(queued.request_id, queued.sender);
    (headers, queued.event).into_response()
}

async fn response(
    State(host): State<Arc<Host>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    host.end(&id, Ended::Response(body))
}

async fn error(State(host): State<Arc<Host>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    host.end(
        &id,
        Ended::Error(serde_json::from_slice(&body).unwrap_or_default()),
    )
}

async fn init_error(State(host): State<Arc<Host>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut error: Value = serde_json::from_slice(&body).unwrap_or_default();
    let kind = headers.get("Lambda-Runtime-Function-Error-Type");
    error["header"] = kind.and_then(|kind| kind.to_str().ok()).into();
    *lock(&host.init_error) = Some(error);
    StatusCode::ACCEPTED
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
