//! What a job of GitHub Actions reads from its environment, and what it writes for it: see
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write;

/// The number of the pull request that the job is for: `refs/pull/NUMBER/merge`.
pub fn pull_request() -> Option<u64> {
    let reference = std::env::var("GITHUB_REF").ok()?;
    let number = reference.strip_prefix("refs/pull/")?.split('/').next()?;
    number.parse().ok()
}

/// The page of the run, where there is one.
pub fn run_url() -> Option<String> {
    let variable = |name| {
        std::env::var(name)
            .ok()
            .filter(|value: &String| !value.is_empty())
    };
    let (server, repository) = (
        variable("GITHUB_SERVER_URL")?,
        variable("GITHUB_REPOSITORY")?,
    );
    Some(format!(
        "{server}/{repository}/actions/runs/{}",
        variable("GITHUB_RUN_ID")?
    ))
}

/// Whether this is a job.
pub fn is_job() -> bool {
    file("GITHUB_OUTPUT").is_some()
}

/// Tells later steps and jobs: lines of `name=value`.
pub fn output(lines: &str) -> Result<()> {
    append("GITHUB_OUTPUT", lines)
}

/// Shows Markdown on the page of the run.
pub fn summary(markdown: &str) -> Result<()> {
    append("GITHUB_STEP_SUMMARY", &format!("{markdown}\n"))
}

fn file(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|path| !path.is_empty())
}

fn append(name: &str, text: &str) -> Result<()> {
    let Some(path) = file(name) else {
        return Ok(());
    };
    let failed = || format!("{} of {name} cannot be written", path.display());
    let file = OpenOptions::new().append(true).create(true).open(&path);
    let mut file = file.with_context(failed)?;
    file.write_all(text.as_bytes()).with_context(failed)
}
