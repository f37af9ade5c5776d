//! What an operator sees: the log.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
async fn a_batch_is_one_line_of_log() -> Result<()> {
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
    let [log, second] = &lines[..] else {
        anyhow::bail!("two lines, not {output:?}");
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

    let values = [
        ("recordsFailed", 6),
        ("malformed", 2),
        ("ofUnknownMysfits", 2),
        ("ofUnusableMysfits", 1),
        ("unanswered", 1),
        ("overReplyLimit", 0),
        ("leftToRetry", 0),
        ("upstreamRequests", 6),
        ("cacheHits", 0),
    ];
    for (name, value) in values {
        assert_eq!(log[name], value, "{name}");
    }
    // A number, so that a metric filter has something to add.
    assert_eq!(second["recordsFailed"], 0);
    assert_eq!(second["upstreamMs"], 0);
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
    assert_eq!(log["leftToRetry"], 2);
    assert_eq!(log["ok"], 0);
    // Nothing has failed for good: Firehose sends the batch again.
    assert_eq!(log["recordsFailed"], 0);
    Ok(())
}

/// Lambda takes a JSON line without a valid `timestamp` for one of level INFO
/// (monitoring-cloudwatchlogs-log-level).
#[tokio::test]
async fn every_line_has_a_level_and_a_time() -> Result<()> {
    let service = Service::start(|request| match request.path.ends_with('1') {
        true => Does::status(400),
        false => Does::mysfit("Yeti"),
    })
    .await?;
    let before = OffsetDateTime::now_utc();
    let settings = [("RUST_LOG", "lambda=loud")];
    let mut function = function(&service, &settings).await?;
    let bad = event(vec!["x"; 1_500]);
    function.invoke(bad, PLENTY).await?.response()?;
    let unanswered = event([click("u", &id(1))]);
    function.invoke(unanswered, PLENTY).await?.error()?;
    let fine = event([click("u", &id(2))]);
    function.invoke(fine, PLENTY).await?.response()?;

    let lines = parse(&function.stop().await?)?;
    let mut levels = Vec::new();
    for line in &lines {
        let time = line["timestamp"].as_str().context("no timestamp")?;
        let time = OffsetDateTime::parse(time, &Rfc3339)?;
        assert!(
            (before..=OffsetDateTime::now_utc()).contains(&time),
            "{line}"
        );
        levels.push(line["level"].as_str().context("no level")?);
    }
    // The filter that is not understood; a batch on two lines; an invocation that fails, and what
    // the runtime says of it; a batch.
    assert_eq!(levels, ["WARN", "WARN", "WARN", "ERROR", "ERROR", "INFO"]);
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
async fn rust_log_is_obeyed() -> Result<()> {
    let service = Service::start(|_| Does::mysfit("Yeti")).await?;
    for (filter, lines) in [
        ("error", 0),
        ("lambda=warn", 0),
        ("info", 1),
        ("lambda=info,error", 1),
        ("lambda=loud", 2),
    ] {
        let mut function = function(&service, &[("RUST_LOG", filter)]).await?;
        function
            .invoke(event([click("u", &id(1))]), PLENTY)
            .await?
            .response()?;
        let output = parse(&function.stop().await?)?;
        assert_eq!(output.len(), lines, "{filter}: {output:?}");
    }
    Ok(())
}
