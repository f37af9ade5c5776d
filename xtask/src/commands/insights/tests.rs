//! The two ways to answers, against servers that speak as much of S3 and Athena as they need.

use super::athena::Workgroup;
use super::source::Source;
use super::{embedded_answers, fetch};
use crate::aws::Aws;
use crate::aws::credentials::Credentials;
use crate::http;
use analytics::question::{self, Question};
use analytics::span::Span;
use analytics::store::Store;
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use time::macros::datetime;

/// A bucket, and what it was asked for.
#[derive(Default)]
struct CountedBucket {
    objects: BTreeMap<String, String>,
    lists: Mutex<usize>,
    got: Mutex<Vec<String>>,
}

async fn serve_bucket(
    State(bucket): State<Arc<CountedBucket>>,
    uri: Uri,
) -> (StatusCode, HeaderMap, String) {
    let url = reqwest::Url::parse(&format!("http://bucket{uri}"));
    let query: HashMap<String, String> = url.map_or_else(
        |_| HashMap::new(),
        |url| url.query_pairs().into_owned().collect(),
    );
    let mut headers = HeaderMap::new();
    if let Ok(etag) = "\"1\"".parse() {
        headers.insert("etag", etag);
    }
    let Some(key) = uri
        .path()
        .strip_prefix("/clicks/")
        .filter(|key| !key.is_empty())
    else {
        if let Ok(mut lists) = bucket.lists.lock() {
            *lists += 1;
        }
        let of = |name: &str| query.get(name).cloned().unwrap_or_default();
        let (prefix, after, token) = (of("prefix"), of("start-after"), of("continuation-token"));
        let mut found = bucket
            .objects
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix) && **key > after && **key > token);
        let page: Vec<_> = found.by_ref().take(2).collect();
        let next = match (found.next(), page.last()) {
            (Some(_), Some((last, _))) => {
                format!("<NextContinuationToken>{last}</NextContinuationToken>")
            }
            _ => String::new(),
        };
        let contents = page.iter().map(|(key, text)| {
            format!(
                "<Contents><Key>{key}</Key><ETag>\"1\"</ETag><Size>{}</Size>\
                 <LastModified>2026-01-01T00:00:00Z</LastModified></Contents>",
                text.len()
            )
        });
        let contents: String = contents.collect();
        let list = format!(
            "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><MaxKeys>2</MaxKeys>{next}{contents}</ListBucketResult>"
        );
        return (StatusCode::OK, headers, list);
    };
    if let Ok(mut got) = bucket.got.lock() {
        got.push(key.to_owned());
    }
    match bucket.objects.get(key) {
        Some(text) => (StatusCode::OK, headers, text.clone()),
        None => (StatusCode::NOT_FOUND, headers, String::new()),
    }
}

async fn listen(router: Router) -> Result<Aws> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Aws::at(http::client()?, address, Credentials::embedded()))
}

fn questions(names: &[&str]) -> Result<Vec<Question>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no checkout")?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    question::select(Question::all(&root.join("analytics/queries"))?, &names)
}

fn click(user: &str, at: &str) -> String {
    format!(
        "{{\"userId\":\"{user}\",\"mysfitId\":\"m\",\"goodevil\":\"Good\",\"lawchaos\":\
         \"Lawful\",\"species\":\"Yeti\",\"clickedAt\":\"{at}\",\"clickId\":\"{user}{at}\"}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_fetches_its_hours_and_the_one_before_once() -> Result<()> {
    let mut objects = BTreeMap::new();
    for day in 1..=28 {
        for hour in [0, 11, 12, 23] {
            let key = format!("firehose/2026/02/{day:02}/{hour:02}/a");
            let at = format!("2026-02-{day:02}T{hour:02}:59:59.000Z");
            objects.insert(key, click("u", &at));
        }
    }
    // Written under the hour of its oldest record, with one of the hour after.
    let late = click("u", "2026-02-27T11:30:00.000Z") + &click("v", "2026-02-27T12:00:00.000Z");
    objects.insert("firehose/2026/02/27/11/late".to_owned(), late);
    objects.insert("firehose/2026/02/27/11/".to_owned(), String::new());
    let bucket = Arc::new(CountedBucket {
        objects,
        ..CountedBucket::default()
    });
    let router = Router::new()
        .fallback(serve_bucket)
        .with_state(bucket.clone());
    let aws = listen(router).await?;
    let source = Source::of("clicks", &aws, "firehose/")?;
    let home = tempfile::tempdir()?;
    let store = fetch::store(home.path(), "clicks")?;
    let span = Span::since_moment(datetime!(2026-02-27 12:00 UTC));
    let answer = async || -> Result<Value> {
        let questions = questions(&["top-mysfits"])?;
        let answers = embedded_answers(&store, &questions, &span, async |kind, store: &Store| {
            fetch::objects(&source, kind, store, &span).await
        });
        Ok(serde_json::to_value(answers.await?)?)
    };

    let expected = json!([{
        "query": "top-mysfits",
        "columns": ["mysfitId", "clicks", "users"],
        "rows": [{ "mysfitId": "m", "clicks": 7, "users": 2 }],
    }]);
    assert_eq!(answer().await?, expected);
    let mut got = std::mem::take(&mut *bucket.got.lock().map_err(|_| anyhow::anyhow!("lock"))?);
    got.sort();
    let of = [
        "27/11/a",
        "27/11/late",
        "27/12/a",
        "27/23/a",
        "28/00/a",
        "28/11/a",
        "28/12/a",
        "28/23/a",
    ];
    assert_eq!(got, of.map(|key| format!("firehose/2026/02/{key}")));
    // A question about clicks lists no failed records, and the list begins with the span.
    let lists = *bucket.lists.lock().map_err(|_| anyhow::anyhow!("lock"))?;
    assert_eq!(lists, 5);

    assert_eq!(answer().await?, expected);
    let got = bucket.got.lock().map_err(|_| anyhow::anyhow!("lock"))?;
    assert!(got.is_empty(), "fetched again: {got:?}");
    Ok(())
}

/// What Athena was asked, in order.
type Calls = Arc<Mutex<Vec<(String, Value)>>>;

async fn serve_athena(
    State(calls): State<Calls>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let action = target.unwrap_or_default().replace("AmazonAthena.", "");
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let signed = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let signed = signed.is_some_and(|value| value.contains("/athena/aws4_request"));
    let count = match calls.lock() {
        Ok(mut calls) => {
            calls.push((action.clone(), input.clone()));
            calls.iter().filter(|(other, _)| *other == action).count()
        }
        Err(_) => 0,
    };
    let column = |name: &str, kind: &str| json!({ "Name": name, "Type": kind });
    let row = |cells: [Value; 3]| {
        let data = cells.map(|cell| match cell {
            Value::Null => json!({}),
            cell => json!({ "VarCharValue": cell }),
        });
        json!({ "Data": data })
    };
    let metadata = json!({ "ColumnInfo": [
        column("mysfitid", "varchar"), column("clicks", "bigint"), column("users", "bigint"),
    ] });
    let answer = match (action.as_str(), count) {
        _ if !signed => json!({ "__type": "UnrecognizedClientException" }),
        ("StartQueryExecution", _) => json!({ "QueryExecutionId": "q1" }),
        ("GetQueryExecution", 1) => {
            return (
                StatusCode::BAD_REQUEST,
                json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }).to_string(),
            );
        }
        ("GetQueryExecution", 2) => {
            json!({ "QueryExecution": { "Status": { "State": "RUNNING" } } })
        }
        ("GetQueryExecution", _) => json!({ "QueryExecution": {
            "Status": { "State": "SUCCEEDED" },
            "Statistics": { "DataScannedInBytes": 1_234_567 },
        } }),
        ("GetQueryResults", 1) => json!({
            "ResultSet": {
                "Rows": [
                    row([json!("mysfitid"), json!("clicks"), json!("users")]),
                    row([json!("m1"), json!("12"), json!("3")]),
                ],
                "ResultSetMetadata": metadata,
            },
            "NextToken": "more",
        }),
        _ => json!({ "ResultSet": {
            "Rows": [row([Value::Null, json!("1"), json!("1")])],
            "ResultSetMetadata": metadata,
        } }),
    };
    (StatusCode::OK, answer.to_string())
}

#[tokio::test]
async fn athena_is_asked_with_parameters_and_answers_in_pages() -> Result<()> {
    let calls = Calls::default();
    let router = Router::new()
        .fallback(serve_athena)
        .with_state(calls.clone());
    let aws = listen(router).await?;
    let workgroup = Workgroup {
        aws: &aws,
        name: "mysfits",
        database: "mysfits_db",
    };
    let question = questions(&["top-mysfits"])?.remove(0);
    let span = Span::since_moment(datetime!(2026-02-27 12:00 UTC));
    let answer = workgroup.ask(&question, &span).await?;
    assert_eq!(answer.columns, ["mysfitId", "clicks", "users"]);
    assert_eq!(
        answer.rows,
        [
            [json!("m1"), json!(12), json!(3)],
            [Value::Null, json!(1), json!(1)]
        ]
    );
    let calls = calls.lock().map_err(|_| anyhow::anyhow!("lock"))?;
    let (_, start) = &calls[0];
    assert_eq!(start["WorkGroup"], "mysfits");
    assert_eq!(start["QueryExecutionContext"]["Database"], "mysfits_db");
    assert_eq!(
        start["ExecutionParameters"],
        json!(["'2026/02/27/11'", "'2026-02-27T12:00:00.000Z'"])
    );
    let (last, input) = calls.last().context("no call")?;
    assert_eq!(last, "GetQueryResults");
    assert_eq!(
        *input,
        json!({ "QueryExecutionId": "q1", "NextToken": "more" })
    );
    Ok(())
}
