//! The repository on GitHub whose jobs are let in, and what the subject of their tokens begins with.
//!
//! Since July 15, 2026 it holds the numeric ids of owner and repository, for repositories that were
//! created, renamed or moved since then, or have opted in:
//! <https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/>.

use crate::http;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::path::Path;
use std::process::Command;

/// From then on new repositories have ids in the subject. Dates in this form are in order as texts.
const IDS_SINCE: &str = "2026-07-15";

#[derive(Args)]
pub struct Names {
    /// OWNER/NAME on GitHub; without it, that of the remote `origin`
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// The number of the owner, where GitHub cannot be asked from here
    #[arg(long, value_name = "ID", requires = "repository_id")]
    owner_id: Option<u64>,
    /// The number of the repository
    #[arg(long, value_name = "ID", requires = "owner_id")]
    repository_id: Option<u64>,
    /// How GitHub names the repository to AWS; without it, as it does for one of its age
    #[arg(long, value_enum)]
    subject: Option<Form>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// With the numeric ids of owner and repository
    Ids,
    /// By names alone: a repository that is older than July 2026, and has not opted in
    Names,
}

#[derive(Debug, Deserialize)]
struct Found {
    id: u64,
    owner: Owner,
    created_at: String,
}

#[derive(Debug, Deserialize)]
struct Owner {
    id: u64,
}

impl Names {
    /// What subjects begin with: `repo:OWNER@ID/NAME@ID` or `repo:OWNER/NAME`.
    pub async fn subject(&self, root: &Path) -> Result<String> {
        let repository = match &self.repository {
            Some(repository) => repository.clone(),
            None => of_origin(root)?,
        };
        let Some((owner, name)) = repository
            .split_once('/')
            .filter(|(_, name)| !name.contains('/'))
        else {
            bail!("`{repository}` is not OWNER/NAME");
        };
        if self.subject == Some(Form::Names) {
            return Ok(format!("repo:{owner}/{name}"));
        }
        let with_ids = |(owner_id, id)| format!("repo:{owner}@{owner_id}/{name}@{id}");
        if let Some(ids) = self.owner_id.zip(self.repository_id) {
            return Ok(with_ids(ids));
        }
        let found = ask(&repository).await.with_context(|| {
            format!(
                "the numbers of {repository} are not known: say --owner-id and --repository-id \
                 (https://api.github.com/repos/{repository} has them as owner.id and id), or \
                 --subject names"
            )
        })?;
        if self.subject.is_none() && found.created_at.as_str() < IDS_SINCE {
            eprintln!(
                "note: {repository} is older than July 2026: its name alone is trusted. If it was \
                 renamed or moved since then, or has opted in to immutable subjects, say --subject \
                 ids"
            );
            return Ok(format!("repo:{owner}/{name}"));
        }
        Ok(with_ids((found.owner.id, found.id)))
    }
}

/// What GitHub says of a repository; of a private one, with GITHUB_TOKEN.
async fn ask(repository: &str) -> Result<Found> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let api = set("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
    let url = format!("{}/repos/{repository}", api.trim_end_matches('/'));
    let mut request = http::client_of_environment()?
        .get(&url)
        .header("accept", "application/vnd.github+json")
        .header("x-github-api-version", crate::github::VERSION)
        .header("user-agent", "mysfits-xtask");
    if let Some(token) = set("GITHUB_TOKEN") {
        request = request.bearer_auth(token);
    }
    let answer = request
        .send()
        .await
        .with_context(|| format!("{url} cannot be reached"))?;
    let status = answer.status();
    if !status.is_success() {
        bail!("{url} answered {status}; for a private repository, set GITHUB_TOKEN");
    }
    answer
        .json()
        .await
        .with_context(|| format!("{url} answered something else"))
}

/// The repository that the remote `origin` is.
fn of_origin(root: &Path) -> Result<String> {
    let output = Command::new("git")
        .args(["remote", "get-url", "origin"])
        .current_dir(root)
        .output()
        .context("git cannot be started")?;
    let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    of_url(&url).with_context(|| match url.is_empty() {
        true => "there is no remote `origin`: say --repository OWNER/NAME".to_owned(),
        false => format!("`{url}` is no repository on GitHub: say --repository OWNER/NAME"),
    })
}

/// `OWNER/NAME` of the URL of a remote, by HTTPS or SSH.
fn of_url(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("github.com")?;
    let path = rest.trim_start_matches([':', '/']).trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (path.split('/').filter(|part| !part.is_empty()).count() == 2).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_of_github_are_known_in_each_form() {
        for url in [
            "https://github.com/octo-org/click.stream",
            "https://github.com/octo-org/click.stream.git",
            "git@github.com:octo-org/click.stream.git",
            "ssh://git@github.com/octo-org/click.stream",
        ] {
            assert_eq!(
                of_url(url).as_deref(),
                Some("octo-org/click.stream"),
                "{url}"
            );
        }
        for url in ["", "https://example.com/a/b", "https://github.com/octo-org"] {
            assert_eq!(of_url(url), None, "{url}");
        }
    }
}
