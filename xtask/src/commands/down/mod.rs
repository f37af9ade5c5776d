//! `cargo xtask down`: nothing is left running, and every resource is gone; with `-s`, those of
//! any other stack.

mod stack;

use crate::checkout::Checkout;
use crate::cloud::Cloud;
use crate::disk;
use crate::engine::Engine;
use crate::http;
use crate::memory::megabytes;
use crate::ports;
use crate::session::{LOCAL, Session};
use crate::tools;
use crate::variables;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Args)]
pub struct Down {
    /// Destroys this stack where plain `pulumi` has it, and stops nothing
    #[arg(short, long)]
    stack: Option<String>,
    /// The name of the stack once more, where nobody can be asked for it
    #[arg(long, requires = "stack")]
    name: Option<String>,
    /// Asks nothing
    #[arg(short, long)]
    yes: bool,
}

impl Down {
    pub async fn run(self) -> Result<()> {
        match &self.stack {
            Some(stack) => {
                let engine = Engine::open(stack, None).await?;
                stack::destroy(&engine, self.name.as_deref()).await
            }
            None => self.local().await,
        }
    }

    async fn local(self) -> Result<()> {
        let checkout = Checkout::find()?;
        if !checkout.home.is_dir() {
            println!("Nothing is deployed, and no cloud is running.");
            return Ok(());
        }
        let resources = checkout
            .resources(LOCAL)
            .map_err(|error| disk::explain(&checkout, error))?
            .unwrap_or_default();
        if resources > 0 {
            let held = megabytes(crate::files::size(&checkout.data()));
            eprintln!(
                "destroying stack {LOCAL}: {resources} resources, and all clicks and logs that \
                 the embedded cloud holds, {held}"
            );
            if !self.yes && std::io::stdin().is_terminal() {
                confirm()?;
            }
            let session = Session::open().await?;
            session.ensure_cloud().await?;
            let mut destroy = session.pulumi(&["destroy", "--yes", "--skip-preview"]);
            destroy.args(["--stack", LOCAL]);
            tools::run(&mut destroy, "pulumi destroy")
                .await
                .map_err(|error| disk::explain(&checkout, error))?;
        }
        clear_leftovers(&checkout).await?;
        let stopped = stop(&checkout).await?;
        let stack = match resources {
            0 => format!("Stack {LOCAL} was not deployed"),
            _ => format!("Stack {LOCAL} is destroyed"),
        };
        let cloud = match stopped {
            true => "the embedded cloud is stopped",
            false => "no embedded cloud was running",
        };
        println!("{stack}, {cloud}.");
        Ok(())
    }
}

/// After an update that was killed, the cloud may have resources that are in no state. The state is
/// empty now, so nothing else would ever delete them.
async fn clear_leftovers(checkout: &Checkout) -> Result<()> {
    let port = ports::first(checkout)?;
    let running = Cloud::new(checkout, port).running().await?;
    if running.is_none_or(|running| !running.answers) {
        return Ok(());
    }
    let url = format!("{}/_mysfits/leftovers/{LOCAL}", variables::endpoint(port));
    let answer = http::client()?.delete(&url).send().await?;
    let status = answer.status();
    if !status.is_success() {
        let reason = answer.text().await.unwrap_or_default();
        bail!(
            "stack {LOCAL} is destroyed, but what an update that was killed has left in the cloud \
             cannot be deleted: {status} {reason}"
        );
    }
    Ok(())
}

fn confirm() -> Result<()> {
    eprint!("Go on? Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("the answer cannot be read")?;
    if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        bail!("nothing was destroyed; `cargo xtask stop` stops the cloud and keeps what it holds");
    }
    Ok(())
}

/// Stops the cloud of this checkout; says whether there was one.
pub async fn stop(checkout: &Checkout) -> Result<bool> {
    let _lock = checkout.lock()?;
    let cloud = Cloud::new(checkout, ports::first(checkout)?);
    match cloud.running().await? {
        Some(running) => {
            cloud.stop(running).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}
