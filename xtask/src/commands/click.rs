//! `cargo xtask click`: one click through the deployed API, and its record.

use crate::aws::s3::Objects;
use crate::aws::text;
use crate::http;
use crate::progress::{self, Step};
use crate::session::LOCAL;
use crate::stack::Stack;
use anyhow::{Context, Result, bail};
use clap::Args;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// How long a record may take beside what the stream's buffers may hold it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Firehose's own intervals, where a stream names none.
const INTERVALS: [u64; 2] = [300, 60];

/// How far two clocks may differ.
const CLOCKS: Duration = Duration::from_secs(300);

/// How often the bucket is looked at.
const INTERVAL: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct Click {
    /// The stack whose API is called
    #[arg(short, long, default_value = LOCAL)]
    stack: String,
    /// Seconds that the record may take; without it, as long as the stream's buffers may hold it,
    /// and two minutes
    #[arg(long, value_name = "SECONDS")]
    within: Option<u64>,
    /// Who clicks
    #[arg(long, default_value = "guest")]
    user: String,
    /// The name or the id of the mysfit that is clicked on; without it, the first in the catalogue
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
        let stack = Stack::open(&self.stack).await?;
        let client = match self.stack == LOCAL {
            true => http::client()?,
            false => http::client_of_environment()?,
        };
        let mysfit = self.choose(&client, &stack).await?;
        let bucket = stack.output("clicksBucket")?;
        let objects = Objects::new(&stack.aws, bucket)?;
        let place = Place::of(&stack)?;
        let patience = match self.within {
            Some(seconds) => Duration::from_secs(seconds),
            None => place.held + PATIENCE,
        };

        // Its id tells it from all other clicks, also from those of the same user.
        let id = Uuid::new_v4().to_string();
        send(&client, &stack, &self.user, &mysfit, &id).await?;
        eprintln!("{} clicked on {}", self.user, mysfit.name);
        let step = progress::step("waiting for the record in S3");
        let found = wait_for(&objects, &place, &step, |record| record["clickId"] == *id);
        let (key, record) = match tokio::time::timeout(patience, found).await {
            Ok(found) => found?,
            Err(_) => bail!(
                "no record of the click {id} came to s3://{bucket} within {patience:?}: see \
                 `cargo xtask logs -s {name}` for why{status}",
                name = self.stack,
                status = match self.stack == LOCAL {
                    true => ", and `cargo xtask status` for what became of it",
                    false => "",
                },
            ),
        };
        step.done();
        eprintln!("s3://{bucket}/{key}");
        println!("{record}");
        Ok(())
    }

    async fn choose(&self, client: &Client, stack: &Stack) -> Result<Mysfit> {
        let base = stack.output("mysfitsApiEndpoint")?.trim_end_matches('/');
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

async fn send(client: &Client, stack: &Stack, user: &str, mysfit: &Mysfit, id: &str) -> Result<()> {
    let url = stack.output("clicksEndpoint")?;
    let response = client
        .put(url)
        .json(&json!({ "userId": user, "mysfitId": mysfit.mysfit_id, "clickId": id }))
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
    place: &Place,
    step: &Step,
    wanted: impl Fn(&Value) -> bool,
) -> Result<(String, String)> {
    step.at("in a buffer of the stream");
    let mut others = 0;
    let mut seen = BTreeSet::new();
    loop {
        for key in keys(objects, place).await? {
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

async fn keys(objects: &Objects, place: &Place) -> Result<BTreeSet<String>> {
    let listed = objects.list_after(&place.prefix, &place.after).await?;
    Ok(listed.into_iter().map(|object| object.key).collect())
}

/// Where the record will be.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// What its key begins with.
    prefix: String,
    /// A key that is before its own: a bucket may hold the clicks of years.
    after: String,
    /// How long the stream's buffers may hold it.
    held: Duration,
}

impl Place {
    fn of(stack: &Stack) -> Result<Self> {
        let name = stack.output("deliveryStream")?;
        let stream = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";
        let stream = stack.find(stream, "name", name)?;
        // By the clock of a while ago, since that of the cloud may be another.
        let since = OffsetDateTime::now_utc() - CLOCKS;
        Ok(Self::in_stream(
            &stream.outputs["extendedS3Configuration"],
            since,
        ))
    }

    /// Firehose puts the hour after a prefix that has no expressions:
    /// <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>
    fn in_stream(destination: &Value, since: OffsetDateTime) -> Self {
        let prefix = destination["prefix"].as_str().unwrap_or_default();
        let (fixed, after) = match prefix.split_once("!{") {
            Some((fixed, _)) => (fixed, String::new()),
            None => {
                let (year, month, day, hour) = (
                    since.year(),
                    u8::from(since.month()),
                    since.day(),
                    since.hour(),
                );
                (
                    prefix,
                    format!("{prefix}{year:04}/{month:02}/{day:02}/{hour:02}"),
                )
            }
        };
        let seconds = |value: &Value| match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        let processors = destination["processingConfiguration"]["processors"].as_array();
        let parameters = processors
            .into_iter()
            .flatten()
            .filter_map(|one| one["parameters"].as_array());
        let mut parameters = parameters.flatten();
        let lambda = parameters.find(|one| one["parameterName"] == "BufferIntervalInSeconds");
        let held = [
            seconds(&destination["bufferingInterval"]).unwrap_or(INTERVALS[0]),
            lambda
                .and_then(|one| seconds(&one["parameterValue"]))
                .unwrap_or(INTERVALS[1]),
        ];
        Self {
            prefix: fixed.to_owned(),
            after,
            held: Duration::from_secs(held.iter().sum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn only_keys_of_this_hour_are_looked_at_where_the_prefix_tells() {
        let since = datetime!(2026-01-02 03:04 UTC);
        let place = Place::in_stream(
            &json!({ "prefix": "firehose/", "bufferingInterval": 60 }),
            since,
        );
        assert_eq!(place.after, "firehose/2026/01/02/03");
        assert_eq!(place.held, Duration::from_secs(120));
        let own = Place::in_stream(
            &json!({ "prefix": "a/!{timestamp:HH}/", "bufferingInterval": 1 }),
            since,
        );
        assert_eq!((own.prefix.as_str(), own.after.as_str()), ("a/", ""));
    }
}
