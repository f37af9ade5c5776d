//! `cargo xtask bench`: figures, each beside what it is compared with.

mod analytics;
mod cloud;
mod place;
mod processor;
mod program;

use crate::checkout::Checkout;
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::Path;

#[derive(Args)]
pub struct Bench {
    #[command(subcommand)]
    what: Option<What>,
}

/// What is measured; all of it when nothing is named.
#[derive(Debug, Clone, Copy, Subcommand)]
enum What {
    /// Answers about ten million clicks, against the bare engine
    Analytics(analytics::Size),
    /// The embedded cloud, against MiniStack and moto
    Cloud,
    /// The processor, against the reference algorithm in Python
    Processor,
    /// The Pulumi program: an update against its critical path, and a preview
    Program,
}

impl What {
    fn all() -> [Self; 4] {
        let analytics = Self::Analytics(analytics::Size::default());
        [Self::Processor, Self::Program, analytics, Self::Cloud]
    }

    async fn run(self, root: &Path) -> Result<()> {
        match self {
            Self::Analytics(size) => analytics::run(root, size).await,
            Self::Cloud => cloud::run(root).await,
            Self::Processor => processor::run(root).await,
            Self::Program => program::run(root).await,
        }
    }
}

impl Bench {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        for what in self.what.map_or(What::all().to_vec(), |what| vec![what]) {
            what.run(&checkout.root).await?;
            println!();
        }
        Ok(())
    }
}
