//! `cargo xtask pictures`: the pictures of the site in docs/ and web/, made by Chromium of a stack
//! that is deployed for it.

use crate::browser;
use crate::checkout::Checkout;
use crate::commands::test;
use crate::pulumi;
use crate::tools;
use anyhow::{Context, Result, ensure};
use clap::Args;

#[derive(Args)]
pub struct Pictures {}

/// The test that makes them; otherwise it puts them where git does not look.
const TEST: &str = "browser::pictures::the_pictures_are_made_of_the_real_thing";

impl Pictures {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        browser::ensure().await?;
        let cli = pulumi::find(&checkout).await?;
        let docs = checkout.root.join("docs");
        let mut pictures = tools::cargo(&checkout.root);
        pictures
            .args([
                "test",
                "--workspace",
                "--test",
                "end_to_end",
                "--",
                "--exact",
            ])
            .arg(TEST)
            .env("PATH", test::with_folder_of(&cli)?)
            .env("MYSFITS_PICTURES", &docs);
        let status = pictures.status().await.context("cargo cannot be started")?;
        ensure!(status.success(), "the pictures were not made");
        println!("{}", docs.display());
        Ok(())
    }
}
