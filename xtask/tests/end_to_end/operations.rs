//! What the person on call does: status, logs, replay.

use crate::clicks::{MYSFIT, send};
use crate::place::Place;
use crate::records::{Records, client};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[tokio::test]
async fn failed_clicks_are_sent_again_once_when_the_cause_is_fixed() -> Result<()> {
    let place = Place::new()?;
    let status = place.xtask(&["status"])?;
    assert!(status.contains("not running"), "{status}");
    let refused = place.try_xtask(&["replay"])?;
    let refused = String::from_utf8(refused.stderr)?;
    assert!(refused.contains("run `cargo xtask up`"), "{refused}");

    place.xtask(&["up"])?;
    let outputs = place.outputs()?;
    let records = Records::of(&place, &outputs)?;
    let site = outputs["siteBucket"].as_str().context("no bucket")?;
    let key = format!("mysfits/{MYSFIT}");
    let mysfit = records.text(site, &key).await?;

    records.put_json(site, &key, "[]".to_owned()).await?;
    send(&outputs, 20, 4).await?;
    Records::failed(&place, &outputs)?.wait_for(20).await?;
    let counted = place.xtask(&["replay", "--dry-run"])?;
    assert!(counted.contains("20  Lambda."), "{counted}");
    assert!(counted.contains("would be sent"), "{counted}");
    let status = place.xtask(&["status"])?;
    for row in ["failed    20", "delivered 0", "Stack local:"] {
        assert!(status.contains(row), "{row} is not in:\n{status}");
    }

    records.put_json(site, &key, mysfit).await?;
    let future = place.xtask(&["replay", "--since", "2100-01-01T00:00:00Z"])?;
    assert!(future.contains("0  of 0 sent"), "{future}");
    // What the stream does not take at first is offered again.
    let throttled = json!({
        "service": "firehose",
        "operation": "PutRecordBatch",
        "calls": 2,
        "fault": "throttle",
    });
    let faults = format!("{}/_mysfits/faults", place.aws()?);
    let switched = client()?.put(faults).json(&throttled).send().await?;
    switched.error_for_status()?;
    let replayed = place.xtask(&["replay", "-s", "local", "--since", "1h"])?;
    assert!(replayed.contains("20  of 20 sent"), "{replayed}");
    let again = place.xtask(&["replay"])?;
    assert!(again.contains("0  of 0 sent"), "{again}");
    assert!(
        again.contains("20  were sent by earlier replays"),
        "{again}"
    );

    let arrived = records.wait_for(20).await?;
    let users: BTreeSet<String> = arrived
        .iter()
        .map(|record| record["userId"].to_string())
        .collect();
    assert_eq!((arrived.len(), users.len()), (20, 20));
    logs_are_shown(&place)?;
    a_stuck_cloud_is_named(&place)?;
    place.assert_clean()
}

fn a_stuck_cloud_is_named(place: &Place) -> Result<()> {
    let pid = place.cloud()?.context("no cloud")?;
    let process = Pid::from_raw(pid).context("no process")?;
    kill_process(process, Signal::STOP)?;
    let status = place.xtask(&["status"]);
    kill_process(process, Signal::CONT)?;
    let status = status?;
    let named = status.contains(&format!("process {pid}, does not answer"));
    assert!(named, "{status}");
    Ok(())
}

fn logs_are_shown(place: &Place) -> Result<()> {
    let api = place.xtask(&["logs", "api"])?;
    assert_eq!(api.lines().count(), 20, "{api}");
    let all = place.xtask(&["logs"])?;
    let lines: Vec<&str> = all.lines().collect();
    // Times of the same length, so that they sort as text.
    let time = |line: &&str| line.split(' ').next().map(str::to_owned);
    assert!(lines.is_sorted_by_key(time), "{all}");
    let of = |name: &str| {
        let of_it = lines
            .iter()
            .filter(|line| line.split(' ').nth(1) == Some(name));
        of_it.count()
    };
    assert_eq!(of("api"), 20, "{all}");
    assert!(of("processor") > 0, "{all}");
    assert!(!all.contains('\x1b'), "colours without a terminal");

    let mut follower = place.command(&["logs", "-f", "api"]);
    let mut follower = follower.stdout(Stdio::piped()).spawn()?;
    let output = follower.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    for _ in 0..20 {
        lines.next().context("no line")??;
    }
    place.xtask(&["click"])?;
    let line = lines.next().context("no line of what came later")??;
    assert!(line.contains(" api "), "{line}");
    follower.kill()?;
    follower.wait()?;
    Ok(())
}
