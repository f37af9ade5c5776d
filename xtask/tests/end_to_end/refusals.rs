//! What the deployed API answers to requests that are no clicks.

use crate::records::client;
use anyhow::{Context, Result};
use serde_json::{Value, json};

const MYSFIT: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";

/// Fails when the API of a stack takes what it should not, or says so without the headers by
/// which a page may read it.
pub async fn check(outputs: &Value) -> Result<()> {
    let url = outputs["clicksEndpoint"].as_str().context("no endpoint")?;
    let long = |length| json!({ "userId": "u".repeat(length), "mysfitId": MYSFIT }).to_string();
    let of = |mysfit: &str| json!({ "userId": "u", "mysfitId": mysfit }).to_string();
    let json = "application/json";
    for (body, content_type, expected) in [
        (long(1), json, 200),
        (long(128), json, 200),
        (of(&MYSFIT.to_uppercase()), json, 200),
        (long(0), json, 400),
        (long(129), json, 400),
        (of("Snowflake"), json, 400),
        (of(&format!("{MYSFIT}0")), json, 400),
        (of(&MYSFIT.replace('-', "")), json, 400),
        (json!({ "userId": "u" }).to_string(), json, 400),
        (json!({ "mysfitId": MYSFIT }).to_string(), json, 400),
        (
            json!({ "userId": 1, "mysfitId": MYSFIT }).to_string(),
            json,
            400,
        ),
        (
            json!({ "userId": "u", "mysfitId": MYSFIT, "more": 1 }).to_string(),
            json,
            400,
        ),
        (
            json!([{ "userId": "u", "mysfitId": MYSFIT }]).to_string(),
            json,
            400,
        ),
        ("not json".to_owned(), json, 400),
        (String::new(), json, 400),
        (long(1), "text/plain", 415),
    ] {
        let request = client()?.put(url).header("content-type", content_type);
        let answer = request.body(body.clone()).send().await?;
        assert_eq!(answer.status(), expected, "{body}");
        readable(&answer, outputs).context(body)?;
    }
    let nowhere = client()?.put(format!("{url}/nowhere")).send().await?;
    assert_eq!(nowhere.status(), 403);
    readable(&nowhere, outputs)
}

/// By the pages of the stack's own site, and of no other.
fn readable(answer: &reqwest::Response, outputs: &Value) -> Result<()> {
    let origin = answer.headers().get("access-control-allow-origin");
    let origin = origin.context("no page may read it")?.to_str()?;
    assert_eq!(outputs["siteUrl"], origin);
    Ok(())
}
