//! What a person who watches is told, over HTTP, while records are on their way.

use crate::faults::{api, put};
use crate::pipeline::{FUNCTION_ARN, Pipeline};
use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

/// A watcher, which has seen some events.
struct Watcher {
    client: reqwest::Client,
    base: String,
    run: String,
    last: u64,
    seen: Vec<Value>,
}

impl Watcher {
    fn of(pipeline: &Pipeline) -> Result<Self> {
        // Another test may have given it one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: reqwest::Client::builder().no_proxy().build()?,
            base: format!(
                "http://127.0.0.1:{}/_mysfits",
                pipeline.world.server.endpoints().aws
            ),
            run: String::new(),
            last: 0,
            seen: Vec::new(),
        })
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Value> {
        let url = format!("{}/{path}", self.base);
        let answer = self.client.request(method, url).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Waits for what is new.
    async fn look(&mut self) -> Result<()> {
        let path = format!("events?after={}&run={}", self.last, self.run);
        let news = self.ask(Method::GET, &path).await?;
        self.run = news["run"].as_str().context("run")?.to_owned();
        self.last = news["last"].as_u64().context("last")?;
        self.seen
            .extend(news["events"].as_array().context("events")?.clone());
        Ok(())
    }

    /// Waits for an event of this kind in which these members are so.
    async fn until(&mut self, kind: &str, members: Value) -> Result<Value> {
        let members = members.as_object().cloned().unwrap_or_default();
        let mut looked_at = 0;
        loop {
            let found = self.seen[looked_at..].iter().find(|event| {
                event["kind"] == kind && members.iter().all(|(name, value)| event[name] == *value)
            });
            if let Some(found) = found {
                return Ok(found.clone());
            }
            looked_at = self.seen.len();
            self.look().await?;
        }
    }
}

#[tokio::test]
async fn a_record_is_told_of_from_the_request_to_the_object() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let url = api(&pipeline).await?;
    let mut watcher = Watcher::of(&pipeline)?;
    let (status, _) = put(&url, json!("hello")).await?;
    ensure!(status == 200);

    let request = watcher.until("request", json!({ "status": 200 })).await?;
    ensure!(
        request["method"] == "PUT" && request["body"] == "\"hello\"",
        "{request}"
    );
    ensure!(request["path"] == "/prod/" && request["reason"] == Value::Null);
    let accepted = json!({ "stream": "s", "records": 1, "bytes": 7 });
    watcher.until("accepted", accepted).await?;
    let invocation = json!({ "function": "f", "cold": true, "error": null });
    watcher.until("invocation", invocation).await?;
    let batch = json!({ "records": 1, "ok": 1, "failed": 0, "attempt": 1, "error": null });
    let batch = watcher.until("batch", batch).await?;
    ensure!(batch["function"] == format!("{FUNCTION_ARN}:$LATEST"));
    let object = json!({ "bucket": "clicks", "records": 1, "bytes": 7, "failed": false });
    let object = watcher.until("object", object).await?;
    ensure!(object["lines"] == json!(["\"HELLO\""]), "{object}");
    ensure!(pipeline.keys("firehose/").await? == [object["key"].as_str().context("key")?]);
    let log = json!({ "group": "/aws/lambda/f" });
    watcher.until("log", log).await?;

    let numbers: Vec<_> = watcher.seen.iter().map(|event| &event["number"]).collect();
    let mut sorted: Vec<_> = numbers
        .iter()
        .filter_map(|number| number.as_u64())
        .collect();
    sorted.sort_unstable();
    sorted.dedup();
    ensure!(sorted.len() == numbers.len(), "told twice: {numbers:?}");
    Ok(())
}

#[tokio::test]
async fn a_request_that_is_refused_is_told_of_with_the_reason() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let url = api(&pipeline).await?;
    let mut watcher = Watcher::of(&pipeline)?;
    pipeline.stop_records(&watcher).await?;
    let (status, _) = put(&url, json!("refused")).await?;
    ensure!(status == 503);
    let request = watcher.until("request", json!({ "status": 503 })).await?;
    let reason = request["reason"].as_str().unwrap_or_default();
    ensure!(
        reason.contains("the integration answered 500")
            && reason.contains("ServiceUnavailableException"),
        "{reason}"
    );
    put(&format!("{url}nowhere"), json!("lost")).await?;
    let request = watcher.until("request", json!({ "status": 403 })).await?;
    let reason = request["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("MISSING_AUTHENTICATION_TOKEN"), "{reason}");
    let port = pipeline.world.server.endpoints().api;
    put(&format!("http://127.0.0.1:{port}/no/api"), json!("")).await?;
    let none = json!({ "reason": "no API has a stage at this path" });
    watcher.until("request", none).await?;
    Ok(())
}

#[tokio::test]
async fn failed_records_are_told_of_with_reason_and_decoded_data() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let mut watcher = Watcher::of(&pipeline)?;
    pipeline
        .put(&["a ", "drop b", "fail c", "forget d"])
        .await?;
    let batch = json!({ "records": 4, "ok": 1, "dropped": 1, "failed": 2 });
    watcher.until("batch", batch).await?;
    for (code, data) in [
        ("Lambda.ProcessingFailedStatus", "fail c"),
        ("Lambda.MissingRecordId", "forget d"),
    ] {
        let failed = json!({ "stream": "s", "code": code, "data": data, "attempts": 1 });
        let failed = watcher.until("failed", failed).await?;
        ensure!(!failed["message"].as_str().unwrap_or_default().is_empty());
    }
    let object = watcher.until("object", json!({ "failed": true })).await?;
    ensure!(object["records"] == 2, "{object}");
    Ok(())
}

#[tokio::test]
async fn what_iam_refuses_is_told_of_with_the_statement_that_is_missing() -> Result<()> {
    let mut pipeline = Pipeline::start().await?;
    let mut watcher = Watcher::of(&pipeline)?;
    pipeline.allow(&["store", "log"]).await?;
    pipeline.put(&["not processed"]).await?;
    let refusal = json!({ "action": "lambda:InvokeFunction" });
    let refusal = watcher.until("refusal", refusal).await?;
    let missing = json!({
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": format!("{FUNCTION_ARN}:$LATEST"),
    });
    ensure!(refusal["statement"] == missing, "{refusal}");
    ensure!(
        refusal["policy"] == "a policy of the role delivery",
        "{refusal}"
    );
    let reason = "because no identity-based policy allows the lambda:InvokeFunction action";
    ensure!(refusal["reason"] == reason, "{refusal}");
    let trouble = json!({ "stream": "s", "code": "Lambda.InvokeAccessDenied" });
    watcher.until("trouble", trouble).await?;
    // The statement is one that helps.
    pipeline.allow(&["store", "log", "process"]).await?;
    pipeline.put(&["processed"]).await?;
    watcher.until("object", json!({ "failed": false })).await?;
    Ok(())
}

#[tokio::test]
async fn the_state_says_how_full_the_buffers_are_and_how_long_they_wait() -> Result<()> {
    let buffering = json!({ "bufferingInterval": 900, "bufferingSize": 5 });
    let pipeline = Pipeline::start_with(json!({}), buffering).await?;
    let mut watcher = Watcher::of(&pipeline)?;
    let state = watcher.ask(Method::GET, "state").await?;
    let empty = &state["streams"][0]["buffers"]["delivered"];
    ensure!(
        empty["left"] == Value::Null && empty["bytes"] == 0,
        "{empty}"
    );
    pipeline.put(&["one", "three"]).await?;
    watcher.until("batch", json!({ "ok": 2 })).await?;
    let buffers = loop {
        let state = watcher.ask(Method::GET, "state").await?;
        let buffers = state["streams"][0]["buffers"].clone();
        if buffers["delivered"]["records"] == 2 {
            break buffers;
        }
    };
    let delivered = &buffers["delivered"];
    ensure!(delivered["bytes"] == 8 && delivered["size"] == 5 * 1024 * 1024);
    let left = delivered["left"].as_u64().context("left")?;
    ensure!(delivered["interval"] == 900_000 && (1..=900_000).contains(&left));
    ensure!(buffers["processor"]["records"] == 0, "{buffers}");
    Ok(())
}

#[tokio::test]
async fn a_watcher_does_not_hold_up_a_reset_and_is_told_of_it() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let mut watcher = Watcher::of(&pipeline)?;
    pipeline.put(&["before"]).await?;
    watcher.until("object", json!({})).await?;
    // The cloud is replaced as soon as nothing uses it any more; a watcher does not count.
    let other = Watcher::of(&pipeline)?;
    let (told, reset) = tokio::join!(
        watcher.until("reset", json!({})),
        other.ask(Method::POST, "reset")
    );
    told?;
    ensure!(reset? == json!({ "status": "empty" }));
    let mut late = Watcher::of(&pipeline)?;
    late.until("object", json!({})).await?;
    late.until("reset", json!({})).await?;
    Ok(())
}

#[tokio::test]
async fn a_watcher_does_not_hold_up_the_end() -> Result<()> {
    let pipeline = Pipeline::start().await?;
    let mut watcher = Watcher::of(&pipeline)?;
    watcher.look().await?;
    while watcher.last > watcher.seen.len() as u64 {
        watcher.look().await?;
    }
    let (run, last) = (watcher.run.clone(), watcher.last);
    let waiting = tokio::spawn(async move {
        let path = format!("events?after={last}&run={run}");
        watcher.ask(Method::GET, &path).await
    });
    let Pipeline { world, .. } = pipeline;
    world.server.stop().await;
    // It is answered, or was too late: in either case it is over.
    let _ = waiting.await?;
    Ok(())
}

impl Pipeline {
    /// Has Firehose throttle what it is asked, as a person does it.
    async fn stop_records(&self, watcher: &Watcher) -> Result<()> {
        let url = format!("{}/faults", watcher.base);
        let fault = json!({ "service": "firehose", "fault": "throttle" });
        let answer = watcher.client.put(url).json(&fault).send().await?;
        answer.error_for_status()?;
        Ok(())
    }
}
