//! What makes a first visit quick: few bytes, and nothing to wait for. How quick it then is depends
//! on what else the machine does; a benchmark says that, and no test.

use super::driver::Browser;
use super::{NARROW, Site};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What comes over the wire, headers too.
const BYTES: u64 = 100_000;

/// How much slower than this machine the benchmark's processor is.
const SLOWER: u32 = 4;
/// When the largest part of a page is there, in milliseconds, if the machine does nothing else.
const LARGEST_PAINT_MS: f64 = 1_000.0;
/// Of so many visits of each kind the benchmark takes the median.
const VISITS: usize = 5;

#[tokio::test]
async fn a_first_visit_is_small_and_waits_for_no_script() -> Result<()> {
    let site = Site::deployed().await?;
    let browser = site.driver.browser(NARROW).await?;
    browser.events().await?;
    let figures = site.first_figures(&browser).await?;
    let (bytes, requests) = transferred(&browser.events().await?, &site.url)?;
    println!("{figures}, {bytes} bytes in {requests} requests");
    ensure!(figures["shift"] == 0, "the layout shifts: {figures}");
    ensure!(bytes < BYTES, "a first visit is {bytes} bytes");
    site.comes_again(&browser).await.context("a second visit")?;
    site.leave(browser).await?;

    let without = site.driver.browser(NARROW).await?;
    block_scripts(&without).await?;
    let bare = site.first_figures(&without).await?;
    ensure!(bare["scripts"] == 0 && figures["scripts"] != 0, "{bare}");
    // Which of the cards' pictures, all of one size, comes first is chance.
    for same in ["element", "area", "cards"] {
        ensure!(
            bare[same] == figures[same],
            "what is seen first waits for a script: {figures}, and {bare} without scripts"
        );
    }
    without.close().await?;
    site.driver.stop().await?;
    site.place.assert_clean()
}

/// `cargo xtask bench site`.
#[tokio::test]
#[ignore = "a benchmark"]
async fn how_quick_a_first_visit_is() -> Result<()> {
    let site = Site::deployed().await?;
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..VISITS {
        for (times, scripts) in [(&mut whole, true), (&mut bare, false)] {
            let browser = site.driver.browser(NARROW).await?;
            let slow = json!({ "rate": SLOWER });
            browser
                .devtools("Emulation.setCPUThrottlingRate", slow)
                .await?;
            if !scripts {
                block_scripts(&browser).await?;
            }
            let figures = site.first_figures(&browser).await?;
            times.push(figures["largest"].as_f64().context("no paint")?);
            browser.close().await?;
        }
    }
    let (whole, bare) = (median(whole)?, median(bare)?);
    let kept = if whole < LARGEST_PAINT_MS {
        "kept"
    } else {
        "MISSED"
    };
    println!(
        "a first visit, {NARROW} pixels wide, a processor {SLOWER} times slower, {VISITS} visits\n  \
         largest paint {whole:>31.0} ms, limit {LARGEST_PAINT_MS} ms: {kept}\n  \
         the same with every script blocked {bare:>10.0} ms, {:.2} times that",
        whole / bare
    );
    site.driver.stop().await?;
    site.place.assert_clean()
}

/// Has no script of any page arrive.
async fn block_scripts(browser: &Browser) -> Result<()> {
    browser.devtools("Network.enable", json!({})).await?;
    let scripts = json!({ "urls": ["*.js"] });
    browser.devtools("Network.setBlockedURLs", scripts).await?;
    Ok(())
}

fn median(mut times: Vec<f64>) -> Result<f64> {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().context("no visit")
}

impl Site {
    /// Visits the site, and says what the browser has measured by the end of it.
    async fn first_figures(&self, browser: &Browser) -> Result<Value> {
        browser.goto(&self.url).await?;
        browser.find("#grid li").await?;
        browser
            .until("document.readyState === 'complete' && grid.ariaBusy !== 'true'")
            .await?;
        browser.execute(FIGURES).await
    }

    /// The next visit asks again for pages, style and scripts, which must be of one age, and for
    /// nothing else.
    async fn comes_again(&self, browser: &Browser) -> Result<()> {
        browser.goto("about:blank").await?;
        browser.events().await?;
        browser.goto(&self.url).await?;
        browser.find("#grid[aria-busy=false]").await?;
        let mut asked = BTreeSet::new();
        for event in browser.events().await? {
            let response = &event["params"]["response"];
            let url = response["url"].as_str().unwrap_or_default();
            if event["method"] == "Network.responseReceived"
                && response["fromDiskCache"] != true
                && let Some(path) = url.strip_prefix(&self.url)
            {
                // A memory cache says nothing of itself, and sends nothing.
                if response["encodedDataLength"].as_f64() > Some(0.0) {
                    asked.insert(path.to_owned());
                }
            }
        }
        let expected = [
            "/",
            "/app.js",
            "/clicks.js",
            "/data.js",
            "/profile.js",
            "/style.css",
        ];
        ensure!(asked.iter().eq(expected), "asked for {asked:?}");
        Ok(())
    }
}

/// What the browser has measured until now.
const FIGURES: &str = "
    const entries = (type) => new Promise((resolve) => {
      const found = [];
      const observer = new PerformanceObserver((list) => found.push(...list.getEntries()));
      observer.observe({ type, buffered: true });
      // What is buffered is handed over before the next frame but one.
      requestAnimationFrame(() => requestAnimationFrame(() => {
        found.push(...observer.takeRecords());
        resolve(found);
      }));
    });
    // What has arrived is painted once it is decoded.
    await Promise.all([...document.images].filter((image) => image.complete).map((image) => image.decode()));
    const paints = await entries('largest-contentful-paint');
    const shifts = await entries('layout-shift');
    return {
      largest: Math.round(paints.at(-1).startTime),
      element: paints.at(-1).element?.tagName,
      area: paints.at(-1).size,
      cards: document.querySelectorAll('#grid li').length,
      scripts: performance.getEntriesByType('resource')
        .filter(({ name, responseStatus }) => name.endsWith('.js') && responseStatus === 200).length,
      shift: shifts.reduce((sum, shift) => sum + shift.value, 0),
    };";

/// Bytes and requests of one origin.
fn transferred(events: &[Value], origin: &str) -> Result<(u64, usize)> {
    let mut own = BTreeSet::new();
    let mut bytes = 0.0;
    for event in events {
        let parameters = &event["params"];
        let id = parameters["requestId"].as_str().unwrap_or_default();
        match event["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                let url = parameters["request"]["url"].as_str().unwrap_or_default();
                if url.starts_with(origin) {
                    own.insert(id.to_owned());
                }
            }
            Some("Network.loadingFinished") if own.contains(id) => {
                let length = parameters["encodedDataLength"].as_f64();
                bytes += length.context("no length")?;
            }
            _ => {}
        }
    }
    ensure!(own.len() > 15, "only {} requests were seen", own.len());
    // Fractions of a byte are none.
    Ok((bytes as u64, own.len()))
}
