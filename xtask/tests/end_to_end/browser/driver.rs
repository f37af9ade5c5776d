//! Chromium, driven through ChromeDriver over W3C WebDriver: the browser that visitors use, with
//! nothing in between.

use crate::records::client;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long the page may take to become what is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// Keys that are no characters, as WebDriver writes them.
pub const ENTER: &str = "\u{E007}";
pub const ESCAPE: &str = "\u{E00C}";
pub const TAB: &str = "\u{E004}";
pub const LEFT: &str = "\u{E012}";
pub const RIGHT: &str = "\u{E014}";

/// Under this name an answer holds the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

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
    client: reqwest::Client,
    /// The session's URL.
    session: String,
    profile: TempDir,
}

/// How a browser is set up.
#[derive(Default)]
pub struct Setup {
    /// Chromium's own preferences, by their names in its profile.
    pub preferences: Value,
    pub arguments: &'static [&'static str],
    /// That of a browser which was closed.
    pub profile: Option<TempDir>,
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
        self.browser_with(width, 900, Setup::default()).await
    }

    /// Opens a browser of these pixels.
    pub async fn browser_with(&self, width: u32, height: u32, setup: Setup) -> Result<Browser> {
        let profile = match setup.profile {
            Some(profile) => profile,
            None => tempfile::tempdir()?,
        };
        let mut arguments: Vec<String> = ARGUMENTS.map(String::from).into();
        arguments.extend(setup.arguments.iter().map(|one| (*one).to_owned()));
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let metrics = json!({
            "width": width, "height": height, "pixelRatio": 1.0, "touch": false, "mobile": false,
        });
        let mut options = json!({
            "args": arguments,
            // A window is never narrower than 500 pixels; an emulated screen may be.
            "mobileEmulation": { "deviceMetrics": metrics },
        });
        if setup.preferences.is_object() {
            options["prefs"] = setup.preferences;
        }
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            // An element is looked for until it is there.
            "timeouts": { "implicit": PATIENCE.as_millis() },
        });
        let mut browser = Browser {
            client: client()?,
            session: format!("http://127.0.0.1:{}/session", self.port),
            profile,
        };
        let request = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = browser.post("", request).await?;
        let id = session["sessionId"].as_str().context("no session")?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    pub async fn stop(mut self) -> Result<()> {
        self.process
            .kill()
            .await
            .context("ChromeDriver cannot be stopped")
    }
}

impl Browser {
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.post("/url", json!({ "url": url })).await.map(drop)
    }

    pub async fn address(&self) -> Result<String> {
        text(self.get("/url").await?)
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Result<()> {
        self.element(css).await.map(drop)
    }

    pub async fn count(&self, css: &str) -> Result<usize> {
        let elements = self.post("/elements", selector(css)).await?;
        Ok(elements.as_array().map_or(0, Vec::len))
    }

    pub async fn click(&self, css: &str) -> Result<()> {
        let path = self.element(css).await? + "/click";
        self.post(&path, json!({})).await.map(drop)
    }

    pub async fn text(&self, css: &str) -> Result<String> {
        let path = self.element(css).await? + "/text";
        text(self.get(&path).await?)
    }

    /// Presses a key, such as [`ENTER`], wherever the focus is.
    pub async fn press(&self, key: &str) -> Result<()> {
        let path = element_path(self.get("/element/active").await?)? + "/value";
        self.post(&path, json!({ "text": key })).await.map(drop)
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, expression: &str) -> Result<()> {
        let script = format!("return Boolean({expression})");
        let holds = async {
            // Between two looks the page has its turn; the driver's round trip is the pause.
            while self.execute(&script).await? != Value::Bool(true) {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, holds)
            .await
            .with_context(|| format!("the page never came to `{expression}`"))?
    }

    /// Has the page believe that its visitor prefers `light` or `dark`.
    pub async fn prefer(&self, scheme: &str) -> Result<()> {
        self.emulate(&[("prefers-color-scheme", scheme)]).await
    }

    /// Has media queries for these features answered so.
    pub async fn emulate(&self, features: &[(&str, &str)]) -> Result<()> {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let parameters = json!({ "features": features });
        self.devtools("Emulation.setEmulatedMedia", parameters)
            .await
            .map(drop)
    }

    /// A command of DevTools' own protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let request = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", request).await
    }

    /// The events of DevTools' protocol since this was asked last.
    pub async fn events(&self) -> Result<Vec<Value>> {
        let log = self
            .post("/se/log", json!({ "type": "performance" }))
            .await?;
        let mut events = Vec::new();
        for entry in log.as_array().into_iter().flatten() {
            let text = entry["message"].as_str().context("no event")?;
            let mut event: Value = serde_json::from_str(text)?;
            events.push(event["message"].take());
        }
        Ok(events)
    }

    /// What the console says since this was asked last that is an error, violations of policies
    /// among it.
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await?;
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
        let excess = self.execute(script).await?;
        match excess.as_f64() {
            Some(excess) if excess <= 0.0 => Ok(()),
            _ => bail!("the page is {excess} pixels wider than the screen"),
        }
    }

    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let picture = text(self.get("/screenshot").await?)?;
        Ok(std::fs::write(file, BASE64_STANDARD.decode(picture)?)?)
    }

    /// Does something in a tab of its own, which is closed as soon as that is done.
    pub async fn in_new_tab(&self, work: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
        let before = self.tab().await?;
        self.new_tab().await?;
        work().await?;
        self.command(Method::DELETE, "/window", None).await?;
        self.switch_to(&before).await
    }

    /// Opens a tab, and goes on there; gives what [`switch_to`](Self::switch_to) takes.
    pub async fn new_tab(&self) -> Result<Value> {
        let mut tab = self.post("/window/new", json!({ "type": "tab" })).await?;
        let handle = tab["handle"].take();
        self.switch_to(&handle).await?;
        Ok(handle)
    }

    /// The tab that commands go to.
    pub async fn tab(&self) -> Result<Value> {
        self.get("/window").await
    }

    /// `back`, `forward` or `refresh`, as by the browser's own buttons.
    pub async fn travel(&self, whereto: &str) -> Result<()> {
        self.post(&format!("/{whereto}"), json!({})).await.map(drop)
    }

    pub async fn close(self) -> Result<()> {
        self.close_keeping_profile().await.map(drop)
    }

    /// Closes the browser, of which only the profile is left.
    pub async fn close_keeping_profile(self) -> Result<TempDir> {
        self.command(Method::DELETE, "", None).await?;
        Ok(self.profile)
    }

    pub async fn switch_to(&self, window: &Value) -> Result<()> {
        let request = json!({ "handle": window });
        self.post("/window", request).await.map(drop)
    }

    /// Types into a field.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        let path = self.element(css).await? + "/value";
        self.post(&path, json!({ "text": text })).await.map(drop)
    }

    /// The value of a JavaScript expression, a promise's once it is there.
    pub async fn value(&self, expression: &str) -> Result<Value> {
        self.execute(&format!("return ({expression})")).await
    }

    /// Runs a script, whose `return` is its value.
    pub async fn execute(&self, script: &str) -> Result<Value> {
        let request = json!({ "script": script, "args": [] });
        self.post("/execute/sync", request).await
    }

    async fn element(&self, css: &str) -> Result<String> {
        let found = self.post("/element", selector(css)).await;
        element_path(found.with_context(|| format!("nothing on the page matches {css}"))?)
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.command(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.command(Method::POST, path, Some(body)).await
    }

    /// The value of the answer.
    async fn command(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("{}{path}", self.session);
        let mut request = self.client.request(method, url);
        if let Some(body) = &body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let failed = !response.status().is_success();
        let mut answer: Value = response.json().await?;
        let value = answer["value"].take();
        if failed {
            bail!("ChromeDriver, at {path}: {}", value["message"]);
        }
        Ok(value)
    }
}

fn selector(css: &str) -> Value {
    json!({ "using": "css selector", "value": css })
}

fn element_path(element: Value) -> Result<String> {
    let id = element[ELEMENT].as_str().context("no element")?;
    Ok(format!("/element/{id}"))
}

fn text(value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => bail!("{other} is no text"),
    }
}
