//! The base of a pull request, deployed to the embedded cloud before its head is previewed: so the
//! preview shows what the pull request changes, and needs no account.

use crate::engine::Engine;
use crate::progress;
use crate::tools;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// Deploys the files of a commit, in a folder of their own. They are built where this checkout is
/// built, so that nothing of others is compiled twice.
pub async fn deploy(engine: &Engine, commit: &str) -> Result<()> {
    let folder = Worktree::of(engine, commit).await?;
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => engine.root.join(target),
        None => engine.root.join("target"),
    };
    let step = format!("deploying {commit} to the embedded cloud");
    eprintln!("{step}");
    let mut up = engine.run(&["up", "--yes", "--skip-preview", "--suppress-outputs"]);
    // What is printed is the review alone.
    up.current_dir(&folder.path)
        .env("CARGO_TARGET_DIR", target)
        .stdout(std::io::stderr());
    let deployed = tools::run(&mut up, &step).await;
    folder.remove(&engine.root).await;
    deployed
}

/// A commit's files beside this checkout's own.
struct Worktree {
    path: PathBuf,
}

impl Worktree {
    async fn of(engine: &Engine, commit: &str) -> Result<Self> {
        let path = engine.checkout.home.join("base");
        let worktree = Self { path };
        // One that was left by a command that was killed.
        worktree.remove(&engine.root).await;
        let mut add = git(&engine.root);
        add.args(["worktree", "add", "--detach", "--force"])
            .arg(&worktree.path)
            .arg(commit);
        let output = progress::during("git worktree add", add.output())
            .await
            .context("git cannot be started")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!(
                "the files of {commit} cannot be had: {}; where the history was not fetched, \
                 `git fetch origin {commit}`",
                said.trim()
            );
        }
        Ok(worktree)
    }

    async fn remove(&self, root: &Path) {
        let mut remove = git(root);
        remove
            .args(["worktree", "remove", "--force"])
            .arg(&self.path)
            .stderr(Stdio::null());
        remove.status().await.ok();
    }
}

fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    git
}
