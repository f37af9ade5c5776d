//! What an operator sees: the log, and the metrics in it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::events::{click, event, id, record_id};
use crate::service::{Does, Service};
use crate::{PLENTY, function};

fn parse(lines: &[String]) -> Result<Vec<Value>> {
    lines
        .iter()
        .map(|line| serde_json::from_str(line).with_context(|| line.clone()))
        .collect()
}

#[tokio::test]
async fn a_batch_is_one_line_of_log_and_one_of_metrics() -> Result<()> {
    let service = Service::start(|request| match request.path.chars().last() {
        Some('0') => Does::status(404),
        Some('1') => Does::status(400),
        Some('2') => Does::Answer(200, r#"{"goodevil":"a"}"#.into()),
        _ => Does::mysfit("Yeti"),
    })
    .await?;
    let mut function = function(&service, &[]).await?;
    let mut clicks: Vec<_> = (0..6).map(|n| click("secret-user", &id(n))).collect();
    clicks.push(r#"{"userId":"secret-user"}"#.to_owned());
    clicks.push(click("secret-user", "secret-id"));
    clicks.push(click("secret-user", &id(0)));
    function.invoke(event(&clicks), PLENTY).await?.response()?;
    function
        .invoke(event([click("secret-user", &id(3))]), PLENTY)
        .await?
        .response()?;

    let output = function.stop().await?;
    assert!(
        !output.iter().any(|line| line.contains("secret")),
        "{output:?}"
    );
    let lines = parse(&output)?;
    let [log, metrics, second, second_metrics] = &lines[..] else {
        anyhow::bail!("four lines, not {output:?}");
    };
    assert_eq!(log["level"], "WARN");
    assert_eq!(log["requestId"], format!("{:0>36}", 1));
    assert_eq!(log["records"], 9);
    assert_eq!(log["ok"], 3);
    assert_eq!(log["mysfits"], 6);
    assert_eq!(log["upstreamRequests"], 6);
    assert_eq!(
        log["failed"],
        json!({
            format!("there is no mysfit {}", id(0)): [record_id(0), record_id(8)],
            format!("mysfit {} could not be looked up: the mysfits service answered HTTP 400", id(1)): [record_id(1)],
            format!("mysfit {} has no usable lawchaos", id(2)): [record_id(2)],
            "the click has no mysfitId": [record_id(6)],
            "the click's mysfitId is not a UUID": [record_id(7)],
        })
    );
    assert_eq!(second["level"], "INFO");
    assert_eq!(second["cacheHits"], 1);
    assert!(second.get("failed").is_none());

    let declared = &metrics["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(declared["Dimensions"], json!([["FunctionName"]]));
    assert_eq!(metrics["FunctionName"], "clicks-processor");
    assert!(
        metrics["_aws"]["Timestamp"]
            .as_u64()
            .is_some_and(|at| at > 1_700_000_000_000)
    );
    for metric in declared["Metrics"].as_array().context("no metrics")? {
        let name = metric["Name"].as_str().context("no name")?;
        assert!(metrics[name].is_number(), "{name}");
    }
    let values = [
        ("RecordsOk", 3),
        ("RecordsMalformed", 2),
        ("RecordsOfUnknownMysfits", 2),
        ("RecordsOfUnusableMysfits", 1),
        ("RecordsUnanswered", 1),
        ("RecordsOverReplyLimit", 0),
        ("RecordsLeftToRetry", 0),
        ("UpstreamRequests", 6),
        ("CacheHits", 0),
    ];
    for (name, value) in values {
        assert_eq!(metrics[name], value, "{name}");
    }
    assert_eq!(second_metrics["CacheHits"], 1);
    assert_eq!(second_metrics["UpstreamTime"], 0.0);
    Ok(())
}

#[tokio::test]
async fn a_batch_that_is_left_to_retry_is_an_error_in_the_log() -> Result<()> {
    let service = Service::start(|_| Does::status(400)).await?;
    let mut function = function(&service, &[]).await?;
    function
        .invoke(event([click("u", &id(1)), "x".into()]), PLENTY)
        .await?
        .error()?;
    let lines = parse(&function.stop().await?)?;
    let log = lines
        .iter()
        .find(|line| line["message"] == "batch")
        .context("no line")?;
    assert_eq!(log["level"], "ERROR");
    assert!(
        log["error"]
            .as_str()
            .is_some_and(|error| error.contains("HTTP 400"))
    );
    let metrics = lines
        .iter()
        .find(|line| line.get("_aws").is_some())
        .context("no metrics")?;
    assert_eq!(metrics["RecordsLeftToRetry"], 2);
    assert_eq!(metrics["RecordsOk"], 0);
    Ok(())
}

#[tokio::test]
async fn many_failed_records_take_several_lines() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    let mut function = function(&service, &[]).await?;
    function
        .invoke(event(vec!["x"; 5_000]), PLENTY)
        .await?
        .response()?;
    let output = function.stop().await?;
    assert!(output.iter().all(|line| line.len() < 100 * 1024));
    let mut named = Vec::new();
    for line in parse(&output)? {
        let ids = line["failed"]["the click is not JSON"].as_array();
        named.extend(ids.into_iter().flatten().map(ToString::to_string));
    }
    let expected: Vec<_> = (0..5_000)
        .map(|n| json!(record_id(n)).to_string())
        .collect();
    assert_eq!(named, expected);
    Ok(())
}

#[tokio::test]
async fn rust_log_is_obeyed_and_metrics_stay() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    for (filter, lines) in [
        ("error", 1),
        ("lambda=warn", 1),
        ("info", 2),
        ("lambda=info,error", 2),
        ("lambda=loud", 3),
    ] {
        let mut function = function(&service, &[("RUST_LOG", filter)]).await?;
        function
            .invoke(event([click("u", &id(1))]), PLENTY)
            .await?
            .response()?;
        let output = parse(&function.stop().await?)?;
        assert_eq!(output.len(), lines, "{filter}: {output:?}");
        assert_eq!(
            output
                .iter()
                .filter(|line| line.get("_aws").is_some())
                .count(),
            1
        );
    }
    Ok(())
}
