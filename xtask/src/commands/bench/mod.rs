//! `cargo xtask bench`: figures, each beside what it is compared with.

mod analytics;
mod cloud;
mod place;
mod processor;
mod program;
mod setup;
mod site;

use crate::checkout::Checkout;
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::Path;

#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    what: What,
}

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
enum What {
    /// Answers about ten million clicks, against the bare engine
    Analytics(analytics::Size),
    /// Two builds of the embedded cloud in turn, S3 alone: what a change costs
    Builds(cloud::builds::Builds),
    /// The embedded cloud, against MiniStack and moto
    Cloud,
    /// The processor, against the reference algorithm in Python
    Processor,
    /// The Pulumi program: an update against its critical path, and a preview
    Program,
    /// The first visit of the site in Chromium, against the same without scripts
    Site,
    /// A fresh clone with empty caches, until stack `local` is deployed: half an hour
    Setup,
    /// All but `builds` and `setup`, one after the other: some ten minutes
    All,
}

impl What {
    async fn run(self, root: &Path) -> Result<()> {
        match self {
            Self::Analytics(size) => analytics::run(root, size).await,
            Self::Builds(builds) => cloud::builds::run(root, &builds).await,
            Self::Cloud => cloud::run(root).await,
            Self::Processor => processor::run(root).await,
            Self::Program => program::run(root).await,
            Self::Setup => setup::run(root).await,
            Self::Site => site::run().await,
            Self::All => {
                let analytics = Self::Analytics(analytics::Size::default());
                let all = [
                    Self::Processor,
                    Self::Program,
                    analytics,
                    Self::Cloud,
                    Self::Site,
                ];
                for what in all {
                    Box::pin(what.run(root)).await?;
                    println!();
                }
                Ok(())
            }
        }
    }
}

impl Bench {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        if let What::Cloud | What::Program | What::All = self.what {
            place::check()?;
        }
        self.what.run(&checkout.root).await
    }
}
