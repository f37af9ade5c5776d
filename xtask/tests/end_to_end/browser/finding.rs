//! Who looks for a mysfit finds it, and can show others the way.

use super::driver::RIGHT;
use super::{COLE, SNOWFLAKE, Site, WIDE, card};
use crate::records::client;
use anyhow::{Context, Result, ensure};
use serde_json::json;

#[tokio::test]
async fn a_mysfit_that_is_searched_for_is_found() -> Result<()> {
    let site = Site::deployed().await?;
    site.searched().await.context("search and order")?;
    site.paged().await.context("next and previous")?;
    site.shared().await.context("links to share")?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    async fn searched(&self) -> Result<()> {
        let browser = self.visit(WIDE, "").await?;
        browser.type_into("[name=q]", "pho").await?;
        browser
            .until("document.getElementById('status').textContent === '1 mysfit'")
            .await?;
        ensure!(browser.text(".card__name").await? == "Cole");
        ensure!(browser.address().await?.ends_with("#q=pho"));
        // The address brings all of it back.
        browser.travel("refresh").await?;
        browser
            .until("document.getElementById('status').textContent === '1 mysfit'")
            .await?;
        browser
            .until("document.querySelector('[name=q]').value === 'pho'")
            .await?;
        self.leave(browser).await?;

        for (view, first, last, count) in [
            ("sort=name", "Atlantis", "Twilight Glitter", 12),
            ("sort=species", "Evangeline", "Snowflake", 12),
            ("sort=youngest", "Pauly", "Hasla", 12),
            ("sort=oldest", "Hasla", "Pauly", 12),
            ("sort=nothing", "Evangeline", "Rujin", 12),
            ("q=GLÍTTER+peg", "Twilight Glitter", "Twilight Glitter", 1),
            ("q=o&goodevil=Good&sort=name", "CoCo", "Cole", 2),
        ] {
            let browser = self.visit(WIDE, &format!("#{view}")).await?;
            let names = browser
                .value(
                    "[...document.querySelectorAll('.card__name')].map((name) => name.textContent)",
                )
                .await?;
            let names = names.as_array().context("no names")?;
            ensure!(names.len() == count, "{view}: {names:?}");
            ensure!(names.first() == Some(&json!(first)), "{view}: {names:?}");
            ensure!(names.last() == Some(&json!(last)), "{view}: {names:?}");
            self.leave(browser).await?;
        }
        Ok(())
    }

    /// Next and Previous go through what is found, in its order.
    async fn paged(&self) -> Result<()> {
        let browser = self.visit(WIDE, "#goodevil=Good&sort=oldest").await?;
        browser.click(".card:first-child a").await?;
        let mut names = vec![browser.text("#profile-name").await?];
        ensure!(browser.text("#profile-place").await? == "1 of 4");
        for _ in 0..4 {
            browser.press(RIGHT).await?;
            names.push(browser.text("#profile-name").await?);
        }
        ensure!(
            names == ["Hasla", "Cole", "CoCo", "Twilight Glitter", "Hasla"],
            "{names:?}"
        );
        let address = browser.address().await?;
        ensure!(
            address.contains("goodevil=Good&sort=oldest&mysfit="),
            "{address}"
        );
        self.leave(browser).await
    }

    async fn shared(&self) -> Result<()> {
        let browser = self
            .visit(WIDE, &format!("#q=yeti&mysfit={SNOWFLAKE}"))
            .await?;
        let grant = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": self.url });
        browser.devtools("Browser.grantPermissions", grant).await?;
        browser
            .until("document.title === 'Snowflake the Yeti – Mythical Mysfits'")
            .await?;
        browser
            .execute("Navigator.prototype.share = undefined")
            .await?;
        browser.click("#profile-actions button:last-child").await?;
        browser
            .until("document.getElementById('profile-said').textContent.includes('copied')")
            .await?;
        let link = browser.value("navigator.clipboard.readText()").await?;
        let page = format!("{}/profile/Snowflake.html", self.url);
        ensure!(link == page, "{link}");
        // Where the browser shares, the page leaves it to it.
        browser
            .execute("Navigator.prototype.share = async (what) => { window.shared = what.url; }")
            .await?;
        browser.click("#profile-actions button:last-child").await?;
        browser
            .until(&format!("window.shared === '{page}'"))
            .await?;
        self.leave(browser).await?;

        // Who gets the link sees picture and name, in a preview of the link too.
        let html = client()?.get(&page).send().await?.text().await?;
        let image = format!("{}/images/share/{SNOWFLAKE}.png", self.url);
        for expected in [
            "<title>Snowflake the Yeti – Mythical Mysfits</title>",
            "property=\"og:title\" content=\"Snowflake the Yeti\"",
            &format!("property=\"og:image\" content=\"{image}\""),
            &format!("property=\"og:url\" content=\"{page}\""),
        ] {
            ensure!(html.contains(expected), "{expected}: {html}");
        }
        let answer = client()?.get(&image).send().await?.error_for_status()?;
        ensure!(answer.headers()["content-type"] == "image/png");
        // The service's own answer is as it was.
        let service = format!("{}/mysfits/{COLE}", self.url);
        let mysfit: serde_json::Value = client()?.get(&service).send().await?.json().await?;
        ensure!(mysfit["name"] == "Cole");
        let browser = self.driver.browser(WIDE).await?;
        browser.goto(&page).await?;
        ensure!(browser.text("h1").await? == "Snowflake");
        browser.click(".sheet__home a").await?;
        browser.find(&card(SNOWFLAKE)).await?;
        self.leave(browser).await
    }
}
