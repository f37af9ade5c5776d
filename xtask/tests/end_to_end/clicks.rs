//! Clicks through the deployed API, and their records in S3.

use crate::place::Place;
use crate::records::{Records, client};
use anyhow::{Context, Result, bail};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const MYSFIT: &str = "b41ff031-141e-4a8d-bb56-158a22bea0b3";

#[tokio::test]
async fn a_thousand_clicks_from_eight_connections_are_in_s3_exactly_once() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let outputs = place.outputs()?;

    send(&outputs, 1000, 8).await?;
    let records = Records::of(&place, &outputs)?.wait_for(1000).await?;
    assert_eq!(records.len(), 1000);
    let mut by_user = BTreeMap::new();
    for record in &records {
        *by_user.entry(record["userId"].to_string()).or_insert(0) += 1;
        assert_eq!(record["mysfitId"], MYSFIT);
        for name in ["goodevil", "lawchaos", "species", "clickedAt", "clickId"] {
            assert!(record[name].is_string(), "{record}");
        }
    }
    assert_eq!(by_user.len(), 1000, "a click is missing or came twice");
    place.assert_clean()
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let outputs = place.outputs()?;

    send(&outputs, 200, 4).await?;
    let pid = place.cloud()?.and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.context("no cloud")?, rustix::process::Signal::KILL)?;

    // The next command starts the cloud again, with all that is deployed.
    place.shell("pulumi preview --stack local --expect-no-changes")?;
    let records = Records::of(&place, &outputs)?.wait_for(200).await?;
    let users: std::collections::BTreeSet<String> = records
        .iter()
        .map(|record| record["userId"].to_string())
        .collect();
    assert_eq!(users.len(), 200, "an acknowledged click is lost");
    send(&outputs, 1, 1).await
}

#[test]
fn a_click_shows_its_record() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let record: Value =
        serde_json::from_str(&place.xtask(&["click", "--user", "ada", "--mysfit", MYSFIT])?)?;
    assert_eq!(record["userId"], "ada");
    assert_eq!(record["mysfitId"], MYSFIT);
    assert!(record["species"].is_string(), "{record}");

    let refused = place.try_xtask(&["click", "--mysfit", "Nobody"])?;
    let refused = String::from_utf8(refused.stderr)?;
    assert!(
        refused.contains("no mysfit is called `Nobody`"),
        "{refused}"
    );
    place.assert_clean()
}

/// Sends clicks of users of their own, each of which must be acknowledged.
pub async fn send(outputs: &Value, clicks: usize, connections: usize) -> Result<()> {
    let url = outputs["clicksEndpoint"].as_str().context("no endpoint")?;
    let senders = (0..connections).map(|connection| async move {
        let client = client()?;
        for click in (connection..clicks).step_by(connections) {
            let response = client
                .put(url)
                .json(&json!({ "userId": format!("user-{click}"), "mysfitId": MYSFIT }))
                .send()
                .await?;
            let status = response.status();
            let answer = response.text().await?;
            if status != StatusCode::OK || answer != r#"{"status":"OK"}"# {
                bail!("click {click}: {status} {answer}");
            }
        }
        Ok(())
    });
    futures::future::try_join_all(senders).await?;
    Ok(())
}
