//! Notes for people that are kept up to date: a comment on a pull request, an issue. A mark in each
//! says what it is about, so that the next run finds it again.

use super::GitHub;
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde_json::{Value, json};

/// What became of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    New,
    Updated,
    AsBefore,
    Closed,
}

/// The mark of a note: an HTML comment, which GitHub does not show.
pub fn mark(about: &str, stack: &str) -> String {
    // A name of a stack has letters, digits, hyphens, underscores and dots alone, but `--` would
    // end the comment.
    format!(
        "<!-- mysfits: {about} of {} -->",
        stack.replace("--", "-\u{200b}-")
    )
}

impl GitHub {
    /// Writes a comment on a pull request, over the one that has the mark already.
    pub async fn comment(&self, number: u64, mark: &str, text: &str) -> Result<Written> {
        let body = format!("{mark}\n{text}");
        let comments = self.list(&format!("/issues/{number}/comments")).await?;
        match comments.iter().find(|comment| is_ours(comment, mark)) {
            Some(known) if known["body"] == body.as_str() => Ok(Written::AsBefore),
            Some(known) => {
                let id = known["id"].as_u64().context("the comment has no id")?;
                let path = format!("/issues/comments/{id}");
                self.call(Method::PATCH, &path, Some(&json!({ "body": body })))
                    .await?;
                Ok(Written::Updated)
            }
            None => {
                let path = format!("/issues/{number}/comments");
                self.call(Method::POST, &path, Some(&json!({ "body": body })))
                    .await?;
                Ok(Written::New)
            }
        }
    }

    /// Opens an issue, or writes the text over that of the open one that has the mark.
    pub async fn open_issue(&self, mark: &str, title: &str, text: &str) -> Result<Written> {
        let body = format!("{mark}\n{text}");
        match self.issue(mark).await? {
            Some(known) if known["body"] == body.as_str() => Ok(Written::AsBefore),
            Some(known) => {
                let path = format!("/issues/{}", number(&known)?);
                self.call(Method::PATCH, &path, Some(&json!({ "body": body })))
                    .await?;
                Ok(Written::Updated)
            }
            None => {
                let issue = json!({ "title": title, "body": body });
                self.call(Method::POST, "/issues", Some(&issue)).await?;
                Ok(Written::New)
            }
        }
    }

    /// Closes the open issue that has the mark, and says why.
    pub async fn close_issue(&self, mark: &str, why: &str) -> Result<Written> {
        let Some(known) = self.issue(mark).await? else {
            return Ok(Written::AsBefore);
        };
        let path = format!("/issues/{}", number(&known)?);
        let comment = json!({ "body": why });
        self.call(Method::POST, &format!("{path}/comments"), Some(&comment))
            .await?;
        let closed = json!({ "state": "closed", "state_reason": "completed" });
        self.call(Method::PATCH, &path, Some(&closed)).await?;
        Ok(Written::Closed)
    }

    async fn issue(&self, mark: &str) -> Result<Option<Value>> {
        let issues = self.list("/issues?state=open").await?;
        let mut issues = issues.into_iter();
        Ok(issues.find(|issue| issue["pull_request"].is_null() && is_ours(issue, mark)))
    }
}

/// Whether a job wrote it. Anybody can write a mark, and what a person wrote is not overwritten.
fn is_ours(note: &Value, mark: &str) -> bool {
    let body = note["body"].as_str().unwrap_or_default();
    note["user"]["type"] == "Bot" && body.starts_with(mark)
}

fn number(issue: &Value) -> Result<u64> {
    match issue["number"].as_u64() {
        Some(number) => Ok(number),
        None => bail!("GitHub has given an issue without a number"),
    }
}
