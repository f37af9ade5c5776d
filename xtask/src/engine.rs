//! The Pulumi CLI for one stack: on the embedded cloud, or in the backend and the account that plain
//! `pulumi` uses here.

use crate::binaries;
use crate::checkout::Checkout;
use crate::progress;
use crate::pulumi;
use crate::session::{LOCAL, Session};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use review::preview::Preview;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

/// Has the CLI say what it would do, as it finds it out. See `review::preview`.
const STREAMING: &str = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW";

/// The clouds that a command can be told to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// The embedded cloud and the local backend: no account is asked
    Embedded,
}

/// Where a stack is, and how the CLI gets there.
#[derive(Debug, Clone)]
pub struct Engine {
    pub checkout: Checkout,
    pub stack: String,
    /// The folder whose program is taken, and whose stack file where no other is named.
    pub root: PathBuf,
    /// The stack's file in place of the one in the folder.
    pub config_file: Option<PathBuf>,
    /// Variables beside those that lead to the cloud and the backend.
    environment: Vec<(&'static str, OsString)>,
    cli: Cli,
}

#[derive(Debug, Clone)]
enum Cli {
    Embedded(Arc<Session>),
    Plain { program: PathBuf, path: OsString },
}

impl Engine {
    /// Of stack `local` on the embedded cloud, of any other where plain `pulumi` has it.
    pub async fn open(stack: &str, against: Option<Against>) -> Result<Self> {
        let against = match stack {
            LOCAL => Some(Against::Embedded),
            _ => against,
        };
        let engine = Self::unopened(stack, against).await?;
        if let Cli::Embedded(session) = &engine.cli {
            session.ensure_stack(stack).await?;
        }
        Ok(engine)
    }

    /// The same for a stack that may not be there.
    pub async fn unopened(stack: &str, against: Option<Against>) -> Result<Self> {
        if against.is_some() {
            let session = Session::open().await?;
            session.ensure_cloud().await?;
            return Ok(Self {
                checkout: session.checkout.clone(),
                root: session.checkout.root.clone(),
                stack: stack.to_owned(),
                config_file: None,
                environment: Vec::new(),
                cli: Cli::Embedded(Arc::new(session)),
            });
        }
        let checkout = Checkout::find()?;
        let program = pulumi::find(&checkout).await?;
        // The host of this checkout, whether `cargo xtask setup` was run or not.
        let host = binaries::language_host(&checkout.root).await?;
        let folders = host.parent().map(PathBuf::from).into_iter();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&path)))
            .context("a folder with a colon in its name cannot be on PATH")?;
        Ok(Self {
            root: checkout.root.clone(),
            checkout,
            stack: stack.to_owned(),
            config_file: None,
            environment: Vec::new(),
            cli: Cli::Plain { program, path },
        })
    }

    /// The same with another file of the stack.
    pub fn configured(self, file: Option<&Path>) -> Result<Self> {
        let config_file = file.map(std::path::absolute).transpose()?;
        Ok(Self {
            config_file,
            ..self
        })
    }

    /// The program of another folder.
    pub fn in_folder(self, root: PathBuf) -> Self {
        Self { root, ..self }
    }

    /// With a variable more.
    pub fn with(mut self, name: &'static str, value: OsString) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value));
        self
    }

    /// The first port of the embedded cloud, where that is the cloud.
    pub fn port(&self) -> Option<u16> {
        match &self.cli {
            Cli::Embedded(session) => Some(session.port),
            Cli::Plain { .. } => None,
        }
    }

    /// `pulumi ARGUMENTS --stack STACK` for a command that runs the program.
    pub fn run(&self, arguments: &[&str]) -> Command {
        let mut command = self.pulumi(arguments);
        if let Some(file) = &self.config_file {
            command.arg("--config-file").arg(file);
        }
        command
    }

    /// `pulumi ARGUMENTS --stack STACK`.
    pub fn pulumi(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.args(["--stack", &self.stack]);
        command
    }

    /// `pulumi ARGUMENTS`.
    pub fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = match &self.cli {
            Cli::Embedded(session) => session.pulumi(arguments),
            Cli::Plain { program, path } => {
                let mut command = Command::new(program);
                command.args(arguments).env("PATH", path);
                pulumi_package::cargo::forget_own_package(&mut command);
                command
            }
        };
        let environment = self.environment.iter();
        command
            .envs(environment.map(|(name, value)| (name, value)))
            .current_dir(&self.root)
            .stdin(Stdio::null());
        command
    }

    /// What an update would do.
    pub async fn preview(&self, more: &[&str]) -> Result<Preview> {
        let (preview, _) = self.events(&[&["preview"], more].concat()).await?;
        Ok(preview)
    }

    /// What differs from the state. The CLI runs with the option to expect no changes.
    pub async fn drift(&self) -> Result<Preview> {
        let arguments = ["refresh", "--preview-only", "--expect-no-changes"];
        let (preview, succeeded) = self.events(&arguments).await?;
        if !succeeded && preview.changed().next().is_none() {
            bail!(
                "pulumi refresh of stack {} failed: {}",
                self.stack,
                preview.errors.join("\n")
            );
        }
        Ok(preview)
    }

    /// The state, as `pulumi stack export` gives it: secrets stay encrypted.
    pub async fn state(&self) -> Result<Value> {
        let output = self
            .pulumi(&["stack", "export"])
            .output()
            .await
            .context("pulumi cannot be started")?;
        if !output.status.success() {
            bail!(
                "the state of stack {} cannot be read: {}",
                self.stack,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// What the CLI says of what it would do, and whether it ended well. A refresh that expects no
    /// changes fails when there are some, after it has printed all of them.
    async fn events(&self, arguments: &[&str]) -> Result<(Preview, bool)> {
        let what = format!("pulumi {} of stack {}", arguments.join(" "), self.stack);
        let step = progress::step(&what);
        let mut child = self
            .run(arguments)
            .args(["--json", "--non-interactive"])
            .env(STREAMING, "true")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("pulumi cannot be started")?;
        let stdout = child.stdout.take().context("pulumi has no output")?;
        let mut stderr = child.stderr.take().context("pulumi has no errors")?;
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            stderr.read_to_end(&mut said).await.map(|_| said)
        });
        let mut events = String::new();
        let mut lines = BufReader::new(stdout).lines();
        let mut met = 0;
        while let Some(line) = lines.next_line().await? {
            if line.contains("\"resourcePreEvent\"") {
                met += 1;
                step.at(&format!("{met} resources"));
            }
            if line.starts_with('{') {
                events += &line;
                events.push('\n');
            }
        }
        let status = child.wait().await?;
        let said = String::from_utf8_lossy(&said.await??).trim().to_owned();
        let preview = Preview::parse(&events)?;
        let expects = arguments.contains(&"--expect-no-changes");
        let failed = !preview.errors.is_empty() && !expects;
        let found_changes = expects && met > 0;
        if failed || !(status.success() || found_changes) {
            let mut reasons = preview.errors.clone();
            if reasons.is_empty() {
                reasons.push(said);
            }
            bail!("{what} failed: {}", reasons.join("\n"));
        }
        step.done();
        Ok((preview, status.success()))
    }
}
