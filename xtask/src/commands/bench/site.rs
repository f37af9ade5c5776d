//! `cargo xtask bench site`: how soon a first visitor sees the site, by the browser's own figures.

use crate::browser;
use crate::checkout::Checkout;
use anyhow::Result;

/// The benchmark, which lives beside the tests since it needs the same browser and the same stack.
const BENCH: &str = "browser::speed::how_quick_a_first_visit_is";

pub async fn run() -> Result<()> {
    println!("the site, in Chromium");
    let checkout = Checkout::find()?;
    browser::run_test(&checkout, BENCH, &["--ignored", "--nocapture"], &[]).await
}
