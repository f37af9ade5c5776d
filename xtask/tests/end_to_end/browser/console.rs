//! The embedded cloud's console in a real browser: what happens is seen without reloading, and
//! its switches work.

use super::driver::{self, ENTER, ESCAPE};
use super::{NARROW, Site, WIDE};
use crate::records::client;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// In no catalogue.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn the_console_in_a_real_browser() -> Result<()> {
    let site = Site::deployed().await?;
    site.console().await?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    async fn console(&self) -> Result<()> {
        let console = format!("{}/_mysfits/console", self.place.aws()?);
        let status = self.place.xtask(&["status"])?;
        ensure!(status.contains(&console), "{status}");
        let outputs = self.place.outputs()?;
        let clicks = outputs["clicksEndpoint"].as_str().context("no API")?;

        let browser = self.driver.browser(WIDE).await?;
        browser.goto(&console).await?;
        browser.find("#connection[data-state=live]").await?;
        browser.until("window.stayed = true").await?;
        browser.fits_the_screen().await?;

        // A click, from the request to its line in S3, while the page just stays open.
        ensure!(click(clicks, "watched", super::SNOWFLAKE).await? == 200);
        let row = |list: &str, text: &str| {
            format!(
                "[...document.querySelectorAll('#{list} .row')].some(\
                 (row) => row.textContent.includes({text:?}))"
            )
        };
        for (list, text) in [
            ("requests", "watched"),
            ("objects", "watched"),
            ("batches", "1 record → 1 ok"),
        ] {
            browser
                .until(&row(list, text))
                .await
                .with_context(|| format!("{list} of a click"))?;
        }
        browser
            .until("document.querySelectorAll('#buffers-s3 progress').length >= 2")
            .await?;

        // A record that fails, with what it was; and a call that no policy allows.
        ensure!(click(clicks, "astray", NOBODY).await? == 200);
        browser.until(&row("failed", "astray")).await?;
        let object = format!("{}/{}/none", self.place.aws()?, self.bucket);
        ensure!(client()?.get(&object).send().await?.status() == 403);
        browser.until(&row("refusals", "s3:GetObject")).await?;
        browser.until(&row("refusals", "\"Principal\"")).await?;

        // A fault, by mouse; what it does; and off again, by keyboard.
        let button = ".switch[data-service=firehose][data-fault=throttle]";
        browser.click(button).await?;
        browser
            .find(&format!("{button}[aria-pressed=true]"))
            .await?;
        ensure!(click(clicks, "refused", super::SNOWFLAKE).await? == 503);
        browser
            .until(&row("requests", "ServiceUnavailableException"))
            .await?;
        self.shots(&browser).await?;
        browser.press(ENTER).await?;
        browser
            .find(&format!("{button}[aria-pressed=false]"))
            .await?;
        ensure!(click(clicks, "served", super::SNOWFLAKE).await? == 200);
        browser
            .until(&row("operations", "faults of firehose"))
            .await?;

        // Rows open by keyboard. The reset asks first, and Escape leaves everything.
        let first = "document.querySelector('#requests summary')";
        browser
            .until(&format!(
                "({first}.focus(), document.activeElement === {first})"
            ))
            .await?;
        browser.press(ENTER).await?;
        browser.find("#requests details[open]").await?;
        browser.click("#reset").await?;
        browser.find("dialog[open]").await?;
        browser.press(ESCAPE).await?;
        browser
            .until("!document.getElementById('confirm').open")
            .await?;
        browser
            .until("![...document.querySelectorAll('.row')].some((row) => row.textContent.includes('was emptied'))")
            .await?;

        // Whatever can be used has a name.
        browser
            .until(
                "[...document.querySelectorAll('button, select, progress, ol[tabindex]')].every(\
                 (one) => one.textContent.trim() || one.labels?.length \
                 || one.ariaLabel || one.getAttribute('aria-labelledby'))",
            )
            .await?;
        browser.until("window.stayed === true").await?;
        // The refused click was this test's, and not the page's.
        self.leave(browser).await?;

        let browser = self.driver.browser(NARROW).await?;
        browser.goto(&console).await?;
        browser.until(&row("requests", "served")).await?;
        browser.fits_the_screen().await?;
        let picture = self.picture("console-narrow.png");
        browser.screenshot(&picture).await?;
        self.flood(&browser, &outputs).await?;
        self.leave(browser).await
    }

    /// A page that is open while thousands click: it shows the newest, answers meanwhile, and does not
    /// grow.
    async fn flood(&self, browser: &driver::Browser, outputs: &Value) -> Result<()> {
        const CLICKS: usize = 5_000;
        let total =
            "Number(document.getElementById('total-request').textContent.replaceAll(',', ''))";
        browser
            .until(&format!("(window.before = {total}) > 0"))
            .await?;
        let answers = async {
            let pause = "#pause[aria-pressed";
            for pressed in [true, false] {
                browser.until(&format!("{total} > window.before")).await?;
                browser.click("#pause").await?;
                browser.find(&format!("{pause}={pressed}]")).await?;
            }
            Ok(())
        };
        let clicks = crate::clicks::send(outputs, CLICKS, 8);
        let ((), ()) = tokio::try_join!(clicks, answers)?;
        browser
            .until(&format!("{total} >= window.before + {CLICKS}"))
            .await?;
        browser
            .until(
                "[...document.querySelectorAll('.rows')].every((list) => list.childElementCount <= 100)",
            )
            .await?;
        // A hundred rows in each of seven lists, with what is behind them.
        browser
            .until("document.querySelectorAll('*').length < 20000")
            .await
    }

    async fn shots(&self, browser: &driver::Browser) -> Result<()> {
        for scheme in ["dark", "light"] {
            browser.prefer(scheme).await?;
            let picture = self.picture(&format!("console-{scheme}.png"));
            browser.screenshot(&picture).await?;
        }
        Ok(())
    }
}

/// A click, as the site sends it; gives the status.
async fn click(endpoint: &str, user: &str, mysfit: &str) -> Result<u16> {
    let click = json!({ "userId": user, "mysfitId": mysfit });
    let answer = client()?.put(endpoint).json(&click).send().await?;
    Ok(answer.status().as_u16())
}
