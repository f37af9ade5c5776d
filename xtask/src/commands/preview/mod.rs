//! `cargo xtask preview`: what an update would change, for people.

mod base;
mod output;

use crate::engine::{Against, Engine};
use crate::exit::{Exit, NOT_FINE};
use crate::github::notes::{self, Written};
use crate::github::{GitHub, job};
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use review::Review;
use review::cost::Prices;
use review::preview::Preview as Steps;
use review::render::markdown;
use std::path::{Path, PathBuf};

pub use output::Output;

#[derive(Args)]
pub struct Preview {
    /// The stack
    #[arg(short, long)]
    stack: String,
    /// Asks no account, but the embedded cloud
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Deploys this commit to the embedded cloud first, so that what is shown is what has changed
    /// since then
    #[arg(long, value_name = "COMMIT", requires = "against")]
    base: Option<String>,
    /// Ends well also where data would be lost
    #[arg(long)]
    allow_loss: bool,
    /// Writes it as a comment on the pull request of the job, over the one that is there:
    /// with GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_REF
    #[arg(long)]
    comment: bool,
    /// The number of the pull request, where it is not that of the job
    #[arg(long, value_name = "NUMBER", requires = "comment")]
    pull_request: Option<u64>,
    /// The stack's file in place of Pulumi.STACK.yaml
    #[arg(long, value_name = "FILE")]
    config_file: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// How a review is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Markdown,
    Json,
}

impl Preview {
    pub async fn run(self) -> Result<()> {
        let engine = Engine::open(&self.stack, self.against).await?;
        let engine = engine.configured(self.config_file.as_deref())?;
        if let Some(commit) = &self.base {
            base::deploy(&engine, commit).await?;
        }
        let steps = engine.preview(&[]).await?;
        let review = review(&engine.root, &steps)?;
        let approval = review::approval::of(&steps);
        self.output.write(&self.stack, &review, Some(&approval))?;
        if self.comment {
            self.comment(&review, &approval).await?;
        }
        refuse_loss(&review, self.allow_loss)
    }

    async fn comment(&self, review: &Review, approval: &str) -> Result<()> {
        let number = self.pull_request.or_else(job::pull_request);
        let number = number.context(
            "this is no job of a pull request (GITHUB_REF is not refs/pull/NUMBER/merge): say \
             --pull-request NUMBER",
        )?;
        let approval = Some(approval).filter(|_| !review.is_empty());
        let text = markdown::render(&self.stack, review, approval, markdown::LONGEST_COMMENT);
        let mark = notes::mark("preview", &self.stack);
        let written = GitHub::of_environment()?
            .comment(number, &mark, &text)
            .await?;
        eprintln!(
            "pull request {number}: {}",
            match written {
                Written::New => "the preview is a new comment",
                Written::Updated => "the comment is up to date",
                Written::AsBefore | Written::Closed => "the comment says this already",
            }
        );
        Ok(())
    }
}

/// What a preview means.
pub fn review(root: &Path, steps: &Steps) -> Result<Review> {
    let path = root.join("docs/prices.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let prices = Prices::parse(&text)
        .map_err(anyhow::Error::msg)
        .with_context(|| path.display().to_string())?;
    let size = |file: &str| {
        let path = PathBuf::from(file);
        let path = if path.is_absolute() {
            path
        } else {
            root.join(path)
        };
        std::fs::metadata(path).ok().map(|file| file.len())
    };
    Ok(Review::new(steps, &prices, &size))
}

/// An error when data would be lost and the user has not allowed that.
///
/// # Errors With the exit code for data loss.
pub fn refuse_loss(review: &Review, allowed: bool) -> Result<()> {
    if !review.loses() || allowed {
        return Ok(());
    }
    let lost: Vec<&str> = review.lost.iter().map(|loss| loss.on.as_str()).collect();
    Err(Exit::with(
        NOT_FINE,
        format!(
            "data would be lost: {}; where that is meant, say --allow-loss",
            lost.join(", ")
        ),
    ))
}
