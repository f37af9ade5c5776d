//! Where a review goes: standard output or a file, and, in a job of GitHub Actions, its log, its page
//! and its outputs.

use super::Format;
use crate::github::job;
use anyhow::{Context, Result};
use clap::Args;
use review::Review;
use review::render::{json, markdown, text};
use std::io::Write;
use std::path::PathBuf;

/// Characters of a job's summary at most, with room for other steps: GitHub takes 1 MiB.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
const LONGEST_SUMMARY: usize = 900_000;

#[derive(Args)]
pub struct Output {
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Writes it there, and not to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Output {
    /// Writes a review. In a job of GitHub Actions the log has it as text and the page of the run as
    /// Markdown, and the outputs are `changes`, `loses` and `approval`.
    pub fn write(&self, stack: &str, review: &Review, approval: Option<&str>) -> Result<()> {
        let shown_approval = approval.filter(|_| !review.is_empty());
        let markdown = |longest| markdown::render(stack, review, shown_approval, longest);
        let text = || text::render(stack, review, shown_approval);
        let written = match self.format {
            Format::Text => text(),
            Format::Markdown => markdown(markdown::LONGEST_COMMENT),
            Format::Json => json::render(stack, review, shown_approval),
        };
        match &self.out {
            Some(path) => std::fs::write(path, &written)
                .with_context(|| format!("{} cannot be written", path.display()))?,
            None => std::io::stdout().lock().write_all(written.as_bytes())?,
        }
        if job::is_job() && (self.format != Format::Text || self.out.is_some()) {
            eprint!("{}", text());
        }
        job::summary(&markdown(LONGEST_SUMMARY))?;
        let (changes, loses) = (!review.is_empty(), review.loses());
        let approval = approval.unwrap_or_default();
        job::output(&format!(
            "changes={changes}\nloses={loses}\napproval={approval}\n"
        ))
    }
}
