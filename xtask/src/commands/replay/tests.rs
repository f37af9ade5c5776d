//! Replays against a bucket and a stream in this process, which fail as they are told to.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::aws::credentials::Credentials;
use crate::http;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

const KEY: &str = "processing-failed/2026/11/23/16/clicks-1";

/// What the stream does with a request.
enum Step {
    /// Takes the records at even positions alone.
    Half,
    Throttle,
    /// Takes all and says that something broke.
    Break,
    /// Takes all and never answers.
    Hang,
}

#[derive(Default)]
struct Fake {
    /// By key, with how often each was written.
    objects: BTreeMap<String, (Vec<u8>, usize)>,
    steps: VecDeque<Step>,
    taken: Vec<String>,
}

type Shared = Arc<(Mutex<Fake>, Notify)>;

/// A bucket with one object of failed records, and its stream.
struct Cloud {
    shared: Shared,
    aws: Aws,
}

impl Cloud {
    async fn start(records: usize, steps: impl IntoIterator<Item = Step>) -> Result<Self> {
        let lines: String = (0..records).map(line).collect();
        let shared = Shared::default();
        {
            let mut fake = shared.0.lock().unwrap();
            fake.objects.insert(KEY.to_owned(), (lines.into_bytes(), 1));
            fake.steps.extend(steps);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = axum::Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self {
            shared,
            aws: Aws::at(http::client()?, endpoint, Credentials::embedded()),
        })
    }

    async fn replay(&self, selection: Selection) -> Result<(Report, Result<()>)> {
        let source = Source {
            aws: &self.aws,
            stream: "clicks",
            objects: Objects::new(&self.aws, "bucket")?,
            place: Place::of(&json!({ "errorOutputPrefix": "!{firehose:error-output-type}/" })),
        };
        source
            .replay(selection, false, CancellationToken::new())
            .await
    }

    fn taken(&self) -> Vec<String> {
        let mut taken = self.shared.0.lock().unwrap().taken.clone();
        taken.sort();
        taken
    }
}

/// The third record failed long before the others.
fn line(number: usize) -> String {
    let failed_at = if number == 3 {
        1_000
    } else {
        1_700_000_000_000_i64
    };
    let line = json!({
        "rawData": data(number),
        "errorCode": "Lambda.FunctionError",
        "errorMessage": "no",
        "attemptEndingTimestamp": failed_at,
    });
    format!("{line}\n")
}

fn data(number: usize) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(format!("record {number:04}"))
}

fn all(records: usize) -> Vec<String> {
    let mut all: Vec<String> = (0..records).map(data).collect();
    all.sort();
    all
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers.contains_key("x-amz-target") {
        return put_record_batch(&shared, &body).await;
    }
    let mut fake = shared.0.lock().unwrap();
    let key = uri
        .path()
        .trim_start_matches("/bucket")
        .trim_start_matches('/');
    let etag = |(_, writings): &(Vec<u8>, usize)| format!("\"{key}-{writings}\"");
    if key.is_empty() {
        return list(&fake, uri.query().unwrap_or_default()).into_response();
    }
    let there = fake.objects.get(key);
    if method == Method::GET {
        return match there {
            Some(object) => ([(header::ETAG, etag(object))], object.0.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let expected = headers
        .get(header::IF_MATCH)
        .map(|tag| tag.to_str().unwrap().to_owned());
    if expected != there.map(etag) {
        return StatusCode::PRECONDITION_FAILED.into_response();
    }
    let object = (body.to_vec(), there.map_or(0, |there| there.1) + 1);
    let tag = etag(&object);
    fake.objects.insert(key.to_owned(), object);
    [(header::ETAG, tag)].into_response()
}

fn list(fake: &Fake, query: &str) -> String {
    let prefix = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("prefix="));
    let prefix = prefix.unwrap_or_default().replace("%2F", "/");
    let contents: String = fake
        .objects
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, (bytes, writings))| {
            format!(
                "<Contents><Key>{key}</Key><ETag>\"{key}-{writings}\"</ETag><Size>{}</Size>\
                 <LastModified>2026-11-23T16:00:00.000Z</LastModified></Contents>",
                bytes.len()
            )
        })
        .collect();
    format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><MaxKeys>1000</MaxKeys>\
         {contents}</ListBucketResult>"
    )
}

async fn put_record_batch(shared: &Shared, body: &[u8]) -> Response {
    let input: Value = serde_json::from_slice(body).unwrap();
    let records = input["Records"].as_array().unwrap();
    let (step, answers) = {
        let mut fake = shared.0.lock().unwrap();
        let step = fake.steps.pop_front();
        let mut answers = Vec::new();
        for (position, record) in records.iter().enumerate() {
            let refused = match step {
                Some(Step::Half) => position % 2 == 1,
                Some(Step::Throttle) => true,
                _ => false,
            };
            if refused {
                answers.push(json!({ "ErrorCode": "ServiceUnavailableException" }));
            } else {
                fake.taken.push(record["Data"].as_str().unwrap().to_owned());
                answers.push(json!({ "RecordId": position.to_string() }));
            }
        }
        (step, answers)
    };
    match step {
        Some(Step::Throttle) => (
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"__type":"ServiceUnavailableException","message":"Slow down."}"#,
        )
            .into_response(),
        Some(Step::Break) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Step::Hang) => {
            shared.1.notify_one();
            std::future::pending().await
        }
        _ => json!({ "RequestResponses": answers })
            .to_string()
            .into_response(),
    }
}

#[tokio::test]
async fn what_is_refused_is_sent_again_and_what_was_taken_is_not() -> Result<()> {
    let steps = [Step::Half, Step::Throttle, Step::Half];
    let cloud = Cloud::start(1201, steps).await?;
    let (report, result) = cloud.replay(Selection::default()).await?;
    result?;
    assert_eq!(report.taken, 1201);
    assert_eq!(cloud.taken(), all(1201));

    let (report, result) = cloud.replay(Selection::default()).await?;
    result?;
    assert_eq!((report.taken, report.before), (0, 1201));
    assert_eq!(cloud.taken(), all(1201));
    Ok(())
}

#[tokio::test]
async fn what_may_have_been_taken_is_sent_again_on_request_alone() -> Result<()> {
    for step in [Step::Break, Step::Hang] {
        let cloud = Cloud::start(510, [step]).await?;
        // A replay that waits for an answer is killed.
        tokio::select! {
            broken = cloud.replay(Selection::default()) => {
                let error = broken?.1.unwrap_err();
                assert!(format!("{error:#}").contains("may or may not"), "{error:#}");
            }
            () = cloud.shared.1.notified() => {}
        }
        assert_eq!(cloud.taken().len(), 500);

        let (report, result) = cloud.replay(Selection::default()).await?;
        result?;
        assert_eq!((report.taken, report.in_doubt), (10, 500));
        assert_eq!(cloud.taken(), all(510));

        let in_doubt = Selection {
            in_doubt: true,
            ..Selection::default()
        };
        cloud.replay(in_doubt).await?.1?;
        assert_eq!(cloud.taken().len(), 510 + 500);
        let (report, _) = cloud.replay(in_doubt).await?;
        assert_eq!((report.taken, report.before, report.in_doubt), (0, 510, 0));
    }
    Ok(())
}

#[tokio::test]
async fn of_two_replays_one_sends_a_record() -> Result<()> {
    let cloud = Cloud::start(3000, []).await?;
    let (one, other) = tokio::try_join!(
        cloud.replay(Selection::default()),
        cloud.replay(Selection::default())
    )?;
    assert_eq!(one.0.taken + other.0.taken, 3000);
    assert_eq!(cloud.taken(), all(3000));
    Ok(())
}

#[tokio::test]
async fn records_are_selected_by_the_time_of_their_failure() -> Result<()> {
    let cloud = Cloud::start(5, []).await?;
    let since = Selection {
        since: Some("2023-01-01T00:00:00Z".parse()?),
        ..Selection::default()
    };
    cloud.replay(since).await?.1?;
    let mut expected = all(5);
    expected.retain(|data| *data != super::tests::data(3));
    assert_eq!(cloud.taken(), expected);

    cloud.replay(Selection::default()).await?.1?;
    assert_eq!(cloud.taken(), all(5));
    Ok(())
}
