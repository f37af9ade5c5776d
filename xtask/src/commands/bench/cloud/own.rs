//! The embedded cloud: built for release, with stack `local` deployed.

use super::super::place;
use super::load::{self, Load};
use super::{Clicks, Figures, Target, click, median_start};
use crate::aws::{Aws, LOGS};
use crate::binaries;
use crate::commands::package;
use crate::http;
use crate::ports;
use crate::session::{LOCAL, Session};
use crate::tools;
use crate::variables::endpoint;
use anyhow::{Context, Result, bail};
use futures::future::try_join_all;
use reqwest::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::process::Command;

/// How many clicks go through the API.
const CLICKS: usize = 10_000;

/// How large a log is that is searched while clicks come in, and by how many at once.
pub const LOG_BYTES: usize = 64 * 1024 * 1024;
const AT_ONCE: usize = 3;

/// How long its lines are, and how many are put at once.
const MESSAGE: usize = 200;
const EVENTS: usize = 2_000;

/// How long a stream may take until nothing waits in it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The build of this checkout.
pub async fn measure(root: &Path) -> Result<Figures> {
    let program = binaries::released_cloud(root).await?;
    of_build(root, &program, Searches::While).await
}

/// Whether clicks are measured while a large log is searched too, which takes a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Searches {
    While,
    Never,
}

/// Any build, with the stack of this checkout.
pub async fn of_build(root: &Path, program: &Path, searches: Searches) -> Result<Figures> {
    let folder = tempfile::tempdir()?;
    let start = median_start(|run| {
        let home = folder.path().join(run.to_string());
        let first = ports::free(&home)?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--home").arg(home);
        command.arg("--port").arg(first.to_string());
        // AWS's protocols are at the second port.
        Ok((command, first + 1))
    })
    .await?;
    place::with_cloud(root, Some(program), async |session| {
        deployed(session, start, searches).await
    })
    .await
}

async fn deployed(session: &Session, start: Duration, searches: Searches) -> Result<Figures> {
    let mut up = session.pulumi(&["up", "--yes", "--skip-preview", "--suppress-outputs"]);
    let folder = tempfile::tempdir()?;
    up.args(["--stack", LOCAL, "--config-file"])
        .arg(package::released(&session.checkout.root, folder.path())?)
        .stdout(std::process::Stdio::null());
    tools::run(&mut up, "pulumi up").await?;
    let running = session.cloud().running().await?;
    let outputs = session.raw_outputs().await?;
    let output = |name: &str| {
        let output = outputs[name].as_str();
        output.with_context(|| format!("stack {LOCAL} has no output {name}"))
    };
    let target = Target {
        aws: &Aws::embedded(session.port)?,
        process: running.context("the cloud has ended")?.pid.try_into()?,
        stream: output("deliveryStream")?,
        bucket: output("clicksBucket")?,
    };
    let mut figures = target.measure("embedded cloud", start).await?;
    drained(session.port).await?;
    let url = output("clicksEndpoint")?;
    let (accepted, stored) = clicks(url, session.port).await?;
    let searched = match searches {
        Searches::While => Some(searched(target.aws, url, session.port).await?),
        Searches::Never => None,
    };
    figures.clicks = Some(Clicks {
        accepted,
        stored,
        searched,
    });
    Ok(figures)
}

/// Clicks while nobody reads a large log, and while it is searched all the time.
async fn searched(aws: &Aws, url: &str, port: u16) -> Result<(Load, Load)> {
    let groups = aws.json(LOGS, "DescribeLogGroups", &json!({})).await?;
    let group = groups["logGroups"][0]["logGroupName"].as_str();
    let group = group.context("there is no log group")?;
    let stream = json!({ "logGroupName": group, "logStreamName": "bench" });
    aws.json(LOGS, "CreateLogStream", &stream).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let event = json!({ "timestamp": u64::try_from(now)?, "message": "x".repeat(MESSAGE) });
    let mut lines = stream.clone();
    lines["logEvents"] = vec![event; EVENTS].into();
    for _ in 0..LOG_BYTES / (MESSAGE * EVENTS) {
        aws.json(LOGS, "PutLogEvents", &lines).await?;
    }
    let (without, _) = clicks(url, port).await?;
    let search = json!({ "logGroupName": group, "filterPattern": "\"what no line says\"" });
    let searching = || async {
        loop {
            aws.json(LOGS, "FilterLogEvents", &search).await?;
        }
    };
    let searching: Vec<_> = (0..AT_ONCE).map(|_| searching()).collect();
    tokio::select! {
        clicks = clicks(url, port) => Ok((without, clicks?.0)),
        ended = try_join_all(searching) => {
            let ended: Result<Vec<()>> = ended;
            ended?;
            bail!("a search that never ends has ended")
        }
    }
}

async fn clicks(url: &str, port: u16) -> Result<(Load, Duration)> {
    let client = http::client()?;
    let requests = (0..CLICKS).map(|number| request(&client, url, number));
    let requests = requests.collect::<Result<_>>()?;
    let started = Instant::now();
    let accepted: Load = load::send(&client, requests).await?;
    drained(port).await?;
    Ok((accepted, started.elapsed()))
}

fn request(client: &Client, url: &str, number: usize) -> Result<reqwest::Request> {
    let put = client.put(url).header("content-type", "application/json");
    Ok(put.body(click(number)).build()?)
}

/// Waits until all that the streams have accepted is in S3.
async fn drained(port: u16) -> Result<()> {
    let client = http::client()?;
    let url = format!("{}/_mysfits/health", endpoint(port));
    let drained = async {
        loop {
            let health: Value = client.get(&url).send().await?.json().await?;
            let streams = health["streams"].as_array().context("no streams")?;
            if streams.iter().all(|stream| stream["waiting"] == 0) {
                let failed = streams.iter().find(|stream| stream["failed"] != 0);
                return match failed {
                    Some(stream) => bail!("records failed: {stream}"),
                    None => Ok(()),
                };
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, drained).await {
        Ok(drained) => drained,
        Err(_) => bail!("the stream has records that wait after {PATIENCE:?}"),
    }
}
