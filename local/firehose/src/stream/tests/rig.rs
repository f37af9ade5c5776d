//! A stream with neighbours that do as they are told.

use super::super::*;
use crate::buffer::Hints;
use crate::delivery::Object;
use crate::prefix::Prefixes;
use crate::settings::{Compression, Destination, Transform};
use crate::transform::Failure;
use anyhow::{Context, Result};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::sync::{Semaphore, mpsc};

pub(super) const NOW: OffsetDateTime = datetime!(2026-03-04 05:06:07 UTC);
const ARN: &str = "arn:aws:firehose:us-east-1:000000000000:deliverystream/clicks";
pub(super) const FUNCTION: &str = "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST";
pub(super) const LONG: Duration = Duration::from_secs(900);

/// Neighbours whose every act is heard of.
pub(super) struct Neighbourhood {
    stored: mpsc::UnboundedSender<Object>,
    /// Objects that are refused.
    refused: mpsc::UnboundedSender<Object>,
    pub refuse_storing: AtomicBool,
    /// Events, as they come in.
    invoked: mpsc::UnboundedSender<Value>,
    pub fail_invocations: AtomicBool,
    /// The next act of each kind panics.
    pub panic_invoking: AtomicBool,
    pub panic_storing: AtomicBool,
    /// An invocation takes a permit before it answers.
    pub permits: Semaphore,
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
pub(super) struct Rig {
    pub folder: TempDir,
    pub neighbours: Arc<Neighbourhood>,
    stored: mpsc::UnboundedReceiver<Object>,
    pub refused: mpsc::UnboundedReceiver<Object>,
    pub invoked: mpsc::UnboundedReceiver<Value>,
    pub stream: Stream,
    tasks: TaskTracker,
}

impl Rig {
    pub(super) fn start(settings: StreamSettings) -> Result<Self> {
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

    pub(super) async fn put(&self, data: &[&str]) -> Result<()> {
        let records = data.iter().map(|data| NewRecord {
            arrival: 1_700_000_000_000,
            data: Bytes::copy_from_slice(data.as_bytes()),
        });
        let put = self.stream.put(records.collect()).await;
        put.map_err(|refused| anyhow::anyhow!("{refused:?}"))
    }

    /// The next object that is stored.
    pub(super) async fn next(&mut self) -> Result<Object> {
        self.stored.recv().await.context("an object")
    }

    /// Stops the stream. Gives what was stored meanwhile.
    pub(super) async fn stop(&mut self) -> Vec<Object> {
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
    pub(super) async fn restart(mut self, settings: StreamSettings) -> Result<Self> {
        self.stop().await;
        let Self { folder, stream, .. } = self;
        drop(stream);
        Self::start_in(folder, settings)
    }

    pub(super) fn logged(&self) -> Vec<String> {
        let logged = self.neighbours.logged.lock();
        logged.unwrap_or_else(|error| error.into_inner()).clone()
    }
}

pub(super) fn settings(size: usize, interval: Duration) -> Result<StreamSettings> {
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

pub(super) fn with_processor(
    mut settings: StreamSettings,
    size: usize,
    interval: Duration,
) -> StreamSettings {
    settings.destination.transform = Some(Transform {
        function_arn: FUNCTION.into(),
        role_arn: None,
        buffering: Hints { size, interval },
        retries: 3,
    });
    settings
}

pub(super) fn text(object: &Object) -> String {
    String::from_utf8_lossy(&object.body).into_owned()
}

pub(super) fn lines(object: &Object) -> Result<Vec<Value>> {
    let lines = text(object);
    Ok(lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?)
}
