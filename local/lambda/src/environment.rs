//! An execution environment: one process of a function, driven through its Runtime API, one
//! invocation after the other.

use super::code::CodeStore;
use super::failure::FunctionFailure;
use super::isolation::Isolation;
use super::output::{Output, Sink};
use super::process::{Folders, Process, ProcessFailure};
use super::report::{self, Report};
use super::runtime_api::{Delivery, Event, MAX_RESPONSE_BYTES, RuntimeApi, TooLarge, Verdict};
use super::settings::{FunctionSettings, LATEST};
use super::variables::Runtime;
use bytes::Bytes;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::oneshot;
use tokio::time::Instant;
use uuid::Uuid;

/// How long an initialisation may take; one that fails is repeated as a part of the invocation
/// (AWS's page lambda-runtime-environment).
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A function's answer, or its failure.
pub(crate) type Answer = Result<Bytes, FunctionFailure>;

/// An invocation, as it comes in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub id: String,
    /// As the caller wrote it, with or without version.
    pub function_arn: String,
    pub payload: Bytes,
}

/// What a new environment needs.
#[derive(Clone)]
pub(crate) struct NewEnvironment {
    pub settings: Arc<FunctionSettings>,
    pub log_stream: String,
    pub sink: Sink,
    pub folders: Folders,
    pub isolation: Arc<Isolation>,
    pub code: Arc<CodeStore>,
}

/// A process that waits for its next invocation.
#[derive(Debug)]
pub(crate) struct Environment {
    pub settings: Arc<FunctionSettings>,
    process: Process,
    api: RuntimeApi,
    output: Output,
    waiting: oneshot::Sender<Delivery>,
}

/// What came of an invocation.
pub(crate) struct Finished {
    pub answer: Answer,
    /// The last lines of the log.
    pub log_tail: Vec<u8>,
    /// For the next invocation; none when the process has ended.
    pub environment: Option<Environment>,
}

/// A process that has not said yet that it is ready.
struct Starting {
    settings: Arc<FunctionSettings>,
    process: Process,
    api: RuntimeApi,
    output: Output,
}

/// The time of an invocation.
#[derive(Clone, Copy)]
struct Span {
    started: Instant,
    ends: Instant,
    /// Of the initialisation that preceded it.
    init: Option<Duration>,
}

impl Span {
    fn begin(timeout: Duration, init: Option<Duration>) -> Self {
        let started = Instant::now();
        Self {
            started,
            ends: started + timeout,
            init,
        }
    }
}

impl NewEnvironment {
    /// The name of a new log stream: date, version and a random number, with the function's
    /// name when the group is not its own by default (AWS's page monitoring-cloudwatchlogs).
    pub(crate) fn log_stream(settings: &FunctionSettings, now: OffsetDateTime) -> String {
        let date = now
            .format(format_description!("[year]/[month]/[day]"))
            .unwrap_or_default();
        let name = match settings.logging.named {
            true => settings.name.as_str(),
            false => "",
        };
        format!("{date}/{name}[{LATEST}]{}", Uuid::new_v4().simple())
    }

    /// Starts an environment and runs its first invocation.
    pub(crate) async fn invoke(self, request: Request) -> Finished {
        let timeout = self.settings.timeout;
        let code = Arc::clone(&self.code);
        code.whole(&self.settings.code.digest()).await;
        let begun = Instant::now();
        let first = match self.start(&request, begun + INIT_TIMEOUT).await {
            Ok(environment) => {
                let span = Span::begin(timeout, Some(begun.elapsed()));
                environment
                    .output
                    .own(report::start(&self.settings, &request));
                return environment.run(request, span).await;
            }
            Err(failure) => failure,
        };
        tracing::info!(
            function = self.settings.name,
            kind = first.kind,
            "an initialisation failed and is repeated"
        );
        let span = Span::begin(timeout, None);
        self.write(report::start(&self.settings, &request));
        match self.start(&request, span.ends).await {
            Ok(environment) => environment.run(request, span).await,
            Err(failure) => {
                self.write(failure.log.clone());
                let report = Report {
                    request_id: &request.id,
                    duration: span.started.elapsed(),
                    init_duration: None,
                    peak_memory_mb: 0,
                    error: Some(&failure.kind),
                };
                self.write(report::end(&self.settings, &report));
                Finished {
                    answer: Err(failure),
                    log_tail: Vec::new(),
                    environment: None,
                }
            }
        }
    }

    async fn start(
        &self,
        request: &Request,
        until: Instant,
    ) -> Result<Environment, FunctionFailure> {
        let starting = self.spawn().await.map_err(|error| {
            FunctionFailure::no_entrypoint(&request.id, &entrypoint_problem(self, &error))
        })?;
        starting.ready(&request.id, until).await
    }

    async fn spawn(&self) -> io::Result<Starting> {
        let api = RuntimeApi::start().await.map_err(io::Error::other)?;
        let runtime = Runtime {
            settings: &self.settings,
            api: &api.address.to_string(),
            log_stream: &self.log_stream,
        };
        let (process, pipe) = Process::start(runtime, &self.folders, &self.isolation).await?;
        let (output, feed) = Output::new(self.settings.logging.format, Arc::clone(&self.sink));
        tokio::spawn(feed.run(pipe));
        Ok(Starting {
            settings: Arc::clone(&self.settings),
            process,
            api,
            output,
        })
    }

    fn write(&self, lines: impl IntoIterator<Item = String>) {
        let lines: Vec<_> = lines.into_iter().collect();
        if !lines.is_empty() {
            (self.sink)(&lines);
        }
    }
}

/// Why `bootstrap` cannot be run, with the paths that Lambda has.
fn entrypoint_problem(new: &NewEnvironment, error: &io::Error) -> String {
    let bootstrap = new.settings.code.folder.join("bootstrap");
    if !bootstrap.exists() {
        return "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".into();
    }
    // What the system calls it, without the number.
    let reason = match error.raw_os_error() {
        Some(8) => "exec format error".to_owned(),
        Some(13) => "permission denied".to_owned(),
        Some(2) => "no such file or directory".to_owned(),
        _ => error.to_string(),
    };
    format!("fork/exec /var/task/bootstrap: {reason}")
}

impl Starting {
    /// Waits until the runtime asks for its first invocation.
    async fn ready(
        mut self,
        request_id: &str,
        until: Instant,
    ) -> Result<Environment, FunctionFailure> {
        let failure = loop {
            tokio::select! {
                biased;
                event = self.api.events.recv() => match event {
                    Some(Event::Next(waiting)) => {
                        return Ok(Environment {
                            settings: self.settings,
                            process: self.process,
                            api: self.api,
                            output: self.output,
                            waiting,
                        });
                    }
                    Some(Event::InitError { kind, body, verdict }) => {
                        tell(verdict, Verdict::Accepted);
                        break FunctionFailure::reported(kind, body);
                    }
                    Some(
                        Event::Response { verdict, .. } | Event::Error { verdict, .. },
                    ) => tell(verdict, Verdict::WrongState),
                    None => break FunctionFailure::out_of_memory(request_id),
                },
                failure = self.process.failure() => break process_failed(request_id, &failure),
                () = tokio::time::sleep_until(until) => {
                    break FunctionFailure::timed_out(
                        request_id,
                        self.settings.timeout,
                        &report::now(),
                    );
                }
            }
        };
        self.process.kill().await;
        self.output.flush().await;
        Err(failure)
    }
}

impl Environment {
    /// Runs an invocation.
    pub(crate) async fn invoke(self, request: Request) -> Finished {
        let span = Span::begin(self.settings.timeout, None);
        self.output.take_tail();
        self.output.own(report::start(&self.settings, &request));
        self.run(request, span).await
    }

    async fn run(self, request: Request, span: Span) -> Finished {
        let Self {
            settings,
            mut process,
            mut api,
            output,
            waiting,
        } = self;
        // What is said of the start comes before what the function says.
        output.flush().await;
        // When nobody receives it the process is ending, which shows below.
        let _ = waiting.send(delivery(&request, span.ends));

        let mut answer = None;
        let next = loop {
            tokio::select! {
                biased;
                event = api.events.recv() => match event {
                    Some(Event::Next(waiting)) if answer.is_some() => break Some(waiting),
                    // Without an answer to the last invocation the runtime may not ask for the
                    // next. It gets that error when the other end is dropped.
                    Some(Event::Next(_)) => {}
                    Some(event) => take(event, &request.id, &mut answer),
                    None => break None,
                },
                failure = process.failure() => {
                    answer.get_or_insert(Err(process_failed(&request.id, &failure)));
                    break None;
                }
                () = tokio::time::sleep_until(span.ends) => {
                    answer.get_or_insert(Err(FunctionFailure::timed_out(
                        &request.id,
                        settings.timeout,
                        &report::now(),
                    )));
                    break None;
                }
            }
        };
        let duration = span.started.elapsed();
        let peak_memory_mb = process.peak_memory_mb();
        let answer = answer.unwrap_or_else(|| Err(FunctionFailure::out_of_memory(&request.id)));
        let environment = match next {
            Some(waiting) => Ok((process, waiting)),
            None => {
                process.kill().await;
                Err(())
            }
        };

        output.own(
            answer
                .as_ref()
                .err()
                .and_then(|failure| failure.log.clone()),
        );
        let report = Report {
            request_id: &request.id,
            duration,
            init_duration: span.init,
            peak_memory_mb,
            error: answer.as_ref().err().map(|failure| failure.kind.as_str()),
        };
        output.own(report::end(&settings, &report));
        output.flush().await;
        Finished {
            answer,
            log_tail: output.take_tail(),
            environment: environment.ok().map(|(process, waiting)| Self {
                settings,
                process,
                api,
                output,
                waiting,
            }),
        }
    }
}

fn delivery(request: &Request, ends: Instant) -> Delivery {
    // Not the cloud's clock: the process compares it with the machine's.
    let left = ends.saturating_duration_since(Instant::now());
    let deadline = SystemTime::now() + left;
    let epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let random = Uuid::new_v4().simple().to_string();
    let (parent, _) = random.split_at(16);
    Delivery {
        request_id: request.id.clone(),
        deadline_ms: deadline
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis(),
        function_arn: request.function_arn.clone(),
        trace_id: format!(
            "Root=1-{:08x}-{};Parent={parent};Sampled=0",
            epoch.as_secs(),
            &Uuid::new_v4().simple().to_string()[..24]
        ),
        payload: request.payload.clone(),
    }
}

/// The runtime's answer, if it is one to this invocation and the first.
fn take(event: Event, request_id: &str, answer: &mut Option<Answer>) {
    let verdict_on = |id: &str| {
        if id != request_id {
            Verdict::UnknownInvocation
        } else if answer.is_some() {
            Verdict::WrongState
        } else {
            Verdict::Accepted
        }
    };
    match event {
        Event::Response {
            request_id: id,
            body,
            verdict,
        } => match (verdict_on(&id), body) {
            (Verdict::Accepted, Ok(body)) => {
                *answer = Some(Ok(body));
                tell(verdict, Verdict::Accepted);
            }
            (Verdict::Accepted, Err(TooLarge(size))) => {
                let failure = FunctionFailure::response_too_large(size, MAX_RESPONSE_BYTES);
                *answer = Some(Err(failure));
                tell(verdict, Verdict::TooLarge);
            }
            (refusal, _) => tell(verdict, refusal),
        },
        Event::Error {
            request_id: id,
            kind,
            body,
            verdict,
        } => {
            let said = verdict_on(&id);
            if said == Verdict::Accepted {
                *answer = Some(Err(FunctionFailure::reported(kind, body)));
            }
            tell(verdict, said);
        }
        Event::InitError { verdict, .. } => tell(verdict, Verdict::WrongState),
        // Dropping the other end says the same.
        Event::Next(_) => {}
    }
}

fn tell(verdict: oneshot::Sender<Verdict>, said: Verdict) {
    // A runtime that hung up does not need to know.
    let _ = verdict.send(said);
}

fn process_failed(request_id: &str, failure: &ProcessFailure) -> FunctionFailure {
    match failure {
        ProcessFailure::Exited(status) => FunctionFailure::exited(request_id, *status),
        ProcessFailure::OutOfMemory => FunctionFailure::out_of_memory(request_id),
    }
}
