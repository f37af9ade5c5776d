//! GitHub's REST API, as a job of GitHub Actions has it: a token, a repository, and the API's address
//! in the environment.
//!
//! The paths and fields are those of <https://docs.github.com/en/rest/issues>: a pull request is an
//! issue there.

pub mod job;
pub mod notes;

use crate::http;
use anyhow::{Context, Result, bail};
use reqwest::{Client, Method};
use serde_json::Value;

/// The version of the API whose answers are read here.
pub const VERSION: &str = "2022-11-28";

/// Entries of a page: as many as GitHub gives at most.
const PAGE: usize = 100;

/// Pages that are looked through. What is written here is found long before.
const PAGES: usize = 30;

#[derive(Debug)]
pub struct GitHub {
    client: Client,
    api: String,
    repository: String,
    token: String,
}

impl GitHub {
    /// The repository of the job.
    pub fn of_environment() -> Result<Self> {
        let variable = |name: &str, what: &str| {
            let value = std::env::var(name).ok().filter(|value| !value.is_empty());
            value.with_context(|| format!("{name} is not set: {what}"))
        };
        let api = std::env::var("GITHUB_API_URL")
            .ok()
            .filter(|url| !url.is_empty());
        let repository = variable("GITHUB_REPOSITORY", "OWNER/REPOSITORY")?;
        if repository
            .split('/')
            .filter(|part| !part.is_empty())
            .count()
            != 2
        {
            bail!("GITHUB_REPOSITORY is `{repository}`, and not OWNER/REPOSITORY");
        }
        Ok(Self {
            client: http::client_of_environment()?,
            api: api.unwrap_or_else(|| "https://api.github.com".to_owned()),
            repository,
            token: variable("GITHUB_TOKEN", "a token that may write what is asked for")?,
        })
    }

    /// All entries of a list, page by page.
    async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let separator = if path.contains('?') { '&' } else { '?' };
        for page in 1..=PAGES {
            let path = format!("{path}{separator}per_page={PAGE}&page={page}");
            let answer = self.call(Method::GET, &path, None).await?;
            let Value::Array(entries) = answer else {
                bail!("GitHub answered {path} with no list");
            };
            let last = entries.len() < PAGE;
            all.extend(entries);
            if last {
                break;
            }
        }
        Ok(all)
    }

    /// One call about the repository; gives what the API answers.
    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let url = format!(
            "{}/repos/{}{path}",
            self.api.trim_end_matches('/'),
            self.repository
        );
        let mut request = self
            .client
            .request(method.clone(), &url)
            .bearer_auth(&self.token)
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", VERSION)
            // GitHub refuses requests without one.
            .header("user-agent", "mysfits-xtask");
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("{url} cannot be reached"))?;
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if !status.is_success() {
            let said = answer["message"].as_str().unwrap_or(&text);
            let hint = match status.as_u16() {
                401 => "; is GITHUB_TOKEN still valid?",
                403 | 404 => "; may the token write? see `permissions` of the job",
                _ => "",
            };
            bail!("GitHub answered {method} {path} with {status}: {said}{hint}");
        }
        Ok(answer)
    }
}
