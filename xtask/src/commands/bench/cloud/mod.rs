//! The embedded cloud, beside two emulators of AWS in Python: all on this machine, one after the
//! other, with the same client.
//!
//! The three do not do the same. The embedded cloud has stack `local` deployed: it verifies every
//! signature, asks the policies, writes a record to disk before it answers, and has the processor
//! enrich it. The emulators have a bucket and a stream without a processor, verify no signature,
//! and keep all in memory.

pub mod builds;
mod load;
mod own;
mod rival;
mod table;

use crate::aws::credentials::Credentials;
use crate::aws::s3::Objects;
use crate::aws::{Aws, FIREHOSE};
use crate::http;
use crate::memory::resident;
use anyhow::{Context, Result, bail};
use load::Load;
use reqwest::{Client, Request};
use rival::{MINISTACK, MOTO, Rival};
use serde_json::json;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How many records go into the stream, and then how many objects into the bucket and out of it.
const RECORDS: usize = 30_000;
const OBJECTS: usize = 10_000;

/// The size of both.
const BYTES: usize = 200;

/// Of so many starts the median is taken.
const STARTS: usize = 5;

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured of one.
#[derive(Debug)]
pub struct Figures {
    name: String,
    start: Duration,
    at_rest: u64,
    put_record: Load,
    after_records: u64,
    put_object: Load,
    get_object: Load,
    clicks: Option<Clicks>,
}

/// Clicks through the API, until their records are in S3.
#[derive(Debug)]
pub struct Clicks {
    accepted: Load,
    stored: Duration,
    /// Once more while nobody reads a large log, and while it is searched.
    searched: Option<(Load, Load)>,
}

pub async fn run(root: &Path) -> Result<()> {
    let programs = rival::install().await?;
    let mut all = vec![own::measure(root).await?];
    eprint!("{}", table::list(&all[0]));
    for rival in [MINISTACK, MOTO] {
        let figures = measure(&rival, &programs).await?;
        eprint!("{}", table::list(&figures));
        all.push(figures);
    }
    print!("{}", table::table(&all));
    Ok(())
}

/// What is measured: a service that runs.
pub struct Target<'a> {
    pub aws: &'a Aws,
    pub process: u32,
    pub stream: &'a str,
    pub bucket: &'a str,
}

async fn measure(rival: &Rival, programs: &Path) -> Result<Figures> {
    let folder = tempfile::tempdir()?;
    let command = || {
        let port = free_port()?;
        Ok((rival.command(programs, port, folder.path()), port))
    };
    let start = median_start(|_| command()).await?;
    let (command, port) = command()?;
    let (mut process, _) = first_answer(command, port).await?;
    let aws = Aws::at(http::client()?, address(port), Credentials::embedded());
    let (stream, bucket) = ("clicks", "clicks-bucket");
    let figures = async {
        prepare(&aws, stream, bucket).await?;
        let process = process.id().context("it has ended")?;
        let target = Target {
            aws: &aws,
            process,
            stream,
            bucket,
        };
        target.measure(rival.name, start).await
    };
    let figures = figures.await;
    process.kill().await?;
    figures
}

/// A bucket, and a stream into it.
async fn prepare(aws: &Aws, stream: &str, bucket: &str) -> Result<()> {
    Objects::new(aws, bucket)?.create().await?;
    let destination = json!({
        "RoleARN": "arn:aws:iam::000000000000:role/delivery",
        "BucketARN": format!("arn:aws:s3:::{bucket}"),
    });
    let input = json!({
        "DeliveryStreamName": stream,
        "DeliveryStreamType": "DirectPut",
        "ExtendedS3DestinationConfiguration": destination,
    });
    aws.json(FIREHOSE, "CreateDeliveryStream", &input).await?;
    Ok(())
}

impl Target<'_> {
    async fn measure(&self, name: &str, start: Duration) -> Result<Figures> {
        let client = &self.aws.client;
        let resident = || resident(self.process).context("it has ended");
        let at_rest = resident()?;
        let record = json!({
            "DeliveryStreamName": self.stream,
            "Record": { "Data": base64_of(&click(0)) },
        });
        // The same request every time, signed once.
        let record = self.aws.request(FIREHOSE, "PutRecord", &record)?.build()?;
        let put_record = load::send(client, copies(&record, RECORDS)?).await?;
        let after_records = resident()?;

        let (put_object, get_object) = self.objects().await?;
        Ok(Figures {
            name: name.to_owned(),
            start,
            at_rest,
            put_record,
            after_records,
            put_object,
            get_object,
            clicks: None,
        })
    }

    /// Objects put, and got.
    async fn objects(&self) -> Result<(Load, Load)> {
        let client = &self.aws.client;
        let objects = Objects::new(self.aws, self.bucket)?;
        let body = "x".repeat(BYTES);
        let keys: Vec<String> = (0..OBJECTS)
            .map(|number| format!("bench/{number}"))
            .collect();
        let puts = keys.iter().map(|key| {
            let put = client.put(objects.url_to_put(key));
            Ok(put.body(body.clone()).build()?)
        });
        let put_object = load::send(client, puts.collect::<Result<_>>()?).await?;
        let gets = keys[..put_object.requests]
            .iter()
            .map(|key| Ok(client.get(objects.url_to_get(key)).build()?));
        let get_object = load::send(client, gets.collect::<Result<_>>()?).await?;
        Ok((put_object, get_object))
    }
}

/// A click of the size that everything is measured with: with as long a user's id as the API takes,
/// and blanks after it.
fn click(number: usize) -> String {
    let mysfit = "b41ff031-141e-4a8d-bb56-158a22bea0b3";
    let click = json!({ "userId": format!("{number:0128}"), "mysfitId": mysfit });
    format!("{:BYTES$}", click.to_string())
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn copies(request: &Request, count: usize) -> Result<Vec<Request>> {
    let copies = (0..count).map(|_| request.try_clone().context("a request has no bytes"));
    copies.collect()
}

/// From the start of the process to its first answer. `command` gives it for each run, with the
/// port at which it will answer.
async fn median_start(command: impl Fn(usize) -> Result<(Command, u16)>) -> Result<Duration> {
    let mut times = Vec::new();
    for run in 0..STARTS {
        let (command, port) = command(run)?;
        let (mut process, time) = first_answer(command, port).await?;
        process.kill().await?;
        times.push(time);
    }
    times.sort();
    Ok(times[STARTS / 2])
}

/// Starts a process and waits for an answer, whatever it is, at its port.
async fn first_answer(mut command: Command, port: u16) -> Result<(Child, Duration)> {
    let client = http::client()?;
    let name = command.as_std().get_program().display().to_string();
    let started = Instant::now();
    let mut process = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    while !answers(&client, port).await {
        if let Some(status) = process.try_wait()? {
            bail!("{name} ended: {status}");
        }
        if started.elapsed() > PATIENCE {
            bail!("{name} gives no answer");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok((process, started.elapsed()))
}

async fn answers(client: &Client, port: u16) -> bool {
    client.get(address(port)).send().await.is_ok()
}

fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
