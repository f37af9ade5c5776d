//! `cargo xtask dev`: every edit goes live by itself, and clicks are shown as they happen.

use super::{logs, up};
use crate::session::{LOCAL, Session};
use crate::stack::Stack;
use crate::tools;
use crate::watched::Watched;
use anyhow::{Context, Result};
use clap::Args;
use door::elapsed::elapsed;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How often the files are looked at. A look reads the times of some two hundred files.
const INTERVAL: Duration = Duration::from_millis(200);

/// Until logs that could not be read are read again.
const PAUSE: Duration = Duration::from_secs(3);

#[derive(Args)]
pub struct Dev {}

impl Dev {
    pub async fn run(self) -> Result<()> {
        up::Up::default().run().await?;
        let session = Session::open().await?;
        let mut interrupts =
            signal(SignalKind::interrupt()).context("signals cannot be received")?;
        println!(
            "\nWatching infra/, lambda/, web/ and the stack file; clicks and failures are shown as \
             they happen. Ctrl-C ends this, and nothing else."
        );
        let stack = Stack::open(LOCAL).await?;
        let ended = tokio::select! {
            () = show(&stack) => Ok(()),
            ended = update(&session) => ended,
            _ = interrupts.recv() => Ok(()),
        };
        println!(
            "The stack and the embedded cloud stay as they are: `cargo xtask stop` stops the \
             cloud, `cargo xtask down` destroys the stack."
        );
        ended
    }
}

/// Shows what is logged, also after a while in which the cloud did not answer.
async fn show(stack: &Stack) {
    while let Err(error) = logs::follow(stack).await {
        println!("the logs cannot be read: {error:#}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Updates after each change, one update at a time. What changes during an update is seen after
/// it.
async fn update(session: &Session) -> Result<()> {
    let mut watched = Watched::of(&session.checkout.root);
    loop {
        let changed = watched.change(INTERVAL).await;
        println!("{} changed", changed.join(", "));
        let started = Instant::now();
        let mut up = session.pulumi(&["up", "--yes", "--skip-preview", "--suppress-outputs"]);
        up.args(["--stack", LOCAL]);
        match tools::run(&mut up, "pulumi up").await {
            Ok(()) => println!("live after {}", elapsed(started.elapsed())),
            Err(error) => {
                println!("{error:#}: what was deployed before goes on; waiting for the next edit")
            }
        }
    }
}
