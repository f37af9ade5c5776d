//! What a stream does with records, in the order of its settings and of its neighbours' answers.

mod rig;

use crate::prefix::Prefixes;
use crate::settings::{Compression, MEBIBYTE};
use crate::transform;
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rig::{FUNCTION, LONG, NOW, Rig, lines, settings, text, with_processor};
use serde_json::json;
use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;

#[tokio::test]
async fn records_wait_until_there_is_a_full_size_of_them() -> Result<()> {
    let mut rig = Rig::start(settings(MEBIBYTE, LONG)?)?;
    rig.put(&["a", "b"]).await?;
    rig.put(&["c"]).await?;
    let large = "x".repeat(700_000);
    rig.put(&[&large]).await?;
    rig.put(&[&large]).await?;
    let object = rig.next().await?;
    ensure!(object.body.len() >= MEBIBYTE, "{}", object.body.len());
    ensure!(
        object
            .key
            .starts_with("p/2023/11/14/22/clicks-1-2023-11-14-22-13-20-"),
        "{}",
        object.key
    );
    ensure!(object.headers.content_type.as_deref() == Some("application/octet-stream"));
    // Batches are under way side by side: a small one may come back after both large ones.
    let mut stored = text(&object).into_bytes();
    for late in rig.stop().await {
        stored.extend_from_slice(text(&late).as_bytes());
    }
    stored.sort_unstable();
    ensure!(stored == format!("abc{large}{large}").into_bytes());
    Ok(())
}

#[tokio::test]
async fn records_do_not_wait_longer_than_the_interval() -> Result<()> {
    let mut rig = Rig::start(settings(MEBIBYTE, Duration::from_millis(1))?)?;
    for data in ["a", "b", "c"] {
        rig.put(&[data]).await?;
        ensure!(text(&rig.next().await?) == data);
    }
    Ok(())
}

#[tokio::test]
async fn stopping_delivers_what_waits_and_nothing_is_left() -> Result<()> {
    let declared = with_processor(settings(MEBIBYTE, LONG)?, MEBIBYTE, LONG);
    let mut rig = Rig::start(declared.clone())?;
    rig.put(&["a", "drop b", "c"]).await?;
    let stored = rig.stop().await;
    ensure!(stored.len() == 1 && text(&stored[0]) == "a!c!");
    ensure!(rig.put(&["late"]).await.is_err());

    let mut rig = rig.restart(declared).await?;
    ensure!(rig.stop().await.is_empty(), "nothing twice");
    Ok(())
}

#[tokio::test]
async fn what_s3_refuses_is_kept_over_a_restart_and_delivered_once() -> Result<()> {
    let declared = with_processor(settings(MEBIBYTE, LONG)?, MEBIBYTE, LONG);
    let mut rig = Rig::start(declared.clone())?;
    rig.neighbours.refuse_storing.store(true, Ordering::SeqCst);
    rig.put(&["a", "drop b", "c"]).await?;
    ensure!(rig.stop().await.is_empty());

    let mut rig = rig.restart(declared.clone()).await?;
    rig.put(&["d"]).await?;
    let stored = rig.stop().await;
    ensure!(
        stored.len() == 1 && text(&stored[0]) == "a!c!d!",
        "{stored:?}"
    );
    let mut rig = rig.restart(declared).await?;
    ensure!(rig.stop().await.is_empty(), "nothing twice");
    Ok(())
}

#[tokio::test]
async fn storing_is_repeated_with_the_same_object_until_it_succeeds() -> Result<()> {
    let mut rig = Rig::start(settings(MEBIBYTE, Duration::ZERO)?)?;
    rig.neighbours.refuse_storing.store(true, Ordering::SeqCst);
    rig.put(&["a"]).await?;
    let first = rig.refused.recv().await.context("refused")?;
    let second = rig.refused.recv().await.context("refused")?;
    rig.put(&["b"]).await?;
    rig.neighbours.refuse_storing.store(false, Ordering::SeqCst);
    let stored = rig.next().await?;
    ensure!(text(&stored) == "a");
    ensure!(stored.key == first.key && stored.key == second.key);
    ensure!(text(&rig.next().await?) == "b");
    ensure!(rig.logged().iter().all(|code| code == "S3.AccessDenied"));
    Ok(())
}

#[tokio::test]
async fn failed_records_are_alone_under_the_error_prefix() -> Result<()> {
    let declared = with_processor(
        settings(MEBIBYTE, Duration::ZERO)?,
        MEBIBYTE,
        Duration::ZERO,
    );
    let mut rig = Rig::start(declared)?;
    rig.put(&["a", "fail b", "c"]).await?;
    let objects = [rig.next().await?, rig.next().await?];
    let (failed, delivered): (Vec<_>, Vec<_>) = objects
        .iter()
        .partition(|object| object.key.starts_with("p/processing-failed/2023/11/14/22/"));
    ensure!(text(delivered[0]) == "a!c!");
    let failed = lines(failed[0])?;
    ensure!(
        failed
            == [json!({
                "attemptsMade": 1,
                "arrivalTimestamp": 1_700_000_000_000_i64,
                "errorCode": "Lambda.ProcessingFailedStatus",
                "errorMessage": "ProcessingFailed status set for record",
                "attemptEndingTimestamp": NOW.unix_timestamp() * 1000,
                "rawData": STANDARD.encode("fail b"),
                "lambdaARN": FUNCTION,
            })],
        "{failed:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_failing_function_is_invoked_again_and_then_its_records_fail() -> Result<()> {
    let declared = with_processor(
        settings(MEBIBYTE, Duration::ZERO)?,
        MEBIBYTE,
        Duration::ZERO,
    );
    let mut rig = Rig::start(declared)?;
    rig.neighbours
        .fail_invocations
        .store(true, Ordering::SeqCst);
    rig.put(&["a", "b"]).await?;
    let object = rig.next().await?;
    let failed = lines(&object)?;
    ensure!(
        failed.len() == 2 && failed[0]["attemptsMade"] == 4,
        "{failed:?}"
    );
    ensure!(failed[1]["errorCode"] == "Lambda.FunctionError");
    ensure!(rig.logged() == ["Lambda.FunctionError"; 4]);

    let mut events = Vec::new();
    while let Ok(event) = rig.invoked.try_recv() {
        events.push(event);
    }
    ensure!(events.len() == 4);
    ensure!(
        events
            .iter()
            .all(|event| event["records"] == events[0]["records"])
    );
    ensure!(events[0]["invocationId"] != events[1]["invocationId"]);
    Ok(())
}

#[tokio::test]
async fn an_invocation_that_succeeds_at_last_counts() -> Result<()> {
    let declared = with_processor(
        settings(MEBIBYTE, Duration::ZERO)?,
        MEBIBYTE,
        Duration::ZERO,
    );
    let mut rig = Rig::start(declared)?;
    rig.neighbours
        .fail_invocations
        .store(true, Ordering::SeqCst);
    rig.put(&["a"]).await?;
    rig.invoked.recv().await.context("invoked")?;
    rig.invoked.recv().await.context("invoked again")?;
    rig.neighbours
        .fail_invocations
        .store(false, Ordering::SeqCst);
    ensure!(text(&rig.next().await?) == "a!");
    Ok(())
}

#[tokio::test]
async fn a_stop_in_the_middle_of_failing_keeps_the_records_for_the_next_start() -> Result<()> {
    let declared = with_processor(settings(MEBIBYTE, LONG)?, MEBIBYTE, LONG);
    let mut rig = Rig::start(declared.clone())?;
    rig.neighbours
        .fail_invocations
        .store(true, Ordering::SeqCst);
    rig.put(&["a"]).await?;
    ensure!(rig.stop().await.is_empty(), "not even as failed");
    let mut rig = rig.restart(declared).await?;
    let stored = rig.stop().await;
    ensure!(stored.len() == 1 && text(&stored[0]) == "a!");
    Ok(())
}

#[tokio::test]
async fn five_batches_are_with_the_function_at_a_time() -> Result<()> {
    let size = MEBIBYTE / 5;
    let declared = with_processor(settings(100 * MEBIBYTE, LONG)?, size, LONG);
    let mut rig = Rig::start(declared)?;
    rig.neighbours
        .permits
        .forget_permits(Semaphore::MAX_PERMITS);
    let record = "x".repeat(size);
    for _ in 0..8 {
        rig.put(&[&record]).await?;
    }
    for _ in 0..5 {
        rig.invoked.recv().await.context("invoked")?;
    }
    // Whatever is ready to run has its turn before the sixth is looked for.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    ensure!(rig.invoked.try_recv().is_err(), "a sixth");
    rig.neighbours.permits.add_permits(1);
    rig.invoked.recv().await.context("the sixth")?;
    rig.neighbours.permits.add_permits(100);
    let stored = rig.stop().await;
    let total: usize = stored.iter().map(|object| object.body.len()).sum();
    ensure!(total == 8 * (size + 1), "{total}");
    Ok(())
}

#[tokio::test]
async fn an_event_is_never_larger_than_lambda_takes() -> Result<()> {
    let declared = with_processor(settings(100 * MEBIBYTE, LONG)?, 3 * MEBIBYTE, LONG);
    let mut rig = Rig::start(declared)?;
    // 60,000 tiny records are 60 KB of data and 10 MB of JSON.
    for _ in 0..120 {
        rig.put(&["x"; 500]).await?;
    }
    let stored = rig.stop().await;
    ensure!(text(&stored[0]) == "x!".repeat(60_000));
    let mut events = 0;
    while let Ok(event) = rig.invoked.try_recv() {
        let size = event.to_string().len();
        ensure!(size <= transform::MAX_EVENT_BYTES, "{size}");
        events += 1;
    }
    ensure!(events >= 2, "{events}");
    Ok(())
}

#[tokio::test]
async fn an_update_applies_to_what_waits_already_and_loses_nothing() -> Result<()> {
    let mut rig = Rig::start(settings(MEBIBYTE, LONG)?)?;
    rig.put(&["a"]).await?;
    let mut changed = settings(MEBIBYTE, Duration::ZERO)?;
    changed.version = 2;
    changed.destination.prefixes =
        Prefixes::parse("new/", None).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    changed.destination.compression = Compression::Gzip;
    rig.stream.update(changed);
    let object = rig.next().await?;
    ensure!(
        object.key.starts_with("new/2023/11/14/22/clicks-2-"),
        "{}",
        object.key
    );
    ensure!(object.key.ends_with(".gz"));
    ensure!(object.headers.content_encoding.as_deref() == Some("gzip"));
    let mut body = String::new();
    flate2::read::GzDecoder::new(object.body.as_ref()).read_to_string(&mut body)?;
    ensure!(body == "a");
    Ok(())
}

#[tokio::test]
async fn a_discarded_stream_loses_what_it_holds() -> Result<()> {
    let mut rig = Rig::start(settings(MEBIBYTE, LONG)?)?;
    rig.put(&["a"]).await?;
    rig.stream.discard().await?;
    ensure!(rig.put(&["b"]).await.is_err());
    ensure!(rig.stop().await.is_empty());
    ensure!(!rig.folder.path().join("clicks").exists());
    Ok(())
}

#[tokio::test]
async fn work_that_panics_is_named_and_done_again() -> Result<()> {
    let settings = with_processor(settings(MEBIBYTE, Duration::ZERO)?, 1, Duration::ZERO);
    let mut rig = Rig::start(settings)?;
    rig.neighbours.panic_invoking.store(true, Ordering::SeqCst);
    rig.neighbours.panic_storing.store(true, Ordering::SeqCst);
    rig.put(&["a"]).await?;
    ensure!(text(&rig.next().await?) == "a!");
    let problems = rig.stream.troubles.problems();
    ensure!(problems[0].source == "stream clicks", "{problems:?}");
    ensure!(problems[0].times == 2, "{problems:?}");
    ensure!(rig.stop().await.is_empty(), "once");
    Ok(())
}
