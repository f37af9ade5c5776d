//! `cargo xtask drift`: what was changed outside of Pulumi, without changing anything.

use super::preview::{self, Output};
use crate::engine::{Against, Engine};
use crate::exit::{Exit, NOT_FINE};
use crate::github::notes::{self, Written};
use crate::github::{GitHub, job};
use anyhow::Result;
use clap::Args;
use review::Review;
use review::render::markdown;

#[derive(Args)]
pub struct Drift {
    /// The stack
    #[arg(short, long)]
    stack: String,
    /// Asks no account, but the embedded cloud
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Opens or updates an issue of the repository where there is drift, and closes it where there
    /// is none any more: with GITHUB_TOKEN and GITHUB_REPOSITORY
    #[arg(long)]
    issue: bool,
    #[command(flatten)]
    output: Output,
}

impl Drift {
    pub async fn run(self) -> Result<()> {
        let engine = Engine::open(&self.stack, self.against).await?;
        let steps = engine.drift().await?;
        let review = preview::review(&engine.root, &steps)?;
        self.output.write(&self.stack, &review, None)?;
        if self.issue {
            self.tell(&review).await?;
        }
        if review.is_empty() {
            return Ok(());
        }
        let stack = &self.stack;
        Err(Exit::with(
            NOT_FINE,
            format!(
                "stack {stack} was changed outside of Pulumi: `pulumi up -s {stack} --refresh` puts \
                 back what the program says; see docs/runbook.md#drift"
            ),
        ))
    }

    async fn tell(&self, review: &Review) -> Result<()> {
        let github = GitHub::of_environment()?;
        let stack = &self.stack;
        let mark = notes::mark("drift", stack);
        let run = job::run_url().map_or(String::new(), |url| format!(" ({url})"));
        let written = match review.is_empty() {
            true => {
                let why = format!("Stack {stack} is again as its state says{run}.");
                github.close_issue(&mark, &why).await?
            }
            false => {
                let review = markdown::render(stack, review, None, markdown::LONGEST_COMMENT);
                let text = format!(
                    "Something was changed outside of Pulumi. What it was before is on the left of \
                     each arrow, what it is now on the right; what to do: docs/runbook.md, *Drift*.\
                     \n\n{review}"
                );
                let title = format!("Drift in stack {stack}");
                github.open_issue(&mark, &title, &text).await?
            }
        };
        eprintln!(
            "{}",
            match written {
                Written::New => "an issue is opened",
                Written::Updated => "the issue is up to date",
                Written::Closed => "the issue is closed",
                Written::AsBefore if review.is_empty() => "no issue is open",
                Written::AsBefore => "the issue says this already",
            }
        );
        Ok(())
    }
}
