//! Questions about the clicks of a deployed stack.

use crate::clicks::{MYSFIT, send};
use crate::place::Place;
use crate::records::{Records, client};
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// `cargo xtask insights … --format json`.
fn ask(place: &Place, arguments: &[&str]) -> Result<Value> {
    let arguments = [&["insights", "--format", "json"], arguments].concat();
    Ok(serde_json::from_str(&place.xtask(&arguments)?)?)
}

/// What a refused command says.
fn refusal(place: &Place, arguments: &[&str]) -> Result<String> {
    let output = place.try_xtask(arguments)?;
    assert!(!output.status.success(), "{arguments:?} was not refused");
    Ok(String::from_utf8(output.stderr)?)
}

#[tokio::test]
async fn clicks_become_answers_once_each() -> Result<()> {
    let place = Place::new()?;
    let refused = refusal(&place, &["insights"])?;
    assert!(refused.contains("run `cargo xtask up`"), "{refused}");
    place.xtask(&["up"])?;
    let outputs = place.outputs()?;
    let records = Records::of(&place, &outputs)?;
    let nothing = place.xtask(&["insights", "top-mysfits", "failed"])?;
    assert_eq!(nothing.matches("nothing yet").count(), 2, "{nothing}");

    // Of 20 users without ids; one with an id, which the page sends three times; one that fails.
    send(&outputs, 20, 4).await?;
    let url = outputs["clicksEndpoint"].as_str().context("no endpoint")?;
    let put = async |click: &Value| -> Result<u16> {
        Ok(client()?
            .put(url)
            .json(click)
            .send()
            .await?
            .status()
            .as_u16())
    };
    let again = json!({
        "userId": "ada",
        "mysfitId": MYSFIT,
        "clickId": "0b0e5a3c-6f2d-4c3e-9d57-0a4f5d0f7f11",
    });
    for _ in 0..3 {
        assert_eq!(put(&again).await?, 200);
    }
    let unknown = json!({ "userId": "eve", "mysfitId": "00000000-0000-4000-8000-000000000000" });
    assert_eq!(put(&unknown).await?, 200);
    let odd = json!({ "userId": "ada", "mysfitId": MYSFIT, "clickId": "7" });
    assert_eq!(put(&odd).await?, 400);
    let arrived = records.wait_for(23).await?;
    Records::failed(&place, &outputs)?.wait_for(1).await?;
    assert!(arrived.iter().all(|record| record["clickId"].is_string()));

    // Firehose delivers a batch once more, and something else lies there too.
    let bucket = outputs["clicksBucket"].as_str().context("no bucket")?;
    let lines: String = arrived.iter().map(|record| format!("{record}\n")).collect();
    let lines = format!("{lines}{{\"half\": ");
    let key = "firehose/2026/11/23/16/once-more";
    records.put_json(bucket, key, lines).await?;
    records
        .put_json(bucket, "firehose/README.md", "{}".to_owned())
        .await?;

    let answers = ask(&place, &["top-mysfits", "totals", "failed"])?;
    let expected = json!({
        "query": "top-mysfits",
        "columns": ["mysfitId", "clicks", "users"],
        "rows": [{ "mysfitId": MYSFIT, "clicks": 21, "users": 21 }],
    });
    assert_eq!(answers[0], expected);
    let totals = json!([{ "clicks": 21, "users": 21, "repeats": 2 + 23 }]);
    assert_eq!(answers[1]["rows"], totals);
    assert_eq!(answers[2]["rows"][0]["records"], 1, "{answers}");

    let output = place.try_xtask(&["insights", "top-mysfits"])?;
    let warned = String::from_utf8(output.stderr)?;
    assert!(warned.contains("1 lines that are no records"), "{warned}");
    assert!(warned.contains("firehose/README.md"), "{warned}");
    assert!(!warned.contains("fetching"), "fetched again: {warned}");
    let table = String::from_utf8(output.stdout)?;
    assert!(table.contains("Snowflake"), "{table}");
    let every = ask(&place, &[])?;
    assert!(every.as_array().is_some_and(|all| all.len() >= 9));
    // The copy lies under an hour that is long gone, and its clicks are of now.
    let recent = ask(&place, &["totals", "--since", "1h"])?;
    let expected = json!([{ "clicks": 21, "users": 21, "repeats": 2 }]);
    assert_eq!(recent[0]["rows"], expected);
    let csv = place.xtask(&["insights", "top-mysfits", "--format", "csv"])?;
    assert_eq!(csv, format!("mysfitId,clicks,users\n{MYSFIT},21,21\n"));

    let refused = refusal(&place, &["insights", "bottom-mysfits"])?;
    assert!(refused.contains("there is no query bottom-mysfits; there are by-alignment"));
    let refused = refusal(&place, &["insights", "--engine", "athena"])?;
    assert!(refused.contains("has no Athena"), "{refused}");
    let xtask = env!("CARGO_BIN_EXE_xtask");
    let refused = place.try_shell(&format!(
        "'{xtask}' insights --bucket no-such-bucket totals"
    ))?;
    let refused = String::from_utf8(refused.stderr)?;
    assert!(refused.contains("NoSuchBucket"), "{refused}");
    place.assert_clean()
}

/// The benchmark, small: what it fails at is a fetch too many.
#[test]
fn a_span_fetches_its_objects_and_nothing_twice() -> Result<()> {
    let place = Place::new()?;
    let arguments = ["bench", "analytics", "--objects", "60", "--clicks", "50"];
    let figures = place.xtask(&arguments)?;
    assert!(
        figures.contains("3000 clicks in 60 GZIP objects"),
        "{figures}"
    );
    assert!(figures.contains("| top-mysfits | "), "{figures}");
    assert!(figures.contains("objects fetched again: none"), "{figures}");
    place.assert_clean()
}
