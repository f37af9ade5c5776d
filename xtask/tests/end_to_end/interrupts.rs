//! Ctrl-C in the middle of a long command: it ends in order, and the next one goes on from there.

use crate::clicks::MYSFIT;
use crate::place::Place;
use crate::records::{Records, client};
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

#[tokio::test]
async fn what_was_interrupted_goes_on_the_next_time() -> Result<()> {
    let place = Place::new()?;
    interrupt_up(&place)?;
    let created = place.resources()?.len();
    assert!(created > 0, "what was created is in no state");
    let rest = place.xtask(&["up"])?;
    assert!(rest.contains(" unchanged"), "{rest}");
    assert!(!rest.contains(" deleted"), "{rest}");
    assert!(place.resources()?.len() > created);

    let outputs = place.outputs()?;
    let bucket = outputs["clicksBucket"].as_str().context("no bucket")?;
    let records = Records::of(&place, &outputs)?;
    let failed = "processing-failed/2026/01/31/12/by-hand";
    let lines: String = (0..20).map(failed_line).collect();
    records.put_json(bucket, failed, lines).await?;
    interrupt_replay(&place).await?;
    let replayed = place.xtask(&["replay"])?;
    assert!(replayed.contains("20  of 20 sent"), "{replayed}");
    assert_eq!(records.wait_for(20).await?.len(), 20);
    place.assert_clean()
}

/// Interrupts while the cloud holds still, so that the update cannot end before.
fn interrupt_up(place: &Place) -> Result<()> {
    let mut up = start(place, "up")?;
    let mut lines = BufReader::new(up.stdout.take().context("no output")?).lines();
    let mut shown = String::new();
    let mut until = |what: &str| -> Result<()> {
        for line in lines.by_ref() {
            let line = line?;
            shown += &format!("{line}\n");
            if line.contains(what) {
                return Ok(());
            }
        }
        anyhow::bail!("{what} was never shown:\n{shown}")
    };
    until("Bucket mysfits-clicks created")?;
    let cloud = place.cloud()?.and_then(Pid::from_raw);
    let cloud = cloud.context("no cloud")?;
    kill_process(cloud, Signal::STOP)?;
    interrupt(&up)?;
    let heard = until("^C received; cancelling");
    kill_process(cloud, Signal::CONT)?;
    heard?;
    // The engine says more, "update canceled", unless it hears of the program's end before.
    until("Duration:")?;
    let ended = end(up)?;
    let last = ended.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: pulumi up failed; "), "{ended}");
    assert!(last.contains("the embedded cloud goes on"), "{ended}");
    Ok(())
}

/// Interrupts while the stream takes nothing.
async fn interrupt_replay(place: &Place) -> Result<()> {
    const CALLS: u64 = 1_000_000;
    let faults = format!("{}/_mysfits/faults", place.aws()?);
    let throttled = json!({
        "service": "firehose",
        "operation": "PutRecordBatch",
        "calls": CALLS,
        "fault": "throttle",
    });
    let switched = client()?.put(&faults).json(&throttled).send().await?;
    switched.error_for_status()?;

    let replay = start(place, "replay")?;
    let mut pause = tokio::time::interval(Duration::from_millis(20));
    loop {
        pause.tick().await;
        let on: Value = client()?.get(&faults).send().await?.json().await?;
        let left = on.pointer("/faults/0/calls").and_then(Value::as_u64);
        if left.context("no fault is on")? < CALLS {
            break;
        }
    }
    interrupt(&replay)?;
    let ended = end(replay)?;
    let (before, error) = ended.split_once("stopping\n").context(ended.clone())?;
    assert!(before.contains("sending failed records"), "{ended}");
    assert!(error.contains("did not take 20 records"), "{ended}");
    assert_eq!(error.matches("error: ").count(), 1, "{ended}");
    let cleared = client()?.delete(&faults).send().await?;
    cleared.error_for_status()?;
    Ok(())
}

/// As a shell starts it: in a process group of its own, all of which Ctrl-C reaches.
fn start(place: &Place, command: &str) -> Result<Child> {
    let mut command = place.command(&[command]);
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command.spawn()?)
}

fn interrupt(child: &Child) -> Result<()> {
    let group = Pid::from_raw(child.id().cast_signed()).context("no process")?;
    Ok(kill_process_group(group, Signal::INT)?)
}

/// Waits for the end of what failed; gives what it wrote to standard error.
fn end(mut child: Child) -> Result<String> {
    let mut text = String::new();
    let mut stderr = child.stderr.take().context("no standard error")?;
    stderr.read_to_string(&mut text)?;
    assert_eq!(child.wait()?.code(), Some(1), "{text}");
    Ok(text)
}

fn failed_line(number: u32) -> String {
    let click = json!({ "userId": format!("u{number}"), "mysfitId": MYSFIT });
    let line = json!({
        "rawData": STANDARD.encode(click.to_string()),
        "errorCode": "Lambda.FunctionError",
        "errorMessage": "by hand",
        "attemptEndingTimestamp": 1_769_860_800_000_i64,
    });
    format!("{line}\n")
}
