//! How an execution environment is kept apart from the machine and from other environments.
//!
//! On AWS `/var/task` and all else but `/tmp` is read-only, and `/tmp` is the environment's own
//! and ends with it (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html>). Where the
//! kernel lets an ordinary user have namespaces of users and mounts, it is so here too:
//! [`launcher`](super::launcher). Where it does not, an environment has a copy of its code and a
//! folder for temporary files, and the rest of the machine stays within its reach.
//!
//! Which of the two it is has to be tried as a whole: Ubuntu 24.04 lets a process have the
//! namespaces and then refuses it the mounts.

use super::code::Code;
use super::launcher::{self, Order};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use uuid::Uuid;

/// How long an attempt at the namespaces may take. It takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What this machine allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Isolation {
    /// Namespaces, which this program enters for the function.
    Namespaces { launcher: PathBuf },
    /// Copies, and why there are no namespaces.
    Copies { reason: String },
}

impl Isolation {
    /// Tries namespaces with the program that enters them.
    pub async fn probe(launcher: Option<&Path>) -> Self {
        let Some(launcher) = launcher else {
            return Self::Copies {
                reason: "the cloud was started without a program that enters namespaces".into(),
            };
        };
        match tokio::time::timeout(PATIENCE, attempt(launcher)).await {
            Ok(Ok(())) => Self::Namespaces {
                launcher: launcher.to_owned(),
            },
            Ok(Err(error)) => Self::Copies {
                reason: error.to_string(),
            },
            Err(_) => Self::Copies {
                reason: format!("an attempt took longer than {} s", PATIENCE.as_secs()),
            },
        }
    }

    /// Its name in health and status.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Namespaces { .. } => "namespaces",
            Self::Copies { .. } => "copies",
        }
    }

    /// Why it is not the better one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Namespaces { .. } => None,
            Self::Copies { reason } => Some(reason),
        }
    }
}

async fn attempt(launcher: &Path) -> io::Result<()> {
    let mut child = Command::new(launcher)
        .arg(launcher::SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        let order = serde_json::to_vec(&Order::probe())?;
        input.write_all(&order).await?;
    }
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_string(&mut said).await?;
    }
    match child.wait().await?.success() {
        true => Ok(()),
        false => Err(io::Error::other(said.trim().to_owned())),
    }
}

/// A copy of a function's code, and a folder for temporary files: both end with this.
#[derive(Debug)]
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Makes a copy in a new folder below `parent`. Blocks for as long as the disk takes.
    pub(crate) fn of(code: &Code, parent: &Path) -> io::Result<Self> {
        let copy = Self {
            folder: parent.join(Uuid::new_v4().simple().to_string()),
        };
        fs::create_dir_all(copy.temporary())?;
        copy_read_only(&code.folder, &copy.task_root())?;
        Ok(copy)
    }

    /// Where the code is.
    pub(crate) fn task_root(&self) -> PathBuf {
        self.folder.join("task")
    }

    /// Where temporary files belong.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "a copy of code stays");
        }
    }
}

/// Removes all copies that an earlier run of the cloud left.
pub(crate) fn remove_left_over(parent: &Path) -> io::Result<()> {
    match parent.exists() {
        true => remove(parent),
        false => Ok(()),
    }
}

fn copy_read_only(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_read_only(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), &place)?;
            forbid_writing(&place)?;
        }
    }
    forbid_writing(to)
}

fn forbid_writing(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    fs::set_permissions(path, Permissions::from_mode(mode & !0o222))
}

/// Removes a folder with whatever a function did to the permissions in it.
fn remove(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(folder)
}
