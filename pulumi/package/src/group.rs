//! A child process with everything it starts: a process group that is stopped as one.

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

/// How long a stopped child may take to end by itself. The engine kills a language host five
/// seconds after it asked it to end.
const PATIENCE: Duration = Duration::from_secs(3);

/// The child did not end by itself.
#[derive(Debug, thiserror::Error)]
#[error("{0} was stopped")]
pub struct Stopped(String);

/// A running process group.
pub struct Group {
    pub child: Child,
    leader: Pid,
    name: String,
}

impl Group {
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let name = command.as_std().get_program().display().to_string();
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let leader = child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?))
            .with_context(|| format!("{name} ended before it ran"))?;
        Ok(Self {
            child,
            leader,
            name,
        })
    }

    /// Waits for the end of the child. When `stop` comes first, the group is interrupted, killed
    /// if that is not enough, and waited for.
    pub async fn wait(&mut self, stop: &CancellationToken) -> Result<ExitStatus> {
        tokio::select! {
            status = self.child.wait() => {
                status.with_context(|| format!("{} was lost", self.name))
            }
            () = stop.cancelled() => {
                self.stop().await?;
                Err(Stopped(self.name.clone()).into())
            }
        }
    }

    async fn stop(&mut self) -> Result<()> {
        self.signal(Signal::INT);
        if tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .is_err()
        {
            self.signal(Signal::KILL);
            self.child.wait().await?;
        }
        // Whatever outlived its leader.
        self.signal(Signal::KILL);
        Ok(())
    }

    /// The group may be gone already, which is what a signal is for.
    fn signal(&self, signal: Signal) {
        kill_process_group(self.leader, signal).ok();
    }
}
