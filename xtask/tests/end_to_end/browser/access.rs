//! Every visitor can use the site: with a screen reader, by keyboard, without scripts, enlarged,
//! and in the colours that they need.

use super::axe::{Axe, PREFERENCES};
use super::driver::{Browser, ENTER, ESCAPE, LEFT, RIGHT, Setup, TAB};
use super::{NARROW, SNOWFLAKE, Site, WIDE, card};
use anyhow::{Context, Result, ensure};
use serde_json::json;

/// Every view that the site has without further configuration, and what it is known by.
const VIEWS: [(&str, &str, &str); 6] = [
    ("the list", "/", "#grid[aria-busy=false]"),
    (
        "a filtered list",
        "/#goodevil=Evil&q=a",
        "#grid[aria-busy=false]",
    ),
    (
        "nobody found",
        "/#q=nobody-has-this-name",
        "#notice:not([hidden])",
    ),
    (
        "an unknown mysfit",
        "/#mysfit=00000000-0000-4000-8000-000000000000",
        "#notice:not([hidden])",
    ),
    ("a profile's page", "/profile/Snowflake.html", ".sheet h1"),
    ("no such page", "/nowhere", "h1"),
];

/// Where text is that must not be cropped.
const TEXTS: &str = ".banner__words, .filters, .filters fieldset span, .card a, .sheet, \
                     .sheet__text, .footer, .notice, button";

#[tokio::test]
async fn everybody_can_use_the_site() -> Result<()> {
    let site = Site::deployed().await?;
    site.accessible().await.context("what axe finds")?;
    site.by_keyboard().await.context("by keyboard")?;
    site.without_scripts().await.context("without scripts")?;
    site.enlarged().await.context("enlarged")?;
    site.preferred().await.context("as the visitor prefers")?;
    site.missing().await.context("what is missing")?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    async fn accessible(&self) -> Result<()> {
        let axe = Axe::get()?;
        for (preference, features) in PREFERENCES {
            let browser = self.driver.browser(WIDE).await?;
            browser.emulate(features).await?;
            for (name, path, ready) in VIEWS {
                browser.goto("about:blank").await?;
                browser.goto(&format!("{}{path}", self.url)).await?;
                browser.find(ready).await?;
                axe.check(&browser, &format!("{name}, {preference}"))
                    .await?;
            }
            browser.goto("about:blank").await?;
            browser
                .goto(&format!("{}/#mysfit={SNOWFLAKE}", self.url))
                .await?;
            browser.find("dialog[open]").await?;
            axe.check(&browser, &format!("a profile, {preference}"))
                .await?;
            browser.close().await?;
        }
        Ok(())
    }

    /// Close comes first, arrows go on, and no stop is outside of the dialog.
    async fn by_keyboard(&self) -> Result<()> {
        let browser = self.visit(WIDE, "").await?;
        let open = format!("document.querySelector(\"{}\").focus()", card(SNOWFLAKE));
        browser.execute(&open).await?;
        browser.press(ENTER).await?;
        browser.find("dialog[open]").await?;
        let mut stops = vec![browser.value("document.activeElement.textContent").await?];
        for _ in 0..4 {
            browser.press(TAB).await?;
            stops.push(browser.value("document.activeElement.textContent").await?);
        }
        ensure!(
            stops == ["Close", "Share", "Previous", "Next", "Close"],
            "{stops:?}"
        );
        for (key, name) in [(RIGHT, "Gary"), (LEFT, "Snowflake"), (LEFT, "Hasla")] {
            browser.press(key).await?;
            ensure!(browser.text("#profile-name").await? == name);
        }
        browser.press(ESCAPE).await?;
        browser
            .until("document.activeElement.textContent.includes('Hasla')")
            .await?;
        self.leave(browser).await
    }

    /// The twelve are there as a list, with pages of their own.
    async fn without_scripts(&self) -> Result<()> {
        let browser = self.driver.browser(NARROW).await?;
        let off = json!({ "value": true });
        browser
            .devtools("Emulation.setScriptExecutionDisabled", off)
            .await?;
        browser.goto(&self.url).await?;
        ensure!(browser.count(".card").await? == 12);
        ensure!(!browser.text("main").await?.contains("Calling"));
        ensure!(browser.text("noscript").await?.contains("Scripts are off"));
        browser.fits_the_screen().await?;
        browser.click(&card(SNOWFLAKE)).await?;
        ensure!(browser.text("h1").await? == "Snowflake");
        ensure!(browser.text("main").await?.contains("13 years"));
        browser
            .until("document.querySelector('.sheet img').naturalWidth > 0")
            .await?;
        browser.fits_the_screen().await?;
        self.leave(browser).await
    }

    /// 200 and 400 % of a screen of 1280 by 1024, a telephone, and a large screen.
    async fn enlarged(&self) -> Result<()> {
        for (width, height) in [(320, 256), (640, 512), (NARROW, 740), (1920, 1080)] {
            let browser = self
                .driver
                .browser_with(width, height, Setup::default())
                .await?;
            for path in [
                "/",
                "/#q=nobody-has-this-name",
                &format!("/#mysfit={SNOWFLAKE}"),
                "/profile/Twilight-Glitter.html",
            ] {
                browser.goto("about:blank").await?;
                browser.goto(&format!("{}{path}", self.url)).await?;
                browser.find("body").await?;
                browser.until("!document.querySelector('#grid') || document.querySelector('#grid[aria-busy=false]')").await?;
                browser.fits_the_screen().await?;
                nothing_is_cropped(&browser)
                    .await
                    .with_context(|| format!("{path} at {width} by {height}"))?;
            }
            browser.goto("about:blank").await?;
            browser.goto(&self.url).await?;
            // Rows of twelve cards are full.
            let columns = browser
                .value("new Set([...document.querySelectorAll('.card')].map((card) => card.offsetLeft)).size")
                .await?;
            let columns = columns.as_u64().context("no columns")?;
            ensure!(
                columns > 1 && 12 % columns == 0,
                "{columns} columns at {width}"
            );
            // Everything in a profile can be reached.
            browser.click(&card(SNOWFLAKE)).await?;
            browser.click("#profile-next").await?;
            browser.click("#profile-close").await?;
            browser
                .until("!document.getElementById('profile').open")
                .await?;
            self.leave(browser).await?;
        }
        Ok(())
    }

    async fn preferred(&self) -> Result<()> {
        // Nothing moves.
        let browser = self.driver.browser(WIDE).await?;
        browser
            .emulate(&[("prefers-reduced-motion", "reduce")])
            .await?;
        browser.goto(&self.url).await?;
        browser.find("#grid[aria-busy=false]").await?;
        browser
            .until(
                "[...document.querySelectorAll('*')].every((one) => { \
                   const style = getComputedStyle(one); \
                   return style.transitionDuration.split(', ').every((time) => time === '0s') \
                     && style.animationName === 'none'; })",
            )
            .await?;
        self.leave(browser).await?;

        // What is chosen looks different from what is not, where colours are the visitor's own.
        let browser = self.driver.browser(WIDE).await?;
        browser.emulate(&[("forced-colors", "active")]).await?;
        browser.goto(&self.url).await?;
        browser.find("#grid[aria-busy=false]").await?;
        let colour = |value: &str| {
            format!(
                "getComputedStyle(document.querySelector(\"input[name=goodevil][value='{value}'] + span\")).backgroundColor"
            )
        };
        browser
            .until(&format!("{} !== {}", colour(""), colour("Evil")))
            .await?;
        let picture = self.picture("forced-colours.png");
        browser.screenshot(&picture).await?;
        self.leave(browser).await?;

        // A heart is a word and a shape, on each card.
        let browser = self.visit(WIDE, "").await?;
        ensure!(browser.text(&card(SNOWFLAKE)).await?.contains("Evil heart"));
        let shapes = browser
            .value(
                "new Set([...document.querySelectorAll('.card .mark')].map((mark) => { \
                   const style = getComputedStyle(mark); \
                   return style.clipPath + style.borderRadius; })).size",
            )
            .await?;
        ensure!(shapes == 3, "{shapes} shapes");
        self.leave(browser).await
    }

    /// A picture that is not there, and a mysfit that is not.
    async fn missing(&self) -> Result<()> {
        let browser = self.driver.browser(WIDE).await?;
        let blocked = json!({ "urls": [format!("*{SNOWFLAKE}.svg")] });
        browser.devtools("Network.enable", json!({})).await?;
        browser.devtools("Network.setBlockedURLs", blocked).await?;
        browser.goto(&self.url).await?;
        let drawn = format!("{} svg", card(SNOWFLAKE));
        browser.find(&drawn).await?;
        ensure!(browser.count(".card svg").await? == 1);
        browser.click(&card(SNOWFLAKE)).await?;
        browser.find("#profile-picture svg").await?;
        browser.close().await?;

        let nobody = "#mysfit=00000000-0000-4000-8000-000000000000";
        let browser = self.visit(WIDE, nobody).await?;
        ensure!(browser.text("#notice h2").await? == "No such mysfit");
        ensure!(browser.count(".card").await? == 12);
        browser.click("#notice button").await?;
        browser
            .until("document.getElementById('notice').hidden")
            .await?;
        ensure!(!browser.address().await?.contains("mysfit="));
        self.leave(browser).await
    }
}

async fn nothing_is_cropped(browser: &Browser) -> Result<()> {
    let script = format!(
        "[...document.querySelectorAll('{TEXTS}')].filter((one) => one.checkVisibility() \
           && getComputedStyle(one).display !== 'inline' \
           && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)) \
         .map((one) => `${{one.className || one.tagName}} of ${{one.clientWidth}} by ${{one.clientHeight}}: \
           ${{one.scrollWidth}} by ${{one.scrollHeight}}`)"
    );
    let cropped = browser.value(&script).await?;
    ensure!(cropped == json!([]), "cropped: {cropped}");
    Ok(())
}
