//! `cargo xtask click`: one click through the deployed API, and its record.

use crate::aws::Aws;
use crate::aws::s3::Objects;
use crate::aws::text;
use crate::http;
use crate::progress::{self, Step};
use crate::session::{Outputs, Session};
use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long a record may take: the local stack's buffers hold it for two seconds, a slower
/// configuration for longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often the bucket is looked at.
const INTERVAL: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct Click {
    /// Who clicks
    #[arg(long, default_value = "guest")]
    user: String,
    /// The name or the id of who is clicked on; without it, the first in the catalogue
    #[arg(long)]
    mysfit: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Catalogue {
    mysfits: Vec<Mysfit>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mysfit {
    mysfit_id: String,
    name: String,
}

impl Click {
    pub async fn run(self) -> Result<()> {
        let session = Session::open().await?;
        if session.cloud().running().await?.is_none() {
            bail!("the embedded cloud is not running: run `cargo xtask start`");
        }
        let outputs = session.outputs().await?;
        let client = http::client()?;
        let mysfit = self.choose(&client, &outputs).await?;
        let objects = Objects::new(&Aws::embedded(session.port)?, &outputs.clicks_bucket)?;

        let before = keys(&objects).await?;
        send(&client, &outputs, &self.user, &mysfit).await?;
        eprintln!("{} clicked on {}", self.user, mysfit.name);
        let step = progress::step("waiting for the record in S3");
        let found = wait_for(&objects, before, &step, |record| {
            record["userId"] == self.user && record["mysfitId"] == mysfit.mysfit_id
        });
        let (key, record) = match tokio::time::timeout(PATIENCE, found).await {
            Ok(found) => found?,
            Err(_) => bail!(
                "no record of the click came to s3://{} within {PATIENCE:?}: see `cargo xtask \
                 status` for what became of it, and `cargo xtask logs` for why",
                outputs.clicks_bucket,
            ),
        };
        step.done();
        eprintln!("s3://{}/{key}", outputs.clicks_bucket);
        println!("{record}");
        Ok(())
    }

    async fn choose(&self, client: &Client, outputs: &Outputs) -> Result<Mysfit> {
        let base = outputs.mysfits_api_endpoint.trim_end_matches('/');
        let url = format!("{base}/mysfits");
        let catalogue = async {
            let response = client.get(&url).send().await?.error_for_status()?;
            response.json::<Catalogue>().await
        };
        let mut mysfits = catalogue
            .await
            .with_context(|| format!("the catalogue {url} cannot be read"))?
            .mysfits;
        let Some(wanted) = &self.mysfit else {
            let first = mysfits.into_iter().next();
            return first.with_context(|| format!("the catalogue {url} is empty"));
        };
        let matches = |mysfit: &Mysfit| {
            mysfit.mysfit_id == *wanted || mysfit.name.to_lowercase() == wanted.to_lowercase()
        };
        match mysfits.iter().position(matches) {
            Some(position) => Ok(mysfits.swap_remove(position)),
            None => {
                let names: Vec<&str> = mysfits.iter().map(|mysfit| mysfit.name.as_str()).collect();
                bail!(
                    "no mysfit is called `{wanted}`: there are {}",
                    names.join(", ")
                )
            }
        }
    }
}

async fn send(client: &Client, outputs: &Outputs, user: &str, mysfit: &Mysfit) -> Result<()> {
    let url = &outputs.clicks_endpoint;
    let response = client
        .put(url)
        .json(&json!({ "userId": user, "mysfitId": mysfit.mysfit_id }))
        .send()
        .await
        .with_context(|| format!("the click cannot be sent to {url}"))?;
    let status = response.status();
    if !status.is_success() {
        bail!("{url} answered {status}: {}", response.text().await?);
    }
    Ok(())
}

/// Looks into objects that are new until a line of one is wanted; gives the object's key and the
/// line as it is there. What cannot be read is told, since it may be what is waited for.
async fn wait_for(
    objects: &Objects,
    mut seen: BTreeSet<String>,
    step: &Step,
    wanted: impl Fn(&Value) -> bool,
) -> Result<(String, String)> {
    step.at("in a buffer of the stream");
    let mut others = 0;
    loop {
        for key in keys(objects).await? {
            if !seen.insert(key.clone()) {
                continue;
            }
            let Some(object) = objects.get(&key).await? else {
                continue;
            };
            let text = match text::of(&object.bytes) {
                Ok(text) => text,
                Err(error) => {
                    eprintln!("{key} cannot be read: {error:#}");
                    continue;
                }
            };
            let is_wanted =
                |line: &&str| serde_json::from_str(line).is_ok_and(|record| wanted(&record));
            if let Some(line) = text.lines().find(is_wanted) {
                return Ok((key, line.to_owned()));
            }
            others += 1;
            step.at(&format!(
                "in a buffer of the stream; {others} new objects hold other records"
            ));
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn keys(objects: &Objects) -> Result<BTreeSet<String>> {
    let listed = objects.list("").await?;
    Ok(listed.into_iter().map(|object| object.key).collect())
}
