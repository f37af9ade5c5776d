//! What is popular, from the clicks to the page, where a deployment shows it.

use super::axe::Axe;
use super::{COLE, GARY, SNOWFLAKE, Site, WIDE};
use crate::records::client;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

#[tokio::test]
async fn the_site_shows_what_is_opened_most() -> Result<()> {
    let site = Site::deployed().await?;
    let refused = site.place.try_xtask(&["insights", "--publish"])?;
    let said = String::from_utf8_lossy(&refused.stderr);
    ensure!(!refused.status.success(), "published without the key");
    ensure!(said.contains("mysfits:insightsOnSite"), "{said}");
    let browser = site.visit(WIDE, "").await?;
    browser
        .until("document.getElementById('popular').hidden")
        .await?;
    site.leave(browser).await?;

    site.configure("  mysfits:insightsOnSite: true\n").await?;
    let browser = site.visit(WIDE, "").await?;
    browser
        .until("document.getElementById('popular').hidden")
        .await?;
    site.leave(browser).await?;

    for (mysfit, clicks) in [(SNOWFLAKE, 31), (COLE, 24), (GARY, 19)] {
        site.clicked(mysfit, clicks).await?;
    }
    site.records.wait_for(31 + 24 + 19).await?;
    let printed = site.place.xtask(&["insights", "--publish"])?;
    ensure!(printed.contains("insights.json"), "{printed}");
    let url = format!("{}/insights.json", site.url);
    let published: Value = client()?.get(&url).send().await?.json().await?;
    // One that was opened less than 20 times is in no list.
    let expected = json!([
        { "mysfitId": SNOWFLAKE, "clicks": 31 },
        { "mysfitId": COLE, "clicks": 24 },
    ]);
    ensure!(published["mysfits"] == expected, "{published}");
    ensure!(!published.to_string().contains("user"), "{published}");

    let browser = site.visit(WIDE, "").await?;
    browser.find("#popular:not([hidden])").await?;
    let list = browser.text("#popular-list").await?;
    ensure!(
        list.contains("Snowflake") && list.contains("31 clicks"),
        "{list}"
    );
    ensure!(!list.contains("Gary"), "{list}");
    Axe::get()?
        .check_for_all(&browser, "what is popular")
        .await?;
    browser.screenshot(&site.picture("popular.png")).await?;
    browser.goto("about:blank").await?;
    browser.goto(&format!("{}/#sort=popular", site.url)).await?;
    browser.find("#popular:not([hidden])").await?;
    browser
        .until("document.querySelector('.card__name').textContent === 'Snowflake'")
        .await?;
    browser.click("#popular-list li:last-child a").await?;
    ensure!(browser.text("#profile-name").await? == "Cole");
    site.leave(browser).await?;

    // What was published is neither a difference nor lost at the next deployment, and goes with
    // the stack.
    let more = "  mysfits:insightsOnSite: true\n  mysfits:tags: {again: deployed}\n";
    site.configure(more).await?;
    let file = site.place.home.join("configured.yaml");
    for command in [
        "refresh --yes --skip-preview",
        "preview --expect-no-changes",
        "up --yes --skip-preview",
    ] {
        site.place.shell(&format!(
            "pulumi {command} --stack local --config-file '{}'",
            file.display()
        ))?;
    }
    let again: Value = client()?.get(&url).send().await?.json().await?;
    ensure!(again == published, "{again}");
    site.place.xtask(&["down"])?;
    ensure!(site.place.resources()?.is_empty(), "something is left");
    site.driver.stop().await?;
    site.place.assert_clean()
}

impl Site {
    async fn clicked(&self, mysfit: &str, times: usize) -> Result<()> {
        let outputs = self.place.outputs()?;
        let url = outputs["clicksEndpoint"].as_str().context("no endpoint")?;
        let client = client()?;
        for _ in 0..times {
            let click = json!({ "userId": "guest", "mysfitId": mysfit });
            let answer = client.put(url).json(&click).send().await?;
            answer.error_for_status()?;
        }
        Ok(())
    }
}
