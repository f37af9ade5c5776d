//! A bucket in this process, which counts what it is asked for: as much of S3 as a list and a
//! download need.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many objects a page of a list has, as S3's has.
const PAGE: usize = 1_000;

/// Bucket `clicks`, whose objects are files.
pub struct CountedBucket {
    pub endpoint: String,
    /// In order.
    pub keys: Vec<String>,
    folder: PathBuf,
    gets: AtomicUsize,
}

type Answer = (StatusCode, HeaderMap, Bytes);

impl CountedBucket {
    pub async fn serve(folder: PathBuf, keys: Vec<String>) -> Result<Arc<Self>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let bucket = Arc::new(Self {
            endpoint: format!("http://{}", listener.local_addr()?),
            keys,
            folder,
            gets: AtomicUsize::new(0),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&bucket));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(bucket)
    }

    /// How many objects were fetched since this was asked last.
    pub fn take_gets(&self) -> usize {
        self.gets.swap(0, Ordering::Relaxed)
    }

    fn list(&self, query: &str) -> String {
        let of = |name: &str| {
            let url = reqwest::Url::parse(&format!("http://bucket/?{query}")).ok();
            let value = url.and_then(|url| {
                let mut pairs = url.query_pairs();
                pairs
                    .find(|(found, _)| found == name)
                    .map(|(_, value)| value.into_owned())
            });
            value.unwrap_or_default()
        };
        let (prefix, after) = (
            of("prefix"),
            of("start-after").max(of("continuation-token")),
        );
        let mut found = self
            .keys
            .iter()
            .filter(|key| key.starts_with(&prefix) && **key > after);
        let mut xml =
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
        let page: Vec<&String> = found.by_ref().take(PAGE).collect();
        for key in &page {
            let size = std::fs::metadata(self.folder.join(key)).map_or(0, |file| file.len());
            // Writing to a text does not fail.
            write!(
                xml,
                "<Contents><Key>{key}</Key><ETag>\"1\"</ETag><Size>{size}</Size>\
                 <LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
            )
            .ok();
        }
        if let (Some(_), Some(last)) = (found.next(), page.last()) {
            write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>").ok();
        }
        xml + "<MaxKeys>1000</MaxKeys></ListBucketResult>"
    }
}

async fn answer(State(bucket): State<Arc<CountedBucket>>, uri: Uri) -> Answer {
    let headers =
        HeaderMap::from_iter([(axum::http::header::ETAG, HeaderValue::from_static("\"1\""))]);
    let key = uri
        .path()
        .trim_start_matches("/clicks")
        .trim_start_matches('/');
    if key.is_empty() {
        let list = bucket.list(uri.query().unwrap_or_default());
        return (StatusCode::OK, headers, list.into());
    }
    bucket.gets.fetch_add(1, Ordering::Relaxed);
    match tokio::fs::read(bucket.folder.join(key)).await {
        Ok(bytes) => (StatusCode::OK, headers, bytes.into()),
        Err(_) => (StatusCode::NOT_FOUND, headers, Bytes::new()),
    }
}
