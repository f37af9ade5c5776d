//! `cargo xtask stop` and `start`: the embedded cloud goes and comes, and what it holds stays.

use super::down;
use crate::checkout::Checkout;
use crate::session::Session;
use anyhow::Result;
use clap::Args;
use door::elapsed::elapsed;

#[derive(Args)]
pub struct Stop {}

impl Stop {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        if checkout.home.is_dir() && down::stop(&checkout).await? {
            println!(
                "The embedded cloud is stopped, and what it holds is kept: `cargo xtask start` \
                 starts it again."
            );
        } else {
            println!("No embedded cloud was running.");
        }
        Ok(())
    }
}

#[derive(Args)]
pub struct Start {}

impl Start {
    pub async fn run(self) -> Result<()> {
        let session = Session::open().await?;
        match session.ensure_cloud().await? {
            Some(time) => println!("The embedded cloud started in {}.", elapsed(time)),
            None => println!("The embedded cloud was running."),
        }
        Ok(())
    }
}
