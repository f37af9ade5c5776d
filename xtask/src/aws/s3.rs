//! Objects of a bucket: listed, read, and written on a condition.

use super::Aws;
use anyhow::{Context, Result, bail};
use reqwest::{Client, StatusCode, Url, header};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// For how long the signature of a request holds.
const SIGNATURE: Duration = Duration::from_secs(300);

/// How long an object may take, which can be as large as Firehose makes it: 128 MiB.
const DOWNLOAD: Duration = Duration::from_secs(300);

/// A bucket, and the keys to it.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: Bucket,
    credentials: Credentials,
}

/// An object as a list has it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub key: String,
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<OffsetDateTime>,
}

/// An object's bytes and entity tag.
#[derive(Debug, Clone)]
pub struct Object {
    pub bytes: Vec<u8>,
    pub etag: String,
}

impl Objects {
    pub fn new(aws: &Aws, bucket: &str) -> Result<Self> {
        let (endpoint, style) = match aws.endpoint("S3") {
            Some(endpoint) => (endpoint, UrlStyle::Path),
            None => (
                format!("https://s3.{}.{}", aws.region, aws.domain()),
                UrlStyle::VirtualHost,
            ),
        };
        let endpoint = endpoint
            .parse()
            .with_context(|| format!("{endpoint} is no address"))?;
        Ok(Self {
            client: aws.client.clone(),
            bucket: Bucket::new(endpoint, style, bucket.to_owned(), aws.region.clone())
                .with_context(|| format!("{bucket} is no bucket's name"))?,
            credentials: aws.credentials.s3(),
        })
    }

    /// Whether there is the bucket, of this account.
    pub async fn exists(&self) -> Result<bool> {
        let head = self.bucket.head_bucket(Some(&self.credentials));
        let response = self.client.head(head.sign(SIGNATURE)).send().await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            status => bail!("bucket {} answered {status}", self.bucket.name()),
        }
    }

    /// All objects whose key begins like this.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Listed>> {
        self.list_after(prefix, "").await
    }

    /// Those of them whose key is greater than another.
    pub async fn list_after(&self, prefix: &str, after: &str) -> Result<Vec<Listed>> {
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let mut list = self.bucket.list_objects_v2(Some(&self.credentials));
            list.with_prefix(prefix);
            if !after.is_empty() {
                list.with_start_after(after);
            }
            if let Some(token) = &token {
                list.with_continuation_token(token);
            }
            let response = self.client.get(list.sign(SIGNATURE)).send().await?;
            let text = self.succeeded(response).await?.text().await?;
            let page = ListObjectsV2::parse_response(&text)?;
            objects.extend(page.contents.into_iter().map(|object| {
                Listed {
                    key: object.key,
                    etag: object.etag.unwrap_or_default(),
                    size: object.size.unwrap_or_default(),
                    modified: object
                        .last_modified
                        .and_then(|time| OffsetDateTime::parse(&time, &Rfc3339).ok()),
                }
            }));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    /// An object, if there is one of this key.
    pub async fn get(&self, key: &str) -> Result<Option<Object>> {
        let request = self.client.get(self.url_to_get(key)).timeout(DOWNLOAD);
        let response = request.send().await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self.succeeded(response).await?;
        Ok(Some(Object {
            etag: etag(&response)?,
            bytes: response.bytes().await?.into(),
        }))
    }

    /// Writes an object over the one of this entity tag, or where there is none; gives the new
    /// tag. Nothing is written, and nothing given, when that is not what is there.
    pub async fn put_over(
        &self,
        key: &str,
        over: Option<&str>,
        bytes: Vec<u8>,
    ) -> Result<Option<String>> {
        let (name, value) = match over {
            Some(etag) => (header::IF_MATCH, etag),
            None => (header::IF_NONE_MATCH, "*"),
        };
        let mut put = self.bucket.put_object(Some(&self.credentials), key);
        put.headers_mut().insert(name.as_str(), value);
        let request = self.client.put(put.sign(SIGNATURE)).header(name, value);
        let response = request.body(bytes).send().await?;
        let status = response.status();
        if [StatusCode::PRECONDITION_FAILED, StatusCode::CONFLICT].contains(&status) {
            return Ok(None);
        }
        Ok(Some(etag(&self.succeeded(response).await?)?))
    }

    /// Writes an object with these headers, over whatever is there.
    pub async fn put(&self, key: &str, bytes: Vec<u8>, headers: &[(&str, &str)]) -> Result<()> {
        let mut put = self.bucket.put_object(Some(&self.credentials), key);
        for (name, value) in headers {
            put.headers_mut()
                .insert(name.to_string(), value.to_string());
        }
        let mut request = self.client.put(put.sign(SIGNATURE));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(bytes).send().await?;
        self.succeeded(response).await?;
        Ok(())
    }

    /// Creates the bucket.
    pub async fn create(&self) -> Result<()> {
        let create = self.bucket.create_bucket(&self.credentials);
        let request = self.client.put(create.sign(SIGNATURE));
        // The client leaves it out when there is no body, and not every server takes that.
        let request = request.header(header::CONTENT_LENGTH, 0);
        let response = request.send().await?;
        self.succeeded(response).await?;
        Ok(())
    }

    /// Where anybody can put an object for a while.
    pub fn url_to_put(&self, key: &str) -> Url {
        let put = self.bucket.put_object(Some(&self.credentials), key);
        put.sign(SIGNATURE)
    }

    /// Where anybody can get an object for a while.
    pub fn url_to_get(&self, key: &str) -> Url {
        let get = self.bucket.get_object(Some(&self.credentials), key);
        get.sign(SIGNATURE)
    }

    async fn succeeded(&self, response: reqwest::Response) -> Result<reqwest::Response> {
        let status = response.status();
        if !status.is_success() {
            let text = response.text().await.unwrap_or_default();
            bail!(
                "bucket {} answered {status}: {}",
                self.bucket.name(),
                said(&text)
            );
        }
        Ok(response)
    }
}

/// What an error's document says, without its XML.
fn said(text: &str) -> String {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (content, _) = rest.split_once(&format!("</{name}>"))?;
        Some(content.trim().to_owned())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text.trim().to_owned(),
    }
}

fn etag(response: &reqwest::Response) -> Result<String> {
    let etag = response.headers().get(header::ETAG);
    let etag = etag.context("S3 answered without an ETag")?;
    Ok(etag.to_str()?.to_owned())
}
