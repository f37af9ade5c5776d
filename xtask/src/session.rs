//! A checkout made ready: the CLI found, the programs built, and, where it is needed, the
//! embedded cloud running and the stacks there.

use crate::binaries::{self, Installed};
use crate::checkout::Checkout;
use crate::cloud::Cloud;
use crate::disk;
use crate::ports;
use crate::progress;
use crate::pulumi;
use crate::secrets::{self, Secrets};
use crate::variables::Variables;
use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// The stack of the embedded cloud.
pub const LOCAL: &str = "local";

/// What a command that talks to the engine works with.
#[derive(Debug)]
pub struct Session {
    pub checkout: Checkout,
    pub port: u16,
    pub variables: Variables,
    program: Installed,
}

impl Session {
    /// Finds or builds the CLI, builds the programs. Nothing runs yet.
    pub async fn open() -> Result<Self> {
        Self::of(Checkout::open()?).await
    }

    pub async fn of(checkout: Checkout) -> Result<Self> {
        disk::check(&checkout)?;
        let port = ports::first(&checkout)?;
        let pulumi = pulumi::find(&checkout).await?;
        let lock = checkout.lock()?;
        let program = binaries::install(&checkout, &pulumi, port).await?;
        drop(lock);
        fs::create_dir_all(checkout.backend())
            .with_context(|| format!("{} cannot be created", checkout.backend().display()))?;
        Ok(Self {
            variables: Variables::new(&checkout, port)?,
            checkout,
            port,
            program,
        })
    }

    pub fn cloud(&self) -> Cloud<'_> {
        Cloud::new(&self.checkout, self.port)
    }

    /// Has a cloud of the program just built running. The time is that of a start.
    pub async fn ensure_cloud(&self) -> Result<Option<Duration>> {
        let _lock = self.checkout.lock()?;
        let cloud = self.cloud();
        if let Some(running) = cloud.running().await? {
            if running.answers && !self.program.changed {
                return Ok(None);
            }
            cloud.stop(running).await?;
        }
        let started = Instant::now();
        cloud.start(&self.program.path).await?;
        Ok(Some(started.elapsed()))
    }

    /// Has a stack in the local backend.
    pub async fn ensure_stack(&self, stack: &str) -> Result<()> {
        let _lock = self.checkout.lock()?;
        if self.checkout.stack(stack).is_file() {
            return Ok(());
        }
        let mut command = self.pulumi(&["stack", "init", stack]);
        if stack != LOCAL {
            command.arg("--no-select");
        }
        // Or the file would get a passphrase in place of what it has.
        if let Secrets::Provider(url) = secrets::of(&self.checkout.root, stack)? {
            command.args(["--secrets-provider", &url]);
        }
        // What it prints is not for the standard output of a command like `env`.
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let name = format!("creating stack {stack}");
        let output = progress::during(&name, command.output()).await?;
        if !output.status.success() {
            bail!(
                "stack {stack} cannot be created: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }

    /// The CLI, in the environment that `cargo xtask env` prints.
    pub fn pulumi(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.checkout.bin().join("pulumi"));
        command
            .args(arguments)
            .current_dir(&self.checkout.root)
            .stdin(Stdio::null())
            // The CLI ends before collecting garbage pays off: without it a preview takes a tenth
            // less time and a tenth more memory.
            .env("GOGC", "400");
        self.variables.apply(&mut command);
        pulumi_package::cargo::forget_own_package(&mut command);
        command
    }

    /// The outputs of stack `local`, as JSON.
    pub async fn raw_outputs(&self) -> Result<serde_json::Value> {
        let output = self
            .pulumi(&["stack", "output", "--json", "--stack", LOCAL])
            .output()
            .await?;
        if !output.status.success() {
            bail!(
                "stack {LOCAL} has no outputs: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}
