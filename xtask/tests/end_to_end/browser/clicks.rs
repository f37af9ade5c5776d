//! Clicks mean something: one opening by a person is one click, wherever it is made, however often
//! it has to be sent, and only where its visitor lets it.

use super::driver::{Browser, ESCAPE, RIGHT, Setup};
use super::{COLE, GARY, NARROW, NESSI, SNOWFLAKE, Site, WIDE, card};
use crate::records::client;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const HASLA: &str = "a901bb08-1985-42f5-bb77-27439ac14300";
const RUJIN: &str = "b6d16e02-6aeb-413c-b457-321151bb403d";
const COCO: &str = "0e37d916-f960-4772-a25a-01b762b5c1bd";

#[tokio::test]
async fn one_opening_by_a_person_is_one_click() -> Result<()> {
    let site = Site::deployed().await?;
    site.rule().await.context("the rule")?;
    site.restored().await.context("a restored tab")?;
    site.other_names().await.context("at localhost")?;
    site.privacy().await.context("privacy")?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

#[tokio::test]
async fn what_waits_is_lost_and_doubled_nowhere() -> Result<()> {
    let site = Site::deployed().await?;
    site.two_tabs().await.context("two tabs")?;
    site.too_many().await.context("more than can wait")?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    /// Fails unless the clicks so far are these; the last of them has been made last.
    async fn clicks_are(&self, expected: &[(&str, usize)]) -> Result<()> {
        let expected: BTreeMap<String, usize> = expected
            .iter()
            .map(|(mysfit, count)| ((*mysfit).to_owned(), *count))
            .collect();
        let sum = expected.values().sum();
        let records = self.records.wait_for(sum).await?;
        let mut found = BTreeMap::new();
        for record in &records {
            let mysfit = record["mysfitId"].as_str().context("no mysfit")?;
            *found.entry(mysfit.to_owned()).or_insert(0) += 1;
        }
        ensure!(found == expected, "{found:?} instead of {expected:?}");
        Ok(())
    }

    async fn rule(&self) -> Result<()> {
        let browser = self.visit(WIDE, "").await?;
        let opened = |name: &str| {
            format!(
                "document.getElementById('profile').open && document.getElementById('profile-name').textContent === '{name}'"
            )
        };
        let closed = "!document.getElementById('profile').open";
        browser.click(&card(SNOWFLAKE)).await?;
        browser.until(&opened("Snowflake")).await?;
        // Back leads to the list, and forward to what was opened before.
        browser.travel("back").await?;
        browser.until(closed).await?;
        browser.travel("forward").await?;
        browser.until(&opened("Snowflake")).await?;
        browser.travel("refresh").await?;
        browser.until(&opened("Snowflake")).await?;
        // Another one is another click, and going back to the first is none.
        browser.click("#profile-next").await?;
        browser.until(&opened("Gary")).await?;
        browser.click("#profile-previous").await?;
        browser.until(&opened("Snowflake")).await?;
        browser.press(ESCAPE).await?;
        browser.until(closed).await?;
        ensure!(browser.address().await? == format!("{}/", self.url));
        // Who opens it again, opens it again.
        browser.click(&card(SNOWFLAKE)).await?;
        browser.until(&opened("Snowflake")).await?;
        // From a page elsewhere, back to an open profile.
        browser.goto("about:blank").await?;
        browser.travel("back").await?;
        browser.until(&opened("Snowflake")).await?;
        self.leave(browser).await?;

        // The page of a profile, opened and loaded again.
        let browser = self.driver.browser(NARROW).await?;
        browser
            .goto(&format!("{}/profile/Cole.html", self.url))
            .await?;
        browser.until("history.state?.opened?.length === 1").await?;
        self.clicks_are(&[(SNOWFLAKE, 2), (GARY, 1), (COLE, 1)])
            .await?;
        browser.travel("refresh").await?;
        self.leave(browser).await
    }

    async fn restored(&self) -> Result<()> {
        let setup = |profile| Setup {
            preferences: json!({ "session": { "restore_on_startup": 1 } }),
            arguments: &["--restore-last-session"],
            profile,
        };
        let browser = self.driver.browser_with(WIDE, 900, setup(None)).await?;
        browser
            .goto(&format!("{}/#mysfit={NESSI}", self.url))
            .await?;
        browser.find("dialog[open]").await?;
        self.recorded(NESSI, 1).await?;
        let profile = browser.close_keeping_profile().await?;
        let browser = self
            .driver
            .browser_with(WIDE, 900, setup(Some(profile)))
            .await?;
        browser.find("dialog[open]").await?;
        browser
            .until("performance.getEntriesByType('navigation')[0].type === 'back_forward'")
            .await?;
        // The next click has been made later.
        browser.press(RIGHT).await?;
        self.clicks_are(&[
            (SNOWFLAKE, 2),
            (GARY, 1),
            (COLE, 1),
            (NESSI, 1),
            ("c0684344-1eb7-40e7-b334-06d25ac9268c", 1),
        ])
        .await?;
        browser.close().await
    }

    /// The site is opened by the other name of this machine, from list to click.
    async fn other_names(&self) -> Result<()> {
        let browser = self.driver.browser(WIDE).await?;
        let other = self.url.replace("127.0.0.1", "localhost");
        ensure!(other != self.url, "{} is no address of loopback", self.url);
        browser.goto(&other).await?;
        browser.find("#grid[aria-busy=false]").await?;
        ensure!(browser.count(".card").await? == 12);
        browser.click(&card(HASLA)).await?;
        self.recorded(HASLA, 1).await?;
        ensure!(browser.address().await?.starts_with(&other));
        self.leave(browser).await
    }

    async fn privacy(&self) -> Result<()> {
        // Global Privacy Control, which Chromium does not have.
        let browser = self.driver.browser(WIDE).await?;
        let control = json!({ "source":
            "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })" });
        browser
            .devtools("Page.addScriptToEvaluateOnNewDocument", control)
            .await?;
        self.nothing_sent(&browser).await?;
        // What the visitor says here goes before what the browser says.
        browser.click("#consent-switch").await?;
        browser.click(&card(RUJIN)).await?;
        self.recorded(RUJIN, 1).await?;
        self.leave(browser).await?;

        // Do Not Track.
        let not_tracked = || Setup {
            preferences: json!({ "enable_do_not_track": true }),
            ..Setup::default()
        };
        let browser = self.driver.browser_with(WIDE, 900, not_tracked()).await?;
        self.nothing_sent(&browser).await?;
        self.leave(browser).await?;

        // The switch alone, which outlives the page.
        let browser = self.visit(WIDE, "").await?;
        ensure!(browser.text("#sends").await?.contains("one click"));
        browser.click("#consent-switch").await?;
        self.nothing_sent(&browser).await?;
        ensure!(browser.count("#consent-switch:checked").await? == 0);
        self.leave(browser).await?;

        // A deployment that does not ask the browser.
        self.configure("  mysfits:respectPrivacySignals: false\n")
            .await?;
        let browser = self.driver.browser_with(WIDE, 900, not_tracked()).await?;
        browser.goto(&self.url).await?;
        browser.find("#grid[aria-busy=false]").await?;
        browser.click(&card(COCO)).await?;
        self.recorded(COCO, 1).await?;
        ensure!(
            !self.sent(RUJIN, 2).await?,
            "a visitor who asked for none made clicks"
        );
        self.leave(browser).await
    }

    /// Opens a profile, which must send nothing, and say so.
    async fn nothing_sent(&self, browser: &Browser) -> Result<()> {
        browser.events().await?;
        browser.goto(&self.url).await?;
        browser.find("#grid[aria-busy=false]").await?;
        browser.click(&card(RUJIN)).await?;
        browser.find("dialog[open]").await?;
        browser.press(ESCAPE).await?;
        browser
            .until("!document.getElementById('profile').open")
            .await?;
        browser
            .until("document.getElementById('consent-state').textContent.includes('nothing is sent') \
                    || document.getElementById('consent-state').textContent.includes('Nothing is sent')")
            .await?;
        ensure!(
            puts(&browser.events().await?)?.is_empty(),
            "a click was sent"
        );
        Ok(())
    }

    async fn sent(&self, mysfit: &str, count: usize) -> Result<bool> {
        let records = self.records.wait_for(1).await?;
        Ok(super::clicks_on(&records, mysfit) >= count)
    }

    async fn refuse(&self, on: bool) -> Result<()> {
        let faults = format!("{}/_mysfits/faults", self.place.aws()?);
        let answer = match on {
            true => {
                let fault = json!({ "service": "firehose", "fault": "throttle" });
                client()?.put(&faults).json(&fault).send().await?
            }
            false => client()?.delete(&faults).send().await?,
        };
        answer.error_for_status()?;
        Ok(())
    }

    /// Both tabs of one browser make clicks while the stream refuses them, and both send them.
    async fn two_tabs(&self) -> Result<()> {
        self.refuse(true).await?;
        let browser = self.visit(WIDE, "").await?;
        let first = browser.tab().await?;
        let second = browser.new_tab().await?;
        browser.goto(&self.url).await?;
        browser.find("#grid[aria-busy=false]").await?;
        let rounds = 4;
        for round in 1..=rounds {
            for (tab, mysfit) in [(&first, SNOWFLAKE), (&second, GARY)] {
                browser.switch_to(tab).await?;
                browser.click(&card(mysfit)).await?;
                browser.find("dialog[open]").await?;
                browser.press(ESCAPE).await?;
                browser
                    .until("!document.getElementById('profile').open")
                    .await?;
            }
            browser
                .until(&format!(
                    "document.getElementById('consent-state').textContent.includes('{} clicks waiting')",
                    2 * round
                ))
                .await?;
        }
        // Each was refused once at least before the stream takes clicks again.
        let mut sent = puts(&browser.events().await?)?;
        self.refuse(false).await?;
        self.clicks_are(&[(SNOWFLAKE, rounds), (GARY, rounds)])
            .await?;
        for tab in [&first, &second] {
            browser.switch_to(tab).await?;
            browser
                .until("document.getElementById('consent-state').textContent === ''")
                .await?;
            sent.extend(puts(&browser.events().await?)?);
        }
        // Sent more often than once, and always as the same click.
        let distinct: BTreeSet<&String> = sent.iter().collect();
        ensure!(distinct.len() == 2 * rounds, "{} ids", distinct.len());
        ensure!(sent.len() >= 4 * rounds, "{} sent", sent.len());
        let records = self.records.wait_for(2 * rounds).await?;
        let arrived: BTreeSet<String> = records.iter().map(id).collect();
        ensure!(arrived.iter().eq(distinct), "other clicks arrived");
        browser.close().await
    }

    /// Sixty clicks wait: the ten oldest give way, and the page says so.
    async fn too_many(&self) -> Result<()> {
        let before: BTreeSet<String> = self.records.wait_for(8).await?.iter().map(id).collect();
        self.refuse(true).await?;
        let browser = self.visit(WIDE, "").await?;
        for _ in 0..5 {
            browser.click(&card(SNOWFLAKE)).await?;
            browser.find("dialog[open]").await?;
            for _ in 0..11 {
                browser.press(RIGHT).await?;
            }
            browser.press(ESCAPE).await?;
            browser
                .until("!document.getElementById('profile').open")
                .await?;
        }
        let said = "50 clicks waiting to be sent. 10 clicks gave way to newer ones.";
        browser
            .until(&format!(
                "document.getElementById('consent-state').textContent === '{said}'"
            ))
            .await?;
        self.refuse(false).await?;
        let records = self
            .records
            .wait_until(|records| records.len() >= before.len() + 50)
            .await?;
        browser
            .until("document.getElementById('consent-state').textContent === '10 clicks gave way to newer ones.'")
            .await?;
        let ids: BTreeSet<String> = records.iter().map(id).collect();
        ensure!(
            records.len() == before.len() + 50,
            "{} records",
            records.len()
        );
        ensure!(ids.len() == records.len(), "a click came twice");
        browser.close().await
    }
}

fn id(record: &Value) -> String {
    record["clickId"].as_str().unwrap_or_default().to_owned()
}

/// The ids of the clicks that a page has sent, as often as it did.
fn puts(events: &[Value]) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for event in events {
        let request = &event["params"]["request"];
        if event["method"] == "Network.requestWillBeSent" && request["method"] == "PUT" {
            let click = request["postData"].as_str().context("no click")?;
            ids.push(id(&serde_json::from_str(click)?));
        }
    }
    Ok(ids)
}
