//! `cargo xtask down`: nothing is left running, and every resource is gone.

use crate::checkout::Checkout;
use crate::cloud::Cloud;
use crate::disk;
use crate::ports;
use crate::session::{LOCAL, Session};
use crate::tools;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use std::fs;
use std::io::ErrorKind;

#[derive(Args)]
pub struct Down {}

impl Down {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        if !checkout.home.is_dir() {
            println!("Nothing is deployed, and no cloud is running.");
            return Ok(());
        }
        let deployed = has_resources(&checkout);
        if deployed.map_err(|error| disk::explain(&checkout, error))? {
            let session = Session::open().await?;
            session.ensure_cloud().await?;
            let mut destroy = session.pulumi(&["destroy", "--yes", "--skip-preview"]);
            destroy.args(["--stack", LOCAL]);
            tools::run(&mut destroy, "pulumi destroy")
                .await
                .map_err(|error| disk::explain(&checkout, error))?;
        }
        let _lock = checkout.lock()?;
        let cloud = Cloud::new(&checkout, ports::first(&checkout)?);
        if let Some(running) = cloud.running().await? {
            cloud.stop(running).await?;
        }
        println!("Stack {LOCAL} is destroyed, the embedded cloud is stopped.");
        Ok(())
    }
}

/// What the backend remembers: there is nothing to destroy, and no cloud to start for it, when no
/// resource is in the state.
fn has_resources(checkout: &Checkout) -> Result<bool> {
    let path = checkout.stack(LOCAL);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let state: Value = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no state of a stack", path.display()))?;
    let resources = state["checkpoint"]["latest"]["resources"].as_array();
    Ok(resources.is_some_and(|resources| !resources.is_empty()))
}
