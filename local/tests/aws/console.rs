//! The console, as a browser meets it: its files, what they may load, and who may ask.

use crate::client::{Answer, Cloud, http};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

async fn get(cloud: &Cloud, path: &str) -> Result<Answer> {
    let url = format!("http://{}{path}", cloud.address());
    Answer::read(http().get(url).send().await?).await
}

#[tokio::test]
async fn the_page_has_its_files_and_may_load_nothing_else() -> Result<()> {
    let cloud = Cloud::start().await?;
    let page = get(&cloud, "/_mysfits/console").await?.expect(200)?;
    ensure!(page.header("content-type") == "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    ensure!(policy.contains("default-src 'none'"), "{policy}");
    // Objects in buckets are of the same origin.
    for loose in ["'self'", "unsafe", "*", "data:", "https:"] {
        ensure!(!policy.contains(loose), "{loose} in {policy}");
    }
    ensure!(policy.contains("frame-ancestors 'none'"), "{policy}");
    let text = page.text();
    for inline in ["<style", " style=", " onclick=", "javascript:", "http"] {
        ensure!(!text.contains(inline), "{inline} in the page");
    }
    let addresses = text.split('"').filter(|one| one.starts_with("/_mysfits/"));
    let mut files = 0;
    for address in addresses {
        let file = get(&cloud, address).await?.expect(200)?;
        ensure!(file.header("x-content-type-options") == "nosniff");
        ensure!(!file.body.is_empty(), "{address}");
        files += 1;
    }
    ensure!(files >= 3);
    let missing = get(&cloud, "/_mysfits/console/../other").await?;
    ensure!(missing.status == 404, "{}", missing.status);
    Ok(())
}

#[tokio::test]
async fn the_clouds_own_page_may_ask_and_no_other() -> Result<()> {
    let cloud = Cloud::start().await?;
    let endpoints = cloud.server.endpoints();
    let url = format!("http://127.0.0.1:{}/_mysfits/faults", endpoints.aws);
    let fault = json!({ "service": "s3", "fault": "fail" }).to_string();
    let (own, site) = (endpoints.aws, endpoints.sites[0]);
    for (origin, status) in [
        (format!("http://127.0.0.1:{own}"), 200),
        (format!("http://localhost:{own}"), 200),
        (format!("http://127.0.0.1:{site}"), 403),
        (format!("http://127.0.0.1:{}", endpoints.api), 403),
        (format!("https://127.0.0.1:{own}"), 403),
        (format!("http://clicks.localhost:{own}"), 403),
        (format!("http://127.0.0.1:{own}.example.com"), 403),
        (format!("http://127.0.0.1:{own}0"), 403),
        ("http://127.0.0.1".to_owned(), 403),
        ("null".to_owned(), 403),
    ] {
        let request = http().put(&url).header("origin", &origin);
        let answered = request.body(fault.clone()).send().await?.status();
        ensure!(answered == status, "{origin}: {answered}");
    }
    // Of two, one that is foreign is enough.
    let request = http()
        .put(&url)
        .header("origin", format!("http://127.0.0.1:{own}"))
        .header("origin", "http://example.com");
    ensure!(request.body(fault).send().await?.status() == 403);
    Ok(())
}

#[tokio::test]
async fn an_object_that_is_shown_as_a_page_has_an_origin_of_its_own() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let page = cloud.put("/bucket/page.html").body("<script></script>");
    page.send().await?.expect(200)?;
    let url = cloud.get("/bucket/page.html").presigned(60)?;
    for (destination, sandboxed) in [
        ("document", true),
        ("iframe", true),
        ("worker", true),
        ("image", false),
        ("empty", false),
    ] {
        let request = http().get(&url).header("sec-fetch-dest", destination);
        let answer = Answer::read(request.send().await?).await?.expect(200)?;
        let policy = answer.header("content-security-policy");
        let is = policy.starts_with("sandbox ") && !policy.contains("allow-same-origin");
        ensure!(is == sandboxed, "{destination}: {policy}");
    }
    // What is no browser sees what S3 sends.
    let answer = cloud.get("/bucket/page.html").send().await?;
    ensure!(answer.header("content-security-policy").is_empty());
    Ok(())
}

#[tokio::test]
async fn the_faults_of_one_service_are_switched_off() -> Result<()> {
    let cloud = Cloud::start().await?;
    let url = format!("http://{}/_mysfits/faults", cloud.address());
    for service in ["s3", "lambda"] {
        let fault = json!({ "service": service, "fault": "fail" }).to_string();
        let answer = http().put(&url).body(fault).send().await?;
        ensure!(answer.status() == 200);
    }
    let left: Value = http()
        .delete(format!("{url}/s3"))
        .send()
        .await?
        .json()
        .await?;
    let lambda = json!({ "faults": [{ "service": "lambda", "fault": "fail" }] });
    ensure!(left == lambda, "{left}");
    let unknown = http().delete(format!("{url}/sqs")).send().await?;
    ensure!(unknown.status() == 404);

    let news = get(&cloud, "/_mysfits/events?after=0").await?.expect(200)?;
    let news: Value = serde_json::from_slice(&news.body)?;
    let kinds: Vec<_> = news["events"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|event| event["kind"].as_str().unwrap_or_default())
        .collect();
    ensure!(kinds == ["fault", "fault", "faultsOff"], "{news}");
    get(&cloud, "/_mysfits/events?after=x").await?.expect(400)?;
    Ok(())
}

#[tokio::test]
async fn what_nobody_asked_for_is_no_refusal() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    // Without credentials, and of an object that is not there: the refusal of the read is told
    // of, the look whether the caller could have listed the bucket is not.
    let read = cloud.get("/bucket/none").anonymous();
    read.send().await?.refused(403, "AccessDenied")?;
    let news = get(&cloud, "/_mysfits/events?after=0").await?;
    let news: Value = serde_json::from_slice(&news.body)?;
    ensure!(news["totals"]["refusal"] == 1, "{news}");
    ensure!(news["events"][0]["action"] == "s3:GetObject", "{news}");
    Ok(())
}
