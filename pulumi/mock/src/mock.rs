//! A mock engine, as a test sets it up, and a run of a program under it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::engine::{Script, Servers};
use crate::journal::{Ending, Journal};
use crate::resource::{Answer, Invoke, Resource};
use crate::run::{Log, Run, Severity};

/// A program that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
/// Names a file that has text for as long as the program is not complete, so that a language host
/// notices a program that ends with success too early.
const UNFINISHED: &str = "PULUMI_RUST_UNFINISHED";
/// For what a program has printed by its end, and is still on its way.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// An engine to run a program under.
#[must_use]
pub struct Mock {
    organization: String,
    root_directory: PathBuf,
    config: BTreeMap<String, String>,
    secrets: BTreeSet<String>,
    environment: BTreeMap<String, String>,
    patience: Duration,
    script: Script,
}

impl fmt::Debug for Mock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mock")
            .field("project", &self.script.project)
            .field("stack", &self.script.stack)
            .field("preview", &self.script.preview)
            .finish_non_exhaustive()
    }
}

impl Default for Mock {
    fn default() -> Self {
        Self::new()
    }
}

impl Mock {
    /// An update of stack `test` of project `project`, started in the current directory.
    pub fn new() -> Self {
        Self {
            organization: "organization".to_owned(),
            root_directory: PathBuf::from("."),
            config: BTreeMap::new(),
            secrets: BTreeSet::new(),
            environment: BTreeMap::new(),
            patience: PATIENCE,
            script: Script {
                project: "project".to_owned(),
                stack: "test".to_owned(),
                ..Script::default()
            },
        }
    }

    pub fn project(mut self, project: &str) -> Self {
        self.script.project = project.to_owned();
        self
    }

    pub fn stack(mut self, stack: &str) -> Self {
        self.script.stack = stack.to_owned();
        self
    }

    pub fn organization(mut self, organization: &str) -> Self {
        self.organization = organization.to_owned();
        self
    }

    /// The folder of Pulumi.yaml, where the program runs.
    pub fn root_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_directory = path.into();
        self
    }

    /// Only shows what an update would do.
    pub fn preview(mut self) -> Self {
        self.script.preview = true;
        self
    }

    /// A value of the stack's configuration; the key is `NAMESPACE:KEY`.
    pub fn config(mut self, key: &str, value: &str) -> Self {
        self.config.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same, for a secret.
    pub fn secret(mut self, key: &str, value: &str) -> Self {
        self.secrets.insert(key.to_owned());
        self.config(key, value)
    }

    /// A variable of the program's environment, besides those that the test itself has.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// How each registration is answered.
    pub fn answer(mut self, answer: impl Fn(&Resource) -> Answer + Send + Sync + 'static) -> Self {
        self.script.answer = Box::new(answer);
        self
    }

    /// What a provider's function returns.
    pub fn function(mut self, token: &str, result: Value) -> Self {
        self.script
            .functions
            .insert(token.to_owned(), Box::new(move |_| Ok(result.clone())));
        self
    }

    /// What a provider's function returns, or its error.
    pub fn function_with(
        mut self,
        token: &str,
        result: impl Fn(&Invoke) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        self.script
            .functions
            .insert(token.to_owned(), Box::new(result));
        self
    }

    /// Delays every answer by some milliseconds, which depend on the seed and the resource alone.
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.script.shuffle = Some(seed);
        self
    }

    /// An engine that does not know a feature, as programs ask for it: `deletedWith`, `replaceWith`,
    /// `replacementTrigger`, `resourceHooks`, `parameterization`.
    pub fn without_feature(mut self, feature: &str) -> Self {
        self.script.without.insert(feature.to_owned());
        self
    }

    /// An engine of this version, such as `3.200.0`. Without it, it is as new as anybody asks for.
    pub fn version(mut self, version: &str) -> Self {
        self.script.version = Some(version.to_owned());
        self
    }

    /// How long the program may run.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs the program, and gives back what it did. However the program ends, this is no error.
    ///
    /// # Errors
    /// When the program cannot be started, does not end in time, or an answer panics.
    pub fn run(self, program: impl AsRef<Path>) -> Result<Run> {
        let program = program.as_ref().to_owned();
        // A thread of its own, so that it works inside of a runtime too.
        let run = std::thread::spawn(move || self.run_here(&program)).join();
        match run {
            Ok(run) => run,
            Err(_) => bail!("the mock engine panicked"),
        }
    }

    fn run_here(mut self, program: &Path) -> Result<Run> {
        let mut command = self.command(program)?;
        let unfinished = tempfile::NamedTempFile::new()?;
        command.env(UNFINISHED, unfinished.path());
        let journal = Arc::new(Journal::new());
        let script = Arc::new(std::mem::take(&mut self.script));
        let mut servers = Some(Servers::start(script, journal.clone())?);
        let runtime = Runtime::new()?;
        let outcome = runtime.block_on(async {
            let mut child = command
                .envs(servers.iter().flat_map(Servers::addresses))
                .spawn()
                .with_context(|| format!("{} does not start", program.display()))?;
            let stdout = Printed::read(child.stdout.take());
            let stderr = Printed::read(child.stderr.take());
            let deadline = Instant::now() + self.patience;
            let status = self.wait(&mut child, deadline, &journal, &mut servers);
            let status = status.await?;
            if status.is_none() {
                child.kill().await?;
            }
            let deadline = deadline.max(Instant::now() + LAST_WORDS);
            let (stdout, out_complete) = stdout.until(deadline).await;
            let (stderr, err_complete) = stderr.until(deadline).await;
            anyhow::Ok((status, stdout, stderr, out_complete && err_complete))
        });
        runtime.shutdown_background();
        let (status, stdout, stderr, complete) = outcome?;
        if let Some(panic) = &journal.read().panic {
            bail!("{panic}");
        }
        let mut run = journal.read().run.clone();
        run.stdout = stdout;
        run.stderr = stderr;
        match status {
            Some(_) if !complete => bail!(
                "the program has ended, but something that it started still had its output open \
                 after {:?}: {run}",
                self.patience
            ),
            Some(status) => {
                run.exit_code = status.code();
                let complete = std::fs::read(unfinished.path())?.is_empty();
                if run.exit_code == Some(0) && !complete {
                    run.logs.push(Log {
                        severity: Severity::Error,
                        message: "the program ended with exit code 0 before it was complete"
                            .to_owned(),
                        urn: None,
                    });
                }
                Ok(run)
            }
            None => bail!("the program had not ended after {:?}: {run}", self.patience),
        }
    }

    /// `None` when the time is over.
    async fn wait(
        &self,
        child: &mut Child,
        deadline: Instant,
        journal: &Journal,
        servers: &mut Option<Servers>,
    ) -> Result<Option<ExitStatus>> {
        let end = tokio::time::timeout_at(deadline, async {
            tokio::select! {
                status = child.wait() => return Ok(status?),
                ending = journal.until(|entries| {
                    entries.ending.filter(|ending| *ending != Ending::Failed)
                }) => match ending {
                    Ending::EngineLost => drop(servers.take()),
                    _ => interrupt(child)?,
                },
            }
            Ok(child.wait().await?)
        });
        end.await.ok().transpose()
    }

    fn command(&self, program: &Path) -> Result<Command> {
        let root = std::path::absolute(&self.root_directory)?;
        if !root.is_dir() {
            bail!("the root directory {} is not there", root.display());
        }
        // A path is relative to the test, wherever the program runs; a name alone is on PATH.
        let program = match program.components().count() {
            0 | 1 => program.to_owned(),
            _ => std::path::absolute(program)?,
        };
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PULUMI_") {
                command.env_remove(name);
            }
        }
        command
            .env("PULUMI_PROJECT", &self.script.project)
            .env("PULUMI_STACK", &self.script.stack)
            .env("PULUMI_ORGANIZATION", &self.organization)
            .env("PULUMI_ROOT_DIRECTORY", &root)
            .env("PULUMI_PWD", &root)
            .env("PULUMI_DRY_RUN", self.script.preview.to_string())
            .env("PULUMI_PARALLEL", "16")
            .env("PULUMI_CONFIG", serde_json::to_string(&self.config)?)
            .env(
                "PULUMI_CONFIG_SECRET_KEYS",
                serde_json::to_string(&self.secrets)?,
            )
            .envs(&self.environment)
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Ok(command)
    }
}

fn interrupt(child: &Child) -> Result<()> {
    let pid = child
        .id()
        .and_then(|pid| Pid::from_raw(pid.cast_signed()))
        .context("the program has ended")?;
    Ok(kill_process(pid, Signal::INT)?)
}

/// What a program prints on one stream.
struct Printed {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Printed {
    fn read(stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::default());
        let reading = tokio::spawn(read(stream, Arc::clone(&bytes)));
        Self { bytes, reading }
    }

    /// All of it, or what was there by then, and whether it was all.
    async fn until(self, deadline: Instant) -> (String, bool) {
        let end = tokio::time::timeout_at(deadline, self.reading).await;
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        (String::from_utf8_lossy(&bytes).into_owned(), end.is_ok())
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>, bytes: Arc<Mutex<Vec<u8>>>) {
    let Some(mut stream) = stream else { return };
    let mut chunk = [0; 8192];
    // What could be read by the time the program ends is its output.
    while let Ok(length @ 1..) = stream.read(&mut chunk).await {
        let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(&chunk[..length]);
    }
}
