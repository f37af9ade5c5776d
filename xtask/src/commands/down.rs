//! `cargo xtask down`: nothing is left running, and every resource is gone.

use crate::checkout::Checkout;
use crate::cloud::Cloud;
use crate::ports;
use crate::session::{LOCAL, Session};
use crate::tools;
use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Down {}

impl Down {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        if !checkout.home.is_dir() {
            println!("Nothing is deployed, and no cloud is running.");
            return Ok(());
        }
        let deployed = checkout
            .backend()
            .join(".pulumi/stacks/mysfits")
            .join(format!("{LOCAL}.json"))
            .is_file();
        if deployed {
            let session = Session::open().await?;
            session.ensure_cloud().await?;
            let mut destroy = session.pulumi(&["destroy", "--yes", "--skip-preview"]);
            destroy.args(["--stack", LOCAL]);
            tools::run(&mut destroy, "pulumi destroy").await?;
        }
        let cloud = Cloud::new(&checkout, ports::first(&checkout)?);
        if let Some(health) = cloud.running().await? {
            cloud.stop(&health).await?;
        }
        println!("Stack {LOCAL} is destroyed, the embedded cloud is stopped.");
        Ok(())
    }
}
