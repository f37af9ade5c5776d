//! `cargo xtask open`: the deployed site and the embedded cloud's console, in the browser.

use crate::session::Session;
use crate::{tools, variables};
use anyhow::{Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// How long a program that opens addresses may take to say that it cannot. One that becomes the
/// browser itself goes on.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Args)]
pub struct Open {}

impl Open {
    pub async fn run(self) -> Result<()> {
        let session = Session::open().await?;
        if session.cloud().running().await?.is_none() {
            bail!("the embedded cloud is not running: run `cargo xtask start`");
        }
        let outputs = session.raw_outputs().await?;
        site_and_console(session.port, &outputs).await;
        Ok(())
    }
}

/// Prints the addresses of site and console, and opens them where something can.
pub async fn site_and_console(port: u16, outputs: &serde_json::Value) {
    let mut addresses = Vec::new();
    match outputs["siteUrl"].as_str() {
        Some(site) => addresses.push(("site", site.to_owned())),
        None => println!("Stack local has no site: `cargo xtask up` deploys it."),
    }
    addresses.push(("console", variables::console(port)));
    for (name, address) in &addresses {
        println!("{name:9}{address}");
    }
    let Some(opener) = opener() else {
        println!("Nothing here opens a browser: open the addresses in one.");
        return;
    };
    for (_, address) in &addresses {
        if !open(&opener, address).await {
            println!(
                "{} cannot open {address}: open it in a browser.",
                opener.display()
            );
        }
    }
}

/// The program that opens an address in the person's browser. Without a display it would look
/// for one that runs in the terminal.
fn opener() -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return tools::on_path("open", Path::new(""));
    }
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let shows = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
        .into_iter()
        .any(set);
    shows.then(|| tools::on_path("xdg-open", Path::new("")))?
}

async fn open(opener: &Path, address: &str) -> bool {
    let started = Command::new(opener)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = started else {
        return false;
    };
    match tokio::time::timeout(PATIENCE, child.wait()).await {
        Ok(ended) => ended.is_ok_and(|status| status.success()),
        Err(_) => true,
    }
}
