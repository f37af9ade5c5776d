//! git in a repository: its own programs, without the settings of the user and of the machine.

use cloud_core::error::{AwsError, AwsResult};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tokio::process::Command;

/// A bare repository.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    pub(crate) path: PathBuf,
}

impl Git {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// A git that knows nothing but the repository.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("git");
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C")
            .current_dir(&self.path)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn init(&self) -> AwsResult<()> {
        // Without hooks; and what a push was told to be stored is on the disk.
        self.run(&["init", "--quiet", "--bare", "--template=", "."])
            .await?;
        self.run(&["config", "core.fsync", "all"]).await?;
        Ok(())
    }

    /// Runs git, which must succeed; gives what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> AwsResult<Vec<u8>> {
        let output = self.try_run(arguments).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(AwsError::internal(format!(
                "git {}: {}",
                arguments.join(" "),
                said.trim()
            )));
        }
        Ok(output.stdout)
    }

    pub(crate) async fn try_run(&self, arguments: &[&str]) -> AwsResult<Output> {
        let output = self.command().args(arguments).output().await;
        output.map_err(|error| missing(&error))
    }

    /// Names of branches, in alphabetical order.
    pub(crate) async fn branches(&self) -> AwsResult<Vec<String>> {
        let listed = self
            .run(&["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"])
            .await?;
        Ok(String::from_utf8_lossy(&listed)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// The branch that a clone begins with: the wanted one where it exists, else the one that it was
    /// until now, else the first that was pushed.
    pub(crate) async fn settle_head(&self, wanted: Option<&str>) -> AwsResult<Option<String>> {
        let branches = self.branches().await?;
        let head = self.run(&["symbolic-ref", "HEAD"]).await?;
        let head = String::from_utf8_lossy(&head);
        let head = head.trim().trim_start_matches("refs/heads/");
        let exists = |name: &&str| branches.iter().any(|branch| branch == name);
        let chosen = wanted.filter(exists).or(Some(head).filter(exists));
        let Some(chosen) = chosen.or(branches.first().map(String::as_str)) else {
            return Ok(None);
        };
        if chosen != head {
            self.run(&["symbolic-ref", "HEAD", &format!("refs/heads/{chosen}")])
                .await?;
        }
        Ok(Some(chosen.to_owned()))
    }
}

/// What is said where git cannot be started.
pub(crate) fn missing(error: &std::io::Error) -> AwsError {
    AwsError::new(
        500,
        "RepositoryUnavailable",
        format!("a repository is served by git, which cannot be started: {error}"),
    )
}
