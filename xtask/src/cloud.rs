//! The embedded cloud as a process in the background.

use crate::checkout::Checkout;
use crate::http;
use crate::progress;
use crate::variables;
use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// How long a cloud may take until all it has deployed is live again.
const START: Duration = Duration::from_secs(60);

/// How long a cloud may take to finish what it is doing.
const STOP: Duration = Duration::from_secs(40);

/// An answer to whether a cloud is there comes from the same machine.
const ANSWER: Duration = Duration::from_secs(5);

/// A cloud of this checkout: where it is, or would be.
#[derive(Debug)]
pub struct Cloud<'a> {
    checkout: &'a Checkout,
    port: u16,
}

/// A process that runs the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    pub pid: i32,
    /// Whether it says of itself that it runs.
    pub answers: bool,
}

#[derive(Debug, Deserialize)]
struct Health {
    pid: i32,
    home: PathBuf,
}

impl<'a> Cloud<'a> {
    pub fn new(checkout: &'a Checkout, port: u16) -> Self {
        Self { checkout, port }
    }

    /// The running cloud, if there is one.
    pub async fn running(&self) -> Result<Option<Running>> {
        Ok(match self.health().await? {
            Some(Health { pid, .. }) => Some(Running { pid, answers: true }),
            // Started a moment ago, or stuck.
            None => self.checkout.cloud_process().map(|pid| Running {
                pid,
                answers: false,
            }),
        })
    }

    async fn health(&self) -> Result<Option<Health>> {
        let url = format!("{}/_mysfits/health", variables::endpoint(self.port));
        let Ok(response) = http::client()?.get(url).timeout(ANSWER).send().await else {
            return Ok(None);
        };
        let Ok(health) = response.json::<Health>().await else {
            bail!(
                "something else listens on port {}: set MYSFITS_PORT to the first of 16 free ports",
                self.port + 1
            );
        };
        if !same(&health.home, &self.checkout.data()) {
            bail!(
                "port {} belongs to the cloud of {}: set MYSFITS_PORT to the first of 16 free ports",
                self.port,
                health.home.display()
            );
        }
        Ok(Some(health))
    }

    /// Starts the cloud and waits until it is ready.
    pub async fn start(&self, program: &Path) -> Result<()> {
        progress::during("starting the embedded cloud", self.start_now(program)).await
    }

    async fn start_now(&self, program: &Path) -> Result<()> {
        let log_path = self.checkout.home.join("cloud.log");
        // The last run's log stays, so that people can see why it ended.
        fs::rename(&log_path, log_path.with_extension("log.old")).ok();
        let log = fs::File::create(&log_path)
            .with_context(|| format!("{} cannot be written", log_path.display()))?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .arg("--home")
            .arg(self.checkout.data())
            .arg("--port")
            .arg(self.port.to_string())
            // Paths of assets in the stack are relative to here.
            .current_dir(&self.checkout.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            // Ctrl-C in this terminal is not for the cloud.
            .process_group(0);
        pulumi_package::cargo::forget_own_package(&mut command);
        let mut child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        if let Some(pid) = child.id() {
            fs::write(self.checkout.home.join("cloud.pid"), format!("{pid}\n"))?;
        }
        let Some(stdout) = child.stdout.take() else {
            bail!("the embedded cloud has no output");
        };
        let mut lines = BufReader::new(stdout).lines();
        let first = match tokio::time::timeout(START, lines.next_line()).await {
            Ok(line) => line?,
            Err(_) => {
                child.kill().await.ok();
                None
            }
        };
        if first.as_deref() == Some("ready") {
            return Ok(());
        }
        let log = fs::read_to_string(&log_path).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        bail!(
            "the embedded cloud did not start; the end of {}:\n{}",
            log_path.display(),
            lines[lines.len().saturating_sub(20)..].join("\n")
        )
    }

    /// Stops the cloud and waits until its process is gone.
    pub async fn stop(&self, running: Running) -> Result<()> {
        progress::during("stopping the embedded cloud", stop_now(running.pid)).await?;
        fs::remove_file(self.checkout.home.join("cloud.pid")).ok();
        Ok(())
    }
}

async fn stop_now(pid: i32) -> Result<()> {
    let Some(pid) = Pid::from_raw(pid) else {
        bail!("the embedded cloud does not know its process id");
    };
    // The descriptor stays with this process, whatever becomes of its number.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return Ok(());
    };
    pidfd_send_signal(&process, Signal::TERM).context("the embedded cloud cannot be stopped")?;
    tokio::task::spawn_blocking(move || {
        if !ended_within(&process, STOP)? {
            pidfd_send_signal(&process, Signal::KILL).ok();
            ended_within(&process, STOP)?;
        }
        Ok(())
    })
    .await?
}

fn ended_within(process: &OwnedFd, time: Duration) -> Result<bool> {
    let timeout = Timespec::try_from(time)?;
    let mut descriptors = [PollFd::new(process, PollFlags::IN)];
    Ok(poll(&mut descriptors, Some(&timeout))? > 0)
}

fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}
