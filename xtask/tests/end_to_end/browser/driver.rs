//! Chromium, driven through ChromeDriver: the browser that visitors use, with nothing in between.

use anyhow::{Context, Result, bail};
use fantoccini::elements::Element;
use fantoccini::error::ErrorStatus;
use fantoccini::wd::{WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

/// How long the page may take to become what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What makes Chromium run without a display, as any user, and stay on this machine.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A ChromeDriver process; browsers of it end with it.
pub struct Driver {
    process: Child,
    port: u16,
}

/// One visitor's browser, with a profile of its own.
pub struct Browser {
    pub client: Client,
    _profile: TempDir,
}

impl Driver {
    /// Starts ChromeDriver on a port of its own choice.
    pub async fn start() -> Result<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context(
                "the browser tests need Chromium and its driver: \
                 apt-get install chromium chromium-driver",
            )?;
        let stdout = process
            .stdout
            .take()
            .context("ChromeDriver has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            let port = line
                .split_once("started successfully on port ")
                .and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
            if let Some(port) = port {
                return Ok(Self { process, port });
            }
        }
        bail!("ChromeDriver ended before it listened")
    }

    /// Opens a browser of `width` by 900 pixels.
    pub async fn browser(&self, width: u32) -> Result<Browser> {
        let profile = tempfile::tempdir()?;
        let mut arguments: Vec<String> = ARGUMENTS.map(String::from).into();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let mut capabilities = Map::new();
        capabilities.insert(
            "goog:chromeOptions".into(),
            json!({
                "args": arguments,
                // A window is never narrower than 500 pixels; an emulated screen may be.
                "mobileEmulation": { "deviceMetrics": { "width": width, "height": 900, "pixelRatio": 1.0, "touch": false, "mobile": false } },
            }),
        );
        capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await?;
        Ok(Browser {
            client,
            _profile: profile,
        })
    }

    pub async fn stop(mut self) -> Result<()> {
        self.process
            .kill()
            .await
            .context("ChromeDriver cannot be stopped")
    }
}

impl Browser {
    /// The element, as soon as it is there.
    pub async fn find(&self, css: &str) -> Result<Element> {
        self.client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .with_context(|| format!("nothing on the page matches {css}"))
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, expression: &str) -> Result<()> {
        let script = format!("return Boolean({expression})");
        let holds = async {
            // Between two looks the page has its turn; the driver's round trip is the pause.
            while self.client.execute(&script, Vec::new()).await? != Value::Bool(true) {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, holds)
            .await
            .with_context(|| format!("the page never came to `{expression}`"))?
    }

    pub async fn text(&self, css: &str) -> Result<String> {
        Ok(self.find(css).await?.text().await?)
    }

    /// Presses a key, such as `Key::Enter`, wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        Ok(self.client.active_element().await?.send_keys(keys).await?)
    }

    /// What the console says that is an error, policy violations among it.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let log = self.client.issue_cmd(ConsoleLog).await?;
        let entries = log.as_array().cloned().unwrap_or_default();
        Ok(entries
            .iter()
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect())
    }

    /// Fails when the page is wider than the screen.
    pub async fn fits_the_screen(&self) -> Result<()> {
        let script = "return document.documentElement.scrollWidth - innerWidth";
        let excess = self.client.execute(script, Vec::new()).await?;
        match excess.as_f64() {
            Some(excess) if excess <= 0.0 => Ok(()),
            _ => bail!("the page is {excess} pixels wider than the screen"),
        }
    }

    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, self.client.screenshot().await?)?)
    }

    /// Closes the tab that is shown and gives the handle of the one that is left.
    pub async fn close_tab(&self, remaining: WindowHandle) -> Result<()> {
        self.client.close_window().await?;
        Ok(self.client.switch_to_window(remaining).await?)
    }

    pub async fn close(self) -> Result<()> {
        match self.client.close().await {
            Err(error) if !error.is_invalid_session() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

trait Gone {
    fn is_invalid_session(&self) -> bool;
}

impl Gone for fantoccini::error::CmdError {
    fn is_invalid_session(&self) -> bool {
        matches!(self, Self::Standard(error) if error.error == ErrorStatus::InvalidSessionId)
    }
}

/// ChromeDriver's own command for the lines of the console since it was last asked.
#[derive(Debug)]
struct ConsoleLog;

impl WebDriverCompatibleCommand for ConsoleLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
