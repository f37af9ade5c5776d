//! `cargo xtask dev`: every edit goes live by itself, and clicks are shown as they happen.

use super::{logs, up};
use crate::checkout::Checkout;
use crate::session::{LOCAL, Session};
use crate::stack::Stack;
use crate::tools;
use crate::watched::Watched;
use anyhow::{Context, Result};
use clap::Args;
use door::elapsed::elapsed;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How often the files are looked at. A look reads the times of some two hundred files.
const INTERVAL: Duration = Duration::from_millis(200);

/// Until logs that could not be read are read again.
const PAUSE: Duration = Duration::from_secs(3);

#[derive(Args)]
pub struct Dev {}

impl Dev {
    pub async fn run(self) -> Result<()> {
        // Before the programs are built, so that an edit meanwhile is seen after it.
        let mut watched = Watched::of(&Checkout::find()?.root);
        up::Up::default().run().await?;
        let session = Session::open().await?;
        let mut interrupts =
            signal(SignalKind::interrupt()).context("signals cannot be received")?;
        println!(
            "\nWatching infra/, lambda/, web/ and the stack file; clicks and failures are shown as \
             they happen. Ctrl-C ends this, and nothing else."
        );
        tokio::select! {
            () = show() => {}
            () = update(&session, &mut watched, &mut interrupts) => {}
        };
        println!(
            "The stack and the embedded cloud stay as they are: `cargo xtask stop` stops the \
             cloud, `cargo xtask down` destroys the stack."
        );
        Ok(())
    }
}

/// Shows new lines of the logs, also after a time in which the cloud did not answer, and after an
/// edit that renamed a log. Ends when the output is closed.
async fn show() {
    let mut told = String::new();
    loop {
        let followed = async { logs::follow(&Stack::open(LOCAL).await?).await };
        let Err(error) = followed.await else {
            return;
        };
        let error = format!("{error:#}");
        if error != told {
            println!("the logs cannot be read: {error}");
            told = error;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Updates after each change, one update at a time, until an interrupt. What changes during an
/// update is seen after it; an interrupt then is for the engine too, which is waited for.
async fn update(session: &Session, watched: &mut Watched, interrupts: &mut Signal) {
    loop {
        let changed = tokio::select! {
            changed = watched.change(INTERVAL) => changed,
            _ = interrupts.recv() => return,
        };
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
