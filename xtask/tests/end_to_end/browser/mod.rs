//! The deployed site in a real browser, from the first visit to the record in S3.

mod access;
mod adoption;
mod axe;
mod clicks;
mod console;
mod driver;
mod finding;
mod pictures;
mod popular;
mod speed;
mod standin;

use crate::place::Place;
use crate::records::{Records, client};
use anyhow::{Context, Result, ensure};
use driver::{Browser, Driver, ENTER, ESCAPE};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

const SNOWFLAKE: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";
const COLE: &str = "33e1fbd4-2fd8-45fb-a42f-f92551694506";
const GARY: &str = "3f0f196c-4a7b-43af-9e29-6522a715342d";
const NESSI: &str = "a68db521-c031-44c7-b5ef-bfa4c0850e2a";

/// Screens that people have: a small telephone, and a desk.
const NARROW: u32 = 360;
const WIDE: u32 = 1280;

/// A deployed site, and what it leaves in the bucket.
struct Site {
    place: Place,
    driver: Driver,
    url: String,
    bucket: String,
    records: Records,
}

#[tokio::test]
async fn the_site_in_a_real_browser() -> Result<()> {
    let site = Site::deployed().await?;
    site.first_visit().await.context("first visit")?;
    site.filters().await.context("filters")?;
    site.profiles()
        .await
        .context("profiles by click, key and link")?;
    site.closed_tab()
        .await
        .context("a click before the tab closes")?;
    site.hostile_catalogue()
        .await
        .context("a hostile catalogue")?;
    site.throttled().await.context("a throttled API")?;
    site.report().await.context("the report on clicks")?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    async fn deployed() -> Result<Self> {
        let driver = Driver::start().await?;
        let place = Place::new()?;
        place.xtask(&["up"])?;
        let outputs = place.outputs()?;
        let text = |name: &str| {
            outputs[name]
                .as_str()
                .map(str::to_owned)
                .context("no output")
        };
        Ok(Self {
            url: text("siteUrl")?,
            bucket: text("siteBucket")?,
            records: Records::of(&place, &outputs)?,
            place,
            driver,
        })
    }

    async fn visit(&self, width: u32, fragment: &str) -> Result<Browser> {
        let browser = self.driver.browser(width).await?;
        browser.goto(&format!("{}/{fragment}", self.url)).await?;
        browser.find("#grid[aria-busy=false]").await?;
        Ok(browser)
    }

    /// Deploys the stack with more configuration, which the committed file does not get.
    async fn configure(&self, lines: &str) -> Result<()> {
        let stack = std::fs::read_to_string(self.place.root.join("Pulumi.local.yaml"))?;
        let file = self.place.home.join("configured.yaml");
        std::fs::write(&file, format!("{stack}{lines}"))?;
        self.place.shell(&format!(
            "pulumi up --yes --skip-preview --stack local --config-file '{}'",
            file.display()
        ))?;
        Ok(())
    }

    /// Leaves, after a look at the console: no error, no violation of a policy.
    async fn leave(&self, browser: Browser) -> Result<()> {
        let errors = browser.console_errors().await?;
        ensure!(errors.is_empty(), "the console has errors: {errors:#?}");
        browser.close().await
    }

    /// The records of a mysfit, as soon as there are that many.
    async fn recorded(&self, mysfit: &str, count: usize) -> Result<()> {
        let records = self
            .records
            .wait_until(|records| clicks_on(records, mysfit) >= count)
            .await
            .with_context(|| format!("{count} clicks on {mysfit}"))?;
        ensure!(
            clicks_on(&records, mysfit) == count,
            "a click on {mysfit} came twice"
        );
        ensure!(
            records.iter().all(|record| record["userId"] == "guest"),
            "somebody is signed in"
        );
        let ids = records
            .iter()
            .filter_map(|record| record["clickId"].as_str());
        let ids: BTreeSet<&str> = ids
            .filter(|id| id.as_bytes().get(14) == Some(&b'4'))
            .collect();
        ensure!(
            ids.len() == records.len(),
            "a click has no id that the page made, or that of another"
        );
        Ok(())
    }

    async fn first_visit(&self) -> Result<()> {
        for (name, width) in [("narrow", NARROW), ("wide", WIDE)] {
            let browser = self.visit(width, "").await?;
            ensure!(browser.count(".card").await? == 12);
            ensure!(browser.text("#status").await? == "12 mysfits");
            browser.fits_the_screen().await?;
            browser
                .screenshot(&self.picture(&format!("{name}.png")))
                .await?;
            self.leave(browser).await?;
        }
        Ok(())
    }

    async fn filters(&self) -> Result<()> {
        let browser = self.visit(WIDE, "").await?;
        let choose = async |name: &str, value: &str| {
            let choice = format!("input[name={name}][value='{value}']");
            browser.click(&choice).await
        };
        choose("goodevil", "Evil").await?;
        choose("lawchaos", "Lawful").await?;
        ensure!(browser.text("#status").await? == "1 mysfit");
        ensure!(browser.text(".card__name").await? == "Evangeline");
        let address = browser.address().await?;
        ensure!(
            address.ends_with("#goodevil=Evil&lawchaos=Lawful"),
            "{address}"
        );

        // Nobody is left, and one click shows everybody again.
        browser
            .goto(&format!("{}/#goodevil=Nobody", self.url))
            .await?;
        browser
            .until("!document.getElementById('notice').hidden")
            .await?;
        browser.click("#notice button").await?;
        ensure!(browser.text("#status").await? == "12 mysfits");
        self.leave(browser).await
    }

    async fn profiles(&self) -> Result<()> {
        let browser = self.visit(WIDE, "").await?;
        browser.click(&card(SNOWFLAKE)).await?;
        ensure!(browser.text("#profile-name").await? == "Snowflake");
        browser.screenshot(&self.picture("profile.png")).await?;
        browser.press(ESCAPE).await?;
        browser
            .until("!document.getElementById('profile').open")
            .await?;
        // The focus is back where the visitor was, and Enter opens the profile again.
        browser
            .until(&format!(
                "document.activeElement.dataset.id === '{SNOWFLAKE}'"
            ))
            .await?;
        browser.press(ENTER).await?;
        browser
            .until("document.getElementById('profile').open")
            .await?;
        self.leave(browser).await?;

        let browser = self.visit(NARROW, &format!("#mysfit={COLE}")).await?;
        ensure!(browser.text("#profile-name").await? == "Cole");
        browser.fits_the_screen().await?;
        browser
            .screenshot(&self.picture("profile-narrow.png"))
            .await?;
        self.recorded(SNOWFLAKE, 2).await?;
        self.recorded(COLE, 1).await?;
        self.leave(browser).await
    }

    async fn closed_tab(&self) -> Result<()> {
        let browser = self.visit(WIDE, "").await?;
        browser
            .in_new_tab(async || {
                browser.goto(&self.url).await?;
                browser.find("#grid[aria-busy=false]").await?;
                browser.click(&card(GARY)).await
            })
            .await?;
        self.recorded(GARY, 1).await?;
        self.leave(browser).await
    }

    async fn hostile_catalogue(&self) -> Result<()> {
        let markup =
            "<img src=x onerror=\"window.harmed = true\"><script>window.harmed = true</script>";
        let catalogue = json!({ "mysfits": [
            { "mysfitId": "../../evil", "name": "No id", "species": "x" },
            { "mysfitId": NESSI, "name": markup, "species": markup, "goodevil": "\"><b>", "lawchaos": 7,
              "age": "old", "description": "a".repeat(100_000) },
            null, "text", [],
        ]});
        let own: Value = client()?
            .get(format!("{}/mysfits", self.url))
            .send()
            .await?
            .json()
            .await?;
        self.records
            .put_json(&self.bucket, "mysfits", catalogue.to_string())
            .await?;

        let browser = self.visit(NARROW, "").await?;
        ensure!(browser.text("#status").await? == "1 mysfit");
        ensure!(browser.text(".card__name").await? == markup);
        browser.click(&card(NESSI)).await?;
        ensure!(browser.text("#profile-name").await? == markup);
        browser.fits_the_screen().await?;
        browser.until("window.harmed === undefined").await?;
        self.leave(browser).await?;
        let own = own.to_string();
        self.records.put_json(&self.bucket, "mysfits", own).await
    }

    async fn throttled(&self) -> Result<()> {
        let stack = std::fs::read_to_string(self.place.root.join("Pulumi.local.yaml"))?;
        let slow = stack
            .replace("throttleBurst: 5000", "throttleBurst: 2")
            .replace("throttleRate: 10000", "throttleRate: 1");
        ensure!(slow != stack, "Pulumi.local.yaml sets no throttle");
        let file = self.place.home.join("slow.yaml");
        std::fs::write(&file, slow)?;
        self.place.shell(&format!(
            "pulumi up --yes --skip-preview --stack local --config-file '{}'",
            file.display()
        ))?;

        // One profile after the other, faster than the API admits clicks.
        let browser = self.visit(WIDE, &format!("#mysfit={NESSI}")).await?;
        for _ in 0..11 {
            browser.click("a[rel=next]").await?;
        }
        for (mysfit, count) in [(NESSI, 2), (COLE, 2), (GARY, 2), (SNOWFLAKE, 3)] {
            self.recorded(mysfit, count).await?;
        }
        // The console does show refused requests; it must not show a violation of a policy.
        let errors = browser.console_errors().await?;
        ensure!(!errors.is_empty(), "nothing was throttled");
        ensure!(
            !errors
                .iter()
                .any(|error| error.contains("Content Security Policy")),
            "{errors:#?}"
        );
        browser.close().await
    }

    /// The page of `cargo xtask insights`, as a file.
    async fn report(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let page = folder.path().join("report.html");
        let path = page.to_str().context("no text")?;
        let arguments = [
            "insights",
            "--demonstration",
            "--format",
            "html",
            "--output",
        ];
        let printed = self.place.xtask(&[&arguments[..], &[path]].concat())?;
        ensure!(printed.trim() == path, "{printed}");
        for (name, width) in [("report-narrow", NARROW), ("report", WIDE)] {
            let browser = self.driver.browser(width).await?;
            browser.goto(&format!("file://{path}")).await?;
            ensure!(browser.text("h1").await? == "Who looks at which mysfit");
            ensure!(browser.count("#by-hour svg.plot rect").await? >= 28);
            ensure!(browser.count("#top-mysfits img").await? == 12);
            ensure!(browser.count("#by-alignment .nine td").await? == 9);
            ensure!(browser.count("#failed .bar").await? >= 2);
            let drawn = "[...document.images].every(image => image.complete && image.naturalWidth)";
            browser.until(drawn).await?;
            // What the plot shows is in a table too.
            browser.click("#top-mysfits summary").await?;
            ensure!(browser.count("#top-mysfits details[open] tbody tr").await? == 12);
            browser.click("#top-mysfits summary").await?;
            browser.until("document.scripts.length === 0").await?;
            browser.fits_the_screen().await?;
            let picture = self.picture(&format!("{name}.png"));
            browser.screenshot(&picture).await?;
            self.leave(browser).await?;
        }
        Ok(())
    }

    /// Where a screenshot is kept.
    fn picture(&self, name: &str) -> PathBuf {
        self.place.root.join("target/screenshots").join(name)
    }
}

fn clicks_on(records: &[Value], mysfit: &str) -> usize {
    records
        .iter()
        .filter(|record| record["mysfitId"] == mysfit)
        .count()
}

fn card(mysfit: &str) -> String {
    format!("[data-id='{mysfit}']")
}
