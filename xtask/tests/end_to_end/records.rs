//! The records in the clicks bucket, read as anybody reads S3.

use crate::place::Place;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Client;
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::Value;
use std::time::Duration;

/// How long records may take at worst, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn client() -> Result<Client> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Ok(Client::builder().no_proxy().build()?)
}

/// What became of a click that was accepted.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    Stored,
    /// It is among the failed ones, with this code.
    Failed(String),
}

/// The records in the clicks bucket.
pub struct Records {
    client: Client,
    bucket: Bucket,
    credentials: Credentials,
    prefix: &'static str,
}

impl Records {
    pub fn of(place: &Place, outputs: &Value) -> Result<Self> {
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
            prefix: "firehose/",
        })
    }

    /// Those that failed.
    pub fn failed(place: &Place, outputs: &Value) -> Result<Self> {
        Ok(Self {
            prefix: "processing-failed/",
            ..Self::of(place, outputs)?
        })
    }

    /// All records, as soon as there are that many.
    pub async fn wait_for(&self, count: usize) -> Result<Vec<Value>> {
        self.wait_until(|records| records.len() >= count)
            .await
            .with_context(|| format!("waiting for {count} records"))
    }

    /// All records, as soon as they are what is waited for.
    pub async fn wait_until(&self, enough: impl Fn(&[Value]) -> bool) -> Result<Vec<Value>> {
        let mut found = 0;
        let wait = async {
            let mut pause = tokio::time::interval(Duration::from_millis(100));
            loop {
                pause.tick().await;
                let records = self.all().await?;
                found = records.len();
                if enough(&records) {
                    return Ok(records);
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(records) => records,
            Err(_) => bail!("only {found} records came"),
        }
    }

    /// The text of an object in another bucket.
    pub async fn text(&self, bucket: &str, key: &str) -> Result<String> {
        let bucket = self.other(bucket)?;
        self.get(bucket.get_object(Some(&self.credentials), key))
            .await
    }

    fn other(&self, bucket: &str) -> Result<Bucket> {
        let endpoint = self.bucket.base_url().join("/")?;
        let bucket = Bucket::new(endpoint, UrlStyle::Path, bucket.to_owned(), "us-east-1")?;
        Ok(bucket)
    }

    /// Puts an object of JSON into a bucket.
    pub async fn put_json(&self, bucket: &str, key: &str, json: String) -> Result<()> {
        let bucket = self.other(bucket)?;
        let url = bucket
            .put_object(Some(&self.credentials), key)
            .sign(Duration::from_secs(60));
        let request = self
            .client
            .put(url)
            .header("content-type", "application/json");
        request.body(json).send().await?.error_for_status()?;
        Ok(())
    }

    /// What becomes of the click of this user.
    pub async fn fate_of(&self, user: &str) -> Result<Fate> {
        let wait = async {
            let mut pause = tokio::time::interval(Duration::from_millis(100));
            loop {
                pause.tick().await;
                if let Some(fate) = self.look_for(user).await? {
                    return Ok(fate);
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(fate) => fate,
            Err(_) => bail!("the click of {user} is nowhere"),
        }
    }

    async fn look_for(&self, user: &str) -> Result<Option<Fate>> {
        if self
            .under("firehose/")
            .await?
            .iter()
            .any(|one| one["userId"] == user)
        {
            return Ok(Some(Fate::Stored));
        }
        for failed in self.under("processing-failed/").await? {
            let data = failed["rawData"].as_str().unwrap_or_default();
            let click: Value = serde_json::from_slice(&STANDARD.decode(data)?)?;
            if click["userId"] == user {
                let code = failed["errorCode"].as_str().unwrap_or_default();
                return Ok(Some(Fate::Failed(code.to_owned())));
            }
        }
        Ok(None)
    }

    async fn all(&self) -> Result<Vec<Value>> {
        self.under(self.prefix).await
    }

    async fn under(&self, prefix: &str) -> Result<Vec<Value>> {
        let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
        list.with_prefix(prefix);
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
