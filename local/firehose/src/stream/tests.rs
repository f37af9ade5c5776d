//! A stream with neighbours that do as they are told.

use super::*;
use crate::delivery::Object;
use crate::prefix::Prefixes;
use crate::settings::{Compression, Destination, MEBIBYTE, Transform};
use crate::transform::Failure;
use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::sync::{Semaphore, mpsc};

const NOW: OffsetDateTime = datetime!(2026-03-04 05:06:07 UTC);
const ARN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST";
const LONG: Duration = Duration::from_secs(900);

/// Neighbours whose every act is heard of.
struct Neighbourhood {
    stored: mpsc::UnboundedSender<Object>,
    /// Objects that are refused.
    refused: mpsc::UnboundedSender<Object>,
    refuse_storing: AtomicBool,
    /// Events, as they come in.
    invoked: mpsc::UnboundedSender<Value>,
    fail_invocations: AtomicBool,
    /// The next act of each kind panics.
    panic_invoking: AtomicBool,
    panic_storing: AtomicBool,
    /// An invocation takes a permit before it answers.
    permits: Semaphore,
    logged: Mutex<Vec<String>>,
}

#[async_trait]
impl Neighbours for Neighbourhood {
    fn now(&self) -> OffsetDateTime {
        NOW
    }

    /// Puts an exclamation mark after each record; one that starts with `drop` is dropped, one
    /// that starts with `fail` fails.
    async fn invoke(
        &self,
        _: &StreamSettings,
        _: &Transform,
        event: Bytes,
    ) -> Result<Bytes, Failure> {
        assert!(
            !self.panic_invoking.swap(false, Ordering::SeqCst),
            "invoking"
        );
        let event: Value = serde_json::from_slice(&event).map_err(|_| Failure::FUNCTION_ERROR)?;
        let _ = self.invoked.send(event.clone());
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
        if self.fail_invocations.load(Ordering::SeqCst) {
            return Err(Failure::FUNCTION_ERROR);
        }
        let answer = |record: &Value| {
            let id = &record["recordId"];
            let data = record["data"].as_str().unwrap_or_default();
            let data = STANDARD.decode(data).unwrap_or_default();
            if data.starts_with(b"drop") {
                return json!({ "recordId": id, "result": "Dropped" });
            }
            if data.starts_with(b"fail") {
                return json!({ "recordId": id, "result": "ProcessingFailed" });
            }
            let data = STANDARD.encode([&data, b"!".as_slice()].concat());
            json!({ "recordId": id, "result": "Ok", "data": data })
        };
        let records = event["records"].as_array().into_iter().flatten();
        let records: Vec<_> = records.map(answer).collect();
        Ok(json!({ "records": records }).to_string().into())
    }

    async fn store(&self, _: &StreamSettings, object: &Object) -> Result<(), Failure> {
        assert!(!self.panic_storing.swap(false, Ordering::SeqCst), "storing");
        if self.refuse_storing.load(Ordering::SeqCst) {
            let _ = self.refused.send(object.clone());
            return Err(Failure::new("S3.AccessDenied", "no"));
        }
        let _ = self.stored.send(object.clone());
        Ok(())
    }

    async fn log(&self, _: &StreamSettings, failure: &Failure) {
        let mut logged = self
            .logged
            .lock()
            .unwrap_or_else(|error| error.into_inner());
        logged.push(failure.code.to_string());
    }
}

/// A stream in a folder, and all that is heard of its neighbours.
struct Rig {
    folder: TempDir,
    neighbours: Arc<Neighbourhood>,
    stored: mpsc::UnboundedReceiver<Object>,
    refused: mpsc::UnboundedReceiver<Object>,
    invoked: mpsc::UnboundedReceiver<Value>,
    stream: Stream,
    tasks: TaskTracker,
}

impl Rig {
    fn start(settings: StreamSettings) -> Result<Self> {
        Self::start_in(tempfile::tempdir()?, settings)
    }

    fn start_in(folder: TempDir, settings: StreamSettings) -> Result<Self> {
        let (stored_sender, stored) = mpsc::unbounded_channel();
        let (refused_sender, refused) = mpsc::unbounded_channel();
        let (invoked_sender, invoked) = mpsc::unbounded_channel();
        let neighbours = Arc::new(Neighbourhood {
            stored: stored_sender,
            refused: refused_sender,
            refuse_storing: AtomicBool::new(false),
            invoked: invoked_sender,
            fail_invocations: AtomicBool::new(false),
            panic_invoking: AtomicBool::new(false),
            panic_storing: AtomicBool::new(false),
            permits: Semaphore::new(Semaphore::MAX_PERMITS),
            logged: Mutex::default(),
        });
        let tasks = TaskTracker::new();
        let pauses = Pauses {
            invocation: Duration::from_millis(1),
            store: Duration::from_millis(1),
            longest_store: Duration::from_millis(4),
        };
        let stream = Stream::start(
            &folder.path().join("clicks"),
            settings,
            Surroundings {
                neighbours: Arc::clone(&neighbours) as Arc<dyn Neighbours>,
                stopping: CancellationToken::new(),
                pauses,
                troubles: Troubles::open(folder.path()),
                max_journal_bytes: MAX_JOURNAL_BYTES,
            },
            &tasks,
        )?;
        Ok(Self {
            folder,
            neighbours,
            stored,
            refused,
            invoked,
            stream,
            tasks,
        })
    }

    async fn put(&self, data: &[&str]) -> Result<()> {
        let records = data.iter().map(|data| NewRecord {
            arrival: 1_700_000_000_000,
            data: Bytes::copy_from_slice(data.as_bytes()),
        });
        let put = self.stream.put(records.collect()).await;
        put.map_err(|refused| anyhow::anyhow!("{refused:?}"))
    }

    /// The next object that is stored.
    async fn next(&mut self) -> Result<Object> {
        self.stored.recv().await.context("an object")
    }

    /// Stops the stream. Gives what was stored meanwhile.
    async fn stop(&mut self) -> Vec<Object> {
        self.stream.stopping.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let mut stored = Vec::new();
        while let Ok(object) = self.stored.try_recv() {
            stored.push(object);
        }
        stored
    }

    /// Stops, and starts again with the same journal.
    async fn restart(mut self, settings: StreamSettings) -> Result<Self> {
        self.stop().await;
        let Self { folder, stream, .. } = self;
        drop(stream);
        Self::start_in(folder, settings)
    }

    fn logged(&self) -> Vec<String> {
        let logged = self.neighbours.logged.lock();
        logged.unwrap_or_else(|error| error.into_inner()).clone()
    }
}

fn settings(size: usize, interval: Duration) -> Result<StreamSettings> {
    let prefixes = Prefixes::parse("p/", None);
    let prefixes = prefixes.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    Ok(StreamSettings {
        name: "clicks".into(),
        arn: ARN.into(),
        region: "us-east-1".into(),
        version: 1,
        created: 0,
        destination: Destination {
            role_arn: "arn:aws:iam::000000000000:role/delivery".into(),
            bucket_arn: "arn:aws:s3:::bucket".into(),
            prefix: "p/".into(),
            error_output_prefix: None,
            prefixes,
            buffering: Hints { size, interval },
            compression: Compression::Uncompressed,
            file_extension: None,
            transform: None,
            logging: None,
        },
    })
}

fn with_processor(mut settings: StreamSettings, size: usize, interval: Duration) -> StreamSettings {
    settings.destination.transform = Some(Transform {
        function_arn: FUNCTION.into(),
        role_arn: None,
        buffering: Hints { size, interval },
        retries: 3,
    });
    settings
}

fn text(object: &Object) -> String {
    String::from_utf8_lossy(&object.body).into_owned()
}

fn lines(object: &Object) -> Result<Vec<Value>> {
    let lines = text(object);
    Ok(lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}

#[tokio::test]
async fn records_wait_until_there_is_a_full_size_of_them() -> Result<()> {
    let mut rig = Rig::start(settings(MEBIBYTE, LONG)?)?;
    rig.put(&["a", "b"]).await?;
    rig.put(&["c"]).await?;
    let large = "x".repeat(700_000);
    rig.put(&[&large]).await?;
    rig.put(&[&large]).await?;
    let object = rig.next().await?;
    ensure!(text(&object) == format!("abc{large}{large}"));
    ensure!(
        object
            .key
            .starts_with("p/2023/11/14/22/clicks-1-2023-11-14-22-13-20-"),
        "{}",
        object.key
    );
    ensure!(object.headers.content_type.as_deref() == Some("application/octet-stream"));
    ensure!(rig.stop().await.is_empty(), "and no more");
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

#[test]
fn the_backlog_has_a_bound_that_is_exact() {
    let backlog = Backlog::default();
    assert!(backlog.reserve(MAX_BACKLOG_BYTES - 10));
    assert!(!backlog.reserve(11));
    assert!(backlog.reserve(10));
    backlog.remove(5);
    assert!(!backlog.reserve(6));
    assert!(backlog.reserve(5));
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
