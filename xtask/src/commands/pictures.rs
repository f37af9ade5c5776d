//! `cargo xtask pictures`: the pictures of the site in docs/ and web/, made by Chromium of a stack
//! that is deployed for it.

use crate::browser;
use crate::checkout::Checkout;
use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Pictures {}

/// The test that makes them; otherwise it puts them where git does not look.
const TEST: &str = "browser::pictures::the_pictures_are_made_of_the_real_thing";

impl Pictures {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let docs = checkout.root.join("docs");
        browser::run_test(&checkout, TEST, &[], &[("MYSFITS_PICTURES", &docs)]).await?;
        println!("{}", docs.display());
        Ok(())
    }
}
