//! Clicks through the deployed API, and their records in S3.

use crate::place::Place;
use anyhow::{Context, Result, bail};
use reqwest::{Client, StatusCode};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const MYSFIT: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";

/// How long records may take at worst, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_thousand_clicks_from_eight_connections_are_in_s3_exactly_once() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let outputs = place.outputs()?;

    send(&outputs, 1000, 8).await?;
    let records = Records::of(&place, &outputs)?.wait_for(1000).await?;
    assert_eq!(records.len(), 1000);
    let mut by_user = BTreeMap::new();
    for record in &records {
        *by_user.entry(record["userId"].to_string()).or_insert(0) += 1;
        assert_eq!(record["mysfitId"], MYSFIT);
        for name in ["goodevil", "lawchaos", "species", "clickedAt"] {
            assert!(record[name].is_string(), "{record}");
        }
    }
    assert_eq!(by_user.len(), 1000, "a click is missing or came twice");
    place.assert_clean()
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let outputs = place.outputs()?;

    send(&outputs, 200, 4).await?;
    let pid = place.cloud()?.and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.context("no cloud")?, rustix::process::Signal::KILL)?;

    // The next command starts the cloud again, with all that is deployed.
    place.shell("pulumi preview --stack local --expect-no-changes")?;
    let records = Records::of(&place, &outputs)?.wait_for(200).await?;
    let users: std::collections::BTreeSet<String> = records
        .iter()
        .map(|record| record["userId"].to_string())
        .collect();
    assert_eq!(users.len(), 200, "an acknowledged click is lost");
    send(&outputs, 1, 1).await
}

#[test]
fn a_click_shows_its_record() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let record: Value =
        serde_json::from_str(&place.xtask(&["click", "--user", "ada", "--mysfit", MYSFIT])?)?;
    assert_eq!(record["userId"], "ada");
    assert_eq!(record["mysfitId"], MYSFIT);
    assert!(record["species"].is_string(), "{record}");

    let refused = place.try_xtask(&["click", "--mysfit", "Nobody"])?;
    let refused = String::from_utf8(refused.stderr)?;
    assert!(
        refused.contains("no mysfit is called `Nobody`"),
        "{refused}"
    );
    place.assert_clean()
}

/// Sends clicks of users of their own, each of which must be acknowledged.
async fn send(outputs: &Value, clicks: usize, connections: usize) -> Result<()> {
    let url = outputs["clicksEndpoint"].as_str().context("no endpoint")?;
    let senders = (0..connections).map(|connection| async move {
        let client = client()?;
        for click in (connection..clicks).step_by(connections) {
            let response = client
                .put(url)
                .json(&json!({ "userId": format!("user-{click}"), "mysfitId": MYSFIT }))
                .send()
                .await?;
            let status = response.status();
            let answer = response.text().await?;
            if status != StatusCode::OK || answer != r#"{"status":"OK"}"# {
                bail!("click {click}: {status} {answer}");
            }
        }
        Ok(())
    });
    futures::future::try_join_all(senders).await?;
    Ok(())
}

fn client() -> Result<Client> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Ok(Client::builder().no_proxy().build()?)
}

/// The records in the clicks bucket.
struct Records {
    client: Client,
    bucket: Bucket,
    credentials: Credentials,
}

impl Records {
    fn of(place: &Place, outputs: &Value) -> Result<Self> {
        let name = outputs["clicksBucket"].as_str().context("no bucket")?;
        Ok(Self {
            client: client()?,
            bucket: Bucket::new(
                place.aws()?.parse()?,
                UrlStyle::Path,
                name.to_owned(),
                "us-east-1",
            )?,
            credentials: Credentials::new("test", "test"),
        })
    }

    /// All records, as soon as there are that many.
    async fn wait_for(&self, count: usize) -> Result<Vec<Value>> {
        let mut found = 0;
        let wait = async {
            let mut pause = tokio::time::interval(Duration::from_millis(100));
            loop {
                pause.tick().await;
                let records = self.all().await?;
                found = records.len();
                if found >= count {
                    return Ok(records);
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(records) => records,
            Err(_) => bail!("{found} of {count} records came"),
        }
    }

    async fn all(&self) -> Result<Vec<Value>> {
        let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
        list.with_prefix("firehose/");
        let page = ListObjectsV2::parse_response(&self.get(list).await?)?;
        let mut records = Vec::new();
        for object in page.contents {
            let object = self.bucket.get_object(Some(&self.credentials), &object.key);
            for line in self.get(object).await?.lines() {
                records.push(serde_json::from_str(line)?);
            }
        }
        Ok(records)
    }

    async fn get<'a>(&self, action: impl S3Action<'a>) -> Result<String> {
        let url = action.sign(Duration::from_secs(60));
        let response = self.client.get(url).send().await?;
        Ok(response.error_for_status()?.text().await?)
    }
}
