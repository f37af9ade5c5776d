//! Clicks: what is answered to them, and what that takes.

use super::stack::{ALLOWED, CLICK, Clicks, JSON, MORE, OK, REFUSED, SITE, VARY, document, trust};
use crate::objects;
use anyhow::Result;
use cloud_s3::listing::{Of, Query};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_click_is_stored_as_it_came() -> Result<()> {
    let clicks = Clicks::start().await?;
    clicks.click(200, OK, &[]).await?;

    let cloud = clicks.cloud.running.cloud();
    let query = Query {
        limit: 10,
        ..Query::default()
    };
    let delivered = async {
        loop {
            let page = cloud.s3.list("clicks", Of::Objects, &query).await?;
            if let Some(entry) = page.entries.first() {
                return anyhow::Ok(entry.key.clone());
            }
            tokio::task::yield_now().await;
        }
    };
    let key = tokio::time::timeout(Duration::from_secs(20), delivered).await??;
    let object = objects::read(&cloud.s3, "clicks", &key).await?;
    assert_eq!(
        String::from_utf8_lossy(&object),
        r#"{"userId":"user 1","mysfitId":"4e53920c-505a-4a90-a694-b9300791f0ae"}"#
    );
    Ok(())
}

#[tokio::test]
async fn requests_and_their_answers() -> Result<()> {
    let clicks = Clicks::start().await?;
    let typed = ("Content-Type", "application/json");
    let invalid = r#"{"message":"Invalid request body"}"#;
    let unsupported = r#"{"message":"Unsupported Media Type"}"#;
    let missing = r#"{"message":"Missing Authentication Token"}"#;
    let bad = ("x-amzn-errortype", "BadRequestException");
    let no_token = ("x-amzn-errortype", "MissingAuthenticationTokenException");
    let methods = ("access-control-allow-methods", "OPTIONS,PUT");
    let headers = ("access-control-allow-headers", "Content-Type");
    let age = ("access-control-max-age", "3600");
    let local = ("access-control-allow-origin", MORE);
    for (request, sent, body, status, said, expected) in [
        (
            "PUT /clicks",
            vec![typed, ("Origin", SITE)],
            CLICK,
            200,
            OK,
            vec![ALLOWED],
        ),
        (
            "PUT /clicks",
            vec![typed, ("Origin", MORE)],
            CLICK,
            200,
            OK,
            vec![local],
        ),
        (
            "PUT /clicks",
            vec![("Origin", "https://evil.example")],
            CLICK,
            200,
            OK,
            vec![ALLOWED],
        ),
        (
            "PUT /clicks",
            vec![typed],
            "{}",
            400,
            invalid,
            vec![ALLOWED, bad],
        ),
        (
            "PUT /clicks",
            vec![typed],
            "",
            400,
            invalid,
            vec![ALLOWED, bad],
        ),
        (
            "PUT /clicks",
            vec![typed],
            "x",
            400,
            invalid,
            vec![ALLOWED, bad],
        ),
        (
            "PUT /clicks",
            vec![("Content-Type", "text/plain")],
            CLICK,
            415,
            unsupported,
            vec![ALLOWED, bad],
        ),
        (
            "OPTIONS /clicks",
            vec![("Origin", SITE)],
            "",
            204,
            "",
            vec![ALLOWED, methods, headers, age],
        ),
        (
            "OPTIONS /clicks",
            vec![("Origin", MORE)],
            "",
            204,
            "",
            vec![local, methods, headers, age],
        ),
        (
            "GET /clicks",
            vec![],
            "",
            403,
            missing,
            vec![ALLOWED, no_token],
        ),
        (
            "PUT /",
            vec![typed],
            CLICK,
            403,
            missing,
            vec![ALLOWED, no_token],
        ),
    ] {
        let answer = clicks.cloud.ask(&clicks.api, request, &sent, body).await?;
        let which = format!("{request} {sent:?} {body}");
        assert_eq!(answer.said(), (status, said), "{which}");
        let length = said.len().to_string();
        let mut expected = expected;
        expected.extend([JSON, VARY]);
        if status != 204 {
            expected.push(("content-length", &length));
        }
        expected.sort_unstable();
        assert_eq!(answer.lasting_headers(), expected, "{which}");
    }
    Ok(())
}

const FAILED: &str = r#"{"message":"Internal server error"}"#;
const INTERNAL: (&str, &str) = ("x-amzn-errortype", "InternalServerErrorException");

/// Takes away, one at a time, what a click needs.
#[tokio::test]
async fn what_a_click_needs() -> Result<()> {
    let clicks = Clicks::start().await?;
    clicks.click(200, OK, &[]).await?;

    // Firehose refuses: that is an answer, whose status the responses choose by.
    let elsewhere = document(json!({
        "Effect": "Allow",
        "Action": "firehose:PutRecord",
        "Resource": "arn:aws:firehose:us-east-1:000000000000:deliverystream/other",
    }));
    let policy = clicks.policy.resource.inputs["policy"].clone();
    let lost = json!({ "policy": elsewhere });
    let lost = clicks.cloud.change(&clicks.policy, lost).await?;
    clicks.click(502, REFUSED, &[]).await?;
    clicks
        .cloud
        .change(&lost, json!({ "policy": policy }))
        .await?;
    clicks.click(200, OK, &[]).await?;

    // API Gateway may not assume the role: that is a failure of its own. It names neither
    // account nor API.
    let conditions = json!({ "StringEquals": { "aws:SourceAccount": "000000000000" } });
    let confused = json!({ "assumeRolePolicy": trust(conditions) });
    let role = clicks.cloud.change(&clicks.role, confused).await?;
    clicks.click(500, FAILED, &[INTERNAL]).await?;
    let trusted = json!({ "assumeRolePolicy": trust(Value::Null) });
    clicks.cloud.change(&role, trusted).await?;
    clicks.click(200, OK, &[]).await?;

    clicks.cloud.delete(&clicks.stream).await?;
    clicks.click(502, REFUSED, &[]).await
}

#[tokio::test]
async fn a_throttled_click_can_be_read_by_the_page() -> Result<()> {
    let clicks = Clicks::start().await?;
    for _ in 0..20 {
        clicks.click(200, OK, &[]).await?;
    }
    let throttled = ("x-amzn-errortype", "TooManyRequestsException");
    clicks
        .click(429, r#"{"message":"Too Many Requests"}"#, &[throttled])
        .await
}

#[tokio::test]
async fn a_restart_loses_nothing_of_it() -> Result<()> {
    let clicks = Clicks::start().await?;
    clicks.click(200, OK, &[]).await?;
    let cloud = clicks.cloud.restart().await?;
    let clicks = Clicks { cloud, ..clicks };
    clicks.click(200, OK, &[]).await?;
    Ok(())
}
