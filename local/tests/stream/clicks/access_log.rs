//! The access log: a line for every request, in the declared format.

use super::stack::{Clicks, OK, REFUSED};
use anyhow::{Context, Result};
use cloud_iam::Caller;
use serde_json::{Value, json};

#[tokio::test]
async fn every_request_of_the_stage_is_logged() -> Result<()> {
    let clicks = Clicks::start().await?;
    clicks.click(200, OK, &[]).await?;
    let policy = clicks.policy.resource.inputs["policy"].clone();
    clicks.cloud.delete(&clicks.policy).await?;
    clicks.click(502, REFUSED, &[]).await?;
    let inputs = json!({ "name": "api", "role": "api", "policy": policy });
    clicks
        .cloud
        .declare("aws:iam/rolePolicy:RolePolicy", "api", inputs)
        .await?;
    let ask = |request: &'static str, body: &'static str| {
        clicks.cloud.ask(&clicks.api, request, &[], body)
    };
    ask("PUT /clicks", "{\"a\\b\": 1}").await?;
    ask("GET /nothing/here?a=b", "").await?;
    ask("OPTIONS /clicks", "").await?;

    let line =
        |method: &str, path: &str, status: u16, length: usize, integration: &str, error: &str| {
            json!({
                "requestTime": "04/Mar/2026:05:06:07 +0000", "ip": "127.0.0.1", "method": method,
                "path": path, "protocol": "HTTP/1.1", "status": status.to_string(),
                "responseLength": length.to_string(), "integrationStatus": integration,
                "error": error,
            })
        };
    assert_eq!(
        lines(&clicks)?,
        [
            line("PUT", "/clicks", 200, 15, "200", "-"),
            line("PUT", "/clicks", 502, REFUSED.len(), "400", "-"),
            line("PUT", "/clicks", 400, 34, "-", "Invalid request body"),
            line("GET", "-", 403, 42, "-", "Missing Authentication Token"),
            line("OPTIONS", "/clicks", 204, 0, "204", "-"),
        ]
    );

    // Without a log, and without the right to write it, requests are answered all the same.
    let role = clicks
        .cloud
        .running
        .account()
        .deployments
        .all()
        .into_iter()
        .find(|record| record.resource.urn.ends_with("RolePolicy::logs"))
        .context("no policy of the log's role")?;
    clicks.cloud.delete(&role).await?;
    clicks.click(200, OK, &[]).await?;
    assert_eq!(lines(&clicks)?.len(), 5);
    clicks
        .cloud
        .change(&clicks.stage, json!({ "accessLogSettings": null }))
        .await?;
    clicks.click(200, OK, &[]).await
}

/// The lines of the access log, with what is never the same twice taken out.
fn lines(clicks: &Clicks) -> Result<Vec<Value>> {
    let input = json!({ "logGroupName": "access" }).to_string();
    let (caller, region) = (Caller::Account, "us-east-1");
    let cloud = clicks.cloud.running.cloud();
    let answer = cloud
        .logs
        .call(&caller, region, "FilterLogEvents", input.as_bytes())?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let events = answer["events"].as_array().context("no events")?;
    let mut lines = Vec::new();
    for event in events {
        let line = event["message"].as_str().context("no message")?;
        let mut line: Value = serde_json::from_str(line)?;
        let fields = line.as_object_mut().context("no object")?;
        let id = fields.remove("requestId").unwrap_or_default();
        uuid::Uuid::parse_str(id.as_str().unwrap_or_default())?;
        for latency in ["responseLatency", "integrationLatency"] {
            let latency = fields.remove(latency).unwrap_or_default();
            let latency = latency.as_str().unwrap_or_default();
            assert!(
                latency == "-" || latency.parse::<u32>().is_ok(),
                "{latency}"
            );
        }
        lines.push(line);
    }
    Ok(lines)
}
