//! The process of an execution environment: its group, its memory, and that none outlives the
//! cloud.

use super::isolation::{Copy, Isolation};
use super::launcher::{Failure, Order, SUBCOMMAND, TASK_ROOT};
use super::variables::{self, Runtime};
use anyhow::Result;
use cloud_core::troubles::Troubles;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use std::fs;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

/// How often a busy process's memory is looked at.
const MEMORY_CHECK: Duration = Duration::from_millis(25);

/// Writable address space that a process may have beside its declared memory: stacks of threads
/// and reserves of allocators, of which little is ever used.
const ADDRESS_SPACE_ALLOWANCE: u64 = 1024 * 1024 * 1024;

/// How long a function's surroundings may take to be made. They take milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What environments have in the data folder.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// Where running processes are noted.
    pub notes: PathBuf,
    /// Where copies of code are.
    pub copies: PathBuf,
}

/// A running `bootstrap`; dropping it kills it with all processes it started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pid: Pid,
    ended: bool,
    memory_limit: u64,
    /// Says to a later run of the cloud that this process is its to end.
    note: PathBuf,
    /// Its own copy of the code, when it has one. The last field: it goes after the process.
    _copy: Option<Copy>,
}

/// Why a process does not go on.
#[derive(Debug)]
pub(crate) enum ProcessFailure {
    Exited(ExitStatus),
    OutOfMemory,
}

impl Process {
    /// Starts `bootstrap`, kept apart as well as the machine allows. What it writes to its
    /// standard output and error comes from the pipe.
    pub(crate) async fn start(
        runtime: Runtime<'_>,
        folders: &Folders,
        isolation: &Isolation,
    ) -> io::Result<(Self, PipeReader)> {
        let (reader, writer) = io::pipe()?;
        let memory_limit = u64::from(runtime.settings.memory_mb) * 1024 * 1024;
        let new = |child: Child, copy: Option<Copy>| {
            let pid = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
            let pid = pid.ok_or_else(|| io::Error::other("the process has no id"))?;
            let process = Self {
                child,
                pid,
                ended: false,
                memory_limit,
                note: folders.notes.join(pid.as_raw_nonzero().to_string()),
                _copy: copy,
            };
            process.limit_address_space();
            process.leave_note();
            io::Result::Ok(process)
        };
        let process = match isolation {
            Isolation::Namespaces { launcher } => {
                let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
                let child = command(launcher, writer)?
                    .arg(SUBCOMMAND)
                    .current_dir("/")
                    .stdin(OwnedFd::from(theirs))
                    .spawn()?;
                let process = new(child, None)?;
                let order = Order {
                    code: Some(runtime.settings.code.folder.clone()),
                    tmp_mb: runtime.settings.ephemeral_storage_mb,
                    variables: variables::of(runtime, Path::new(TASK_ROOT)),
                };
                let launched = tokio::time::timeout(PATIENCE, launch(ours, &order)).await;
                launched.map_err(io::Error::other)??;
                process
            }
            Isolation::Copies { .. } => {
                let (code, parent) = (Arc::clone(&runtime.settings.code), folders.copies.clone());
                let copying = tokio::task::spawn_blocking(move || Copy::of(&code, &parent));
                let copy = copying.await.map_err(io::Error::other)??;
                let task_root = copy.task_root();
                let child = command(&task_root.join("bootstrap"), writer)?
                    .current_dir(&task_root)
                    .stdin(Stdio::null())
                    .env("TMPDIR", copy.temporary())
                    .envs(variables::of(runtime, &task_root))
                    .spawn()?;
                new(child, Some(copy))?
            }
        };
        Ok((process, reader))
    }

    /// Waits until the process cannot go on.
    pub(crate) async fn failure(&mut self) -> ProcessFailure {
        let ended = tokio::select! {
            ended = self.child.wait() => ended,
            () = memory_above(self.pid, self.memory_limit) => return ProcessFailure::OutOfMemory,
        };
        // What it started ends with it.
        self.kill_group();
        match ended {
            Ok(status) => ProcessFailure::Exited(status),
            Err(error) => {
                tracing::error!(%error, "a function's process cannot be waited for");
                ProcessFailure::Exited(ExitStatus::default())
            }
        }
    }

    /// The most memory that it ever used, in MB.
    pub(crate) fn peak_memory_mb(&self) -> u64 {
        memory(self.pid, "VmHWM:")
            .unwrap_or(0)
            .div_ceil(1024 * 1024)
    }

    /// Ends the process and all that it started, and waits for that.
    pub(crate) async fn kill(mut self) {
        self.kill_group();
        // Waited for so that no zombie is left.
        let _ = self.child.wait().await;
    }

    fn kill_group(&mut self) {
        // Once it is over, another process may have the number.
        if !std::mem::replace(&mut self.ended, true) {
            // Gone already is as good.
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = fs::remove_file(&self.note);
        }
    }

    /// A bound for what is allocated between two looks at the memory.
    fn limit_address_space(&self) {
        let most = Some(self.memory_limit + ADDRESS_SPACE_ALLOWANCE);
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        if let Err(error) = prlimit(Some(self.pid), Resource::Data, limit) {
            tracing::warn!(%error, "a function's address space cannot be limited");
        }
    }

    fn leave_note(&self) {
        let pid = self.pid.as_raw_nonzero().get();
        let written = started_at(pid)
            .map(|started| fs::write(&self.note, started))
            .unwrap_or(Ok(()));
        if let Err(error) = written {
            tracing::warn!(%error, "a function's process is not noted");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// A program with nothing of the cloud's environment, in a group of its own.
fn command(program: &Path, output: io::PipeWriter) -> io::Result<Command> {
    let mut command = Command::new(program);
    command
        .env_clear()
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

/// Tells the launcher what to do, and waits until it has become `bootstrap`.
async fn launch(socket: std::os::unix::net::UnixStream, order: &Order) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let mut socket = UnixStream::from_std(socket)?;
    socket.write_all(&serde_json::to_vec(order)?).await?;
    socket.shutdown().await?;
    let mut said = String::new();
    socket.read_to_string(&mut said).await?;
    match Failure::parse(&said) {
        None => Ok(()),
        Some(Failure::Bootstrap(number)) => Err(io::Error::from_raw_os_error(number)),
        Some(Failure::Environment(reason)) => Err(io::Error::other(reason)),
    }
}

/// Waits until a process uses more than this.
async fn memory_above(pid: Pid, limit: u64) {
    while memory(pid, "VmRSS:").is_none_or(|used| used <= limit) {
        tokio::time::sleep(MEMORY_CHECK).await;
    }
}

/// One line of a process's status, in bytes.
fn memory(pid: Pid, line: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = status.lines().find_map(|text| text.strip_prefix(line))?;
    let kilobytes: u64 = value.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Kills what an earlier run of the cloud left behind when it was killed itself.
pub(crate) fn kill_left_over(notes: &Path, troubles: &Troubles) -> Result<()> {
    cloud_core::folder::create(notes)?;
    for note in fs::read_dir(notes)? {
        let path = note?.path();
        let pid = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok())
            .and_then(Pid::from_raw);
        let noted = fs::read(&path).unwrap_or_default();
        if !noted.iter().all(u8::is_ascii_digit) {
            let what = "the note of a function's process is damaged; the process may still run";
            troubles.keep_file(&path, what);
            continue;
        }
        if let Some(pid) = pid
            && let Some(started) = started_at(pid.as_raw_nonzero().get())
            // Process ids are used again; the time of the start tells them apart.
            && noted == started.as_bytes()
        {
            tracing::info!(%pid, "ending a function's process of an earlier run");
            let _ = kill_process_group(pid, Signal::KILL);
        }
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(file = %path.display(), %error, "a process's note stays");
        }
    }
    Ok(())
}

/// When a process was started, in the kernel's own measure.
fn started_at(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold anything; the time is the
    // 22nd of all.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, ensure};
    use std::os::unix::process::{CommandExt, ExitStatusExt};

    /// A process in a group of its own, and the note that would be left of it.
    fn left_behind(notes: &Path) -> Result<(std::process::Child, PathBuf)> {
        let child = std::process::Command::new("sleep")
            .arg("1000")
            .process_group(0)
            .spawn()?;
        let note = notes.join(child.id().to_string());
        let started = started_at(child.id().cast_signed()).context("it has a start")?;
        fs::write(&note, started)?;
        Ok((child, note))
    }

    #[test]
    fn what_an_earlier_run_left_behind_is_killed() -> Result<()> {
        let notes = tempfile::tempdir()?;
        let (mut child, note) = left_behind(notes.path())?;
        kill_left_over(notes.path(), &Troubles::open(notes.path()))?;
        ensure!(child.wait()?.signal() == Some(9));
        ensure!(!note.exists());
        Ok(())
    }

    #[test]
    fn another_process_with_the_same_number_is_left_alone() -> Result<()> {
        let notes = tempfile::tempdir()?;
        let (mut child, note) = left_behind(notes.path())?;
        fs::write(&note, "1")?;
        kill_left_over(notes.path(), &Troubles::open(notes.path()))?;
        ensure!(child.try_wait()?.is_none() && !note.exists());
        child.kill()?;
        child.wait()?;
        Ok(())
    }
}
