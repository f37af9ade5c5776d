//! `cargo xtask dev`: each edit goes live by itself, a broken one changes nothing.

use crate::copy::Copy;
use crate::place::Place;
use crate::records::client;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// How long an edit may take at worst, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(400);

#[tokio::test]
async fn every_edit_goes_live_by_itself_and_a_broken_one_changes_nothing() -> Result<()> {
    let copy = Copy::new()?;
    let place = Place::of_copy(&copy)?;
    let mut dev = Dev::start(&place)?;
    dev.until("Watching infra/, lambda/, web/ and the stack file")?;
    let outputs = place.outputs()?;
    let text_of = |name: &str| {
        outputs[name]
            .as_str()
            .map(str::to_owned)
            .context("no output")
    };
    let (site, endpoint) = (text_of("siteUrl")?, text_of("clicksEndpoint")?);

    dev.edit(&copy, "web/style.css", |text| text + "\n/* an edit */\n")?;
    dev.until("live after")?;
    let style = client()?.get(format!("{site}/style.css")).send().await?;
    assert!(style.text().await?.ends_with("/* an edit */\n"));

    dev.edit(&copy, "lambda/src/enrich.rs", |text| {
        text.replace(r#","clickedAt":""#, r#","seenAt":""#)
    })?;
    dev.until("live after")?;
    let record = place.xtask(&["click", "--user", "dev"])?;
    assert!(record.contains("\"seenAt\":"), "{record}");
    dev.until("/clicks 200")?;

    dev.edit(&copy, "infra/src/api/answers.rs", |text| {
        text.replace(r#"{"status":"OK"}"#, r#"{"status":"TAKEN"}"#)
    })?;
    dev.until("live after")?;
    let click = json!({ "userId": "dev", "mysfitId": crate::clicks::MYSFIT });
    let put = || async {
        let sent = client()?.put(&endpoint).json(&click).send().await?;
        Ok::<Value, anyhow::Error>(sent.json().await?)
    };
    assert_eq!(put().await?, json!({ "status": "TAKEN" }));

    dev.edit(&copy, "Pulumi.local.yaml", |text| {
        text.replace("throttleRate: 10000", "throttleRate: 9000")
    })?;
    dev.until("live after")?;
    let rate = |resource: &Value| {
        let rate = resource.pointer("/outputs/settings/throttlingRateLimit");
        rate.and_then(Value::as_f64)
    };
    let resources = place.resources()?;
    let rates: Vec<f64> = resources.iter().filter_map(rate).collect();
    assert!(
        !rates.is_empty() && rates.iter().all(|rate| *rate == 9000.0),
        "{rates:?}"
    );

    // A mistake is shown as the compiler shows it, and what was deployed goes on.
    dev.edit(&copy, "infra/src/outputs.rs", |text| {
        text + "fn broken( {\n"
    })?;
    dev.until("infra/src/outputs.rs:")?;
    dev.until("waiting for the next edit")?;
    assert_eq!(put().await?, json!({ "status": "TAKEN" }));
    dev.edit(&copy, "infra/src/outputs.rs", |text| {
        text.replace("fn broken( {\n", "")
    })?;
    dev.until("live after")?;

    let cloud = place.cloud()?.context("no cloud")?;
    let said = dev.interrupt()?;
    assert!(said.contains("stay as they are"), "{said}");
    assert_eq!(place.cloud()?, Some(cloud));
    assert_eq!(put().await?, json!({ "status": "TAKEN" }));
    place.xtask(&["down"])?;
    Ok(())
}

/// The command, and what it has said since the last look.
struct Dev {
    process: Child,
    lines: Receiver<String>,
    said: String,
}

impl Dev {
    /// As a shell starts it: in a process group of its own, all of which Ctrl-C reaches.
    fn start(place: &Place) -> Result<Self> {
        let mut command = place.command(&["dev"]);
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn()?;
        let (sender, lines) = mpsc::channel();
        let stdout = process.stdout.take().context("no output")?;
        let stderr = process.stderr.take().context("no errors")?;
        listen(stdout, sender.clone());
        listen(stderr, sender);
        Ok(Self {
            process,
            lines,
            said: String::new(),
        })
    }

    /// Changes a file, which the command must notice.
    fn edit(
        &mut self,
        copy: &Copy,
        path: &str,
        change: impl FnOnce(String) -> String,
    ) -> Result<()> {
        let file = copy.root.join(path);
        let before = fs::read_to_string(&file)?;
        let after = change(before.clone());
        assert_ne!(after, before, "{path}");
        fs::write(&file, after)?;
        self.until(&format!("{path} changed"))
    }

    fn until(&mut self, what: &str) -> Result<()> {
        self.said.clear();
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                bail!("{what} was never said:\n{}", self.said);
            };
            self.said += &line;
            self.said.push('\n');
            if line.contains(what) {
                return Ok(());
            }
        }
    }

    /// Ctrl-C, and all that is said after it.
    fn interrupt(mut self) -> Result<String> {
        let group = Pid::from_raw(self.process.id().cast_signed()).context("no process")?;
        kill_process_group(group, Signal::INT)?;
        let mut said = String::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            said += &line;
            said.push('\n');
        }
        let status = self.process.wait()?;
        assert!(status.success(), "{status}: {said}");
        Ok(said)
    }
}

impl Drop for Dev {
    /// When the test failed.
    fn drop(&mut self) {
        if let (Ok(None), Some(group)) = (
            self.process.try_wait(),
            Pid::from_raw(self.process.id().cast_signed()),
        ) {
            kill_process_group(group, Signal::KILL).ok();
            self.process.wait().ok();
        }
    }
}

fn listen(stream: impl Read + Send + 'static, lines: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
}
