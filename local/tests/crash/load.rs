//! Producers that put numbered records on a stream, until the cloud is gone.

use crate::daemon::Daemon;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_core::identity::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How many connections put records.
const CONNECTIONS: usize = 8;

/// No two records have the same number.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What a record says, which ends in its number.
pub type Text = fn(u64) -> String;

/// One in ten is for the function to fail.
pub fn usual(number: u64) -> String {
    match number % 10 {
        0 => format!("fail {number}\n"),
        _ => format!("record {number}\n"),
    }
}

/// What came of a call.
enum Answer {
    Taken(Vec<u64>),
    Refused,
}

/// Producers at work.
pub struct Load {
    answers: mpsc::UnboundedReceiver<Answer>,
    producers: JoinSet<()>,
    acknowledged: BTreeSet<u64>,
}

impl Load {
    pub fn start(daemon: &Daemon, text: Text) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let mut producers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            producers.spawn(produce(daemon.aws(), text, sender.clone()));
        }
        Self {
            answers,
            producers,
            acknowledged: BTreeSet::new(),
        }
    }

    /// Waits until so many more calls were answered well.
    pub async fn taken(&mut self, calls: u64) -> Result<()> {
        let mut left = calls;
        while left > 0 {
            if let Answer::Taken(numbers) = self.answers.recv().await.context("an answer")? {
                self.acknowledged.extend(numbers);
                left -= 1;
            }
        }
        Ok(())
    }

    /// Waits until so many calls in a row were refused.
    pub async fn refused(&mut self, calls: u64) -> Result<()> {
        let mut left = calls;
        while left > 0 {
            match self.answers.recv().await.context("an answer")? {
                Answer::Taken(numbers) => {
                    self.acknowledged.extend(numbers);
                    left = calls;
                }
                Answer::Refused => left -= 1,
            }
        }
        Ok(())
    }

    /// Kills the cloud under the load; gives what it had acknowledged.
    pub async fn kill(mut self, daemon: &mut Daemon) -> Result<BTreeSet<u64>> {
        daemon.child.kill().await?;
        self.producers.join_all().await;
        while let Some(answer) = self.answers.recv().await {
            if let Answer::Taken(numbers) = answer {
                self.acknowledged.extend(numbers);
            }
        }
        Ok(self.acknowledged)
    }
}

/// Puts records, each with a number of its own, until the cloud is gone. One call in four is a
/// batch.
async fn produce(aws: String, text: Text, answers: mpsc::UnboundedSender<Answer>) {
    // The test that was first has done it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    loop {
        let count = match NEXT.load(Ordering::Relaxed) % 4 {
            0 => 20,
            _ => 1,
        };
        let first = NEXT.fetch_add(count, Ordering::Relaxed);
        let numbers: Vec<_> = (first..first + count).collect();
        let record = |number: &u64| json!({ "Data": STANDARD.encode(text(*number)) });
        let (action, input) = match numbers.as_slice() {
            [number] => ("PutRecord", json!({ "Record": record(number) })),
            numbers => {
                let records: Vec<_> = numbers.iter().map(record).collect();
                ("PutRecordBatch", json!({ "Records": records }))
            }
        };
        let Ok(answer) = call(&client, &aws, action, input).await else {
            return;
        };
        // Of a batch all or none are taken.
        let taken = answer["FailedPutCount"] == 0 || answer["RecordId"].is_string();
        let answer = match taken {
            true => Answer::Taken(numbers),
            false => Answer::Refused,
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

/// The body of the answer, whatever its status; no answer at all is an error.
async fn call(
    client: &reqwest::Client,
    aws: &str,
    action: &str,
    mut input: Value,
) -> Result<Value> {
    input["DeliveryStreamName"] = "s".into();
    let body = input.to_string();
    let target = format!("Firehose_20150804.{action}");
    let date = OffsetDateTime::now_utc().format(format_description!(
        "[year][month][day]T[hour][minute][second]Z"
    ))?;
    let response = client
        .post(format!("http://{aws}/"))
        .header("x-amz-target", &target)
        .header("x-amz-date", &date)
        .header("content-type", "application/x-amz-json-1.1")
        .header("authorization", authorization(aws, &target, &date, &body)?)
        .body(body)
        .send()
        .await?;
    Ok(response.json().await?)
}

/// Signature version 4 of a request to Firehose.
fn authorization(host: &str, target: &str, date: &str, body: &str) -> Result<String> {
    const HEADERS: &str = "host;x-amz-date;x-amz-target";
    let scope = format!("{}/us-east-1/firehose/aws4_request", &date[..8]);
    let canonical = format!(
        "POST\n/\n\nhost:{host}\nx-amz-date:{date}\nx-amz-target:{target}\n\n{HEADERS}\n{}",
        hex(&Sha256::digest(body))
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{SECRET_ACCESS_KEY}").into_bytes();
    for part in scope.split('/').chain([text.as_str()]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(part.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    Ok(format!(
        "AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/{scope}, SignedHeaders={HEADERS}, \
         Signature={}",
        hex(&key)
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
