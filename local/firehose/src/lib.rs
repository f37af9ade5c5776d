//! Amazon Data Firehose: delivery streams that buffer, transform and deliver records.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `wire` | the JSON protocol: PutRecord, PutRecordBatch, Describe, List |
//! | `resources` | its resource type |
//! | `settings`, `prefix` | what a stream was declared to do |
//! | `stream`, `backlog` | a stream that takes records, and how many wait in it |
//! | `task`, `buffer` | its task with two buffers, and when they are sent on |
//! | `levels` | how full the buffers are, for the person who watches |
//! | `worker`, `transform`, `failed`, `delivery` | what is done with a batch |
//! | `neighbours`, [`ports`] | the services around it, called in the delivery role |
//!
//! Accepted records are on disk, in a journal (the crate `cloud_journal`), until they are delivered.

#![warn(unreachable_pub)]

mod backlog;
mod buffer;
mod delivery;
mod failed;
mod levels;
mod neighbours;
pub mod ports;
mod prefix;
mod resources;
mod settings;
mod stream;
mod task;
mod transform;
mod wire;
mod worker;

pub(crate) use buffer::Hints;
pub(crate) use delivery::{DEFAULT_INTERVAL_SECONDS, DEFAULT_SIZE_MB, INTERVAL_SECONDS, SIZE_MB};
pub(crate) use prefix::{PrefixError, Prefixes};
pub(crate) use settings::{
    Compression, Destination, LogTarget, MEBIBYTE, StreamSettings, Transform,
};
pub use wire::OPERATIONS;
pub(crate) use wire::{DESTINATION_ID, FAULTS};

/// The limits of a processor.
pub(crate) mod processor {
    pub(crate) use super::transform::{
        DEFAULT_INTERVAL_SECONDS, DEFAULT_RETRIES, DEFAULT_SIZE_MB, INTERVAL_SECONDS, RETRIES,
        SIZE_MB,
    };
}

use cloud_core::context::{Context, reset_meanwhile};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_iam::Iam;
use cloud_resource::resource::{AnyResourceType, bind};
use neighbours::Services;
use ports::{Invoker, LogSink, ObjectStore};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub use stream::MAX_JOURNAL_BYTES;
use stream::{Stream, Surroundings};
use worker::Pauses;

/// The services that streams deliver through.
pub struct Ports {
    pub functions: Arc<dyn Invoker>,
    pub objects: Arc<dyn ObjectStore>,
    pub logs: Arc<dyn LogSink>,
}

/// The delivery streams of the account.
pub struct Firehose {
    folder: PathBuf,
    context: Context,
    iam: Arc<Iam>,
    neighbours: Arc<Services>,
    /// How many bytes each stream's journal may take on disk.
    max_journal_bytes: u64,
    /// By ARN. Held while a stream is started, so that no two deployments open one journal, and
    /// never while a stream works.
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    /// Set, with the streams locked, when the folder is about to be deleted.
    closed: AtomicBool,
}

impl Firehose {
    /// The streams whose journals are in `folder`; none of them is live yet.
    pub fn new(
        folder: &Path,
        max_journal_bytes: u64,
        context: &Context,
        iam: &Arc<Iam>,
        ports: Ports,
    ) -> Self {
        context.faults.register(&FAULTS);
        Self {
            folder: folder.to_owned(),
            context: context.clone(),
            iam: Arc::clone(iam),
            neighbours: Arc::new(Services {
                context: context.clone(),
                iam: Arc::clone(iam),
                functions: ports.functions,
                objects: ports.objects,
                logs: ports.logs,
            }),
            max_journal_bytes,
            streams: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Its resource types.
    pub fn resource_types(self: &Arc<Self>) -> Vec<Box<dyn AnyResourceType>> {
        vec![bind(resources::FirehoseDeliveryStream, self)]
    }

    /// Starts a stream, or has a running one do what it is declared to do now.
    pub fn deploy(&self, settings: StreamSettings) -> AwsResult<()> {
        let mut streams = self.streams();
        if self.closed.load(Ordering::SeqCst) {
            return Err(reset_meanwhile());
        }
        if let Some(stream) = streams.get(&settings.arn) {
            stream.update(settings);
            return Ok(());
        }
        let arn = settings.arn.clone();
        let folder = self
            .folder
            .join(format!("{}.{}", settings.region, settings.name));
        let stream = Stream::start(
            &folder,
            settings,
            Surroundings {
                neighbours: Arc::<Services>::clone(&self.neighbours),
                stopping: self.context.stopping.clone(),
                pauses: Pauses::default(),
                troubles: self.context.troubles.clone(),
                max_journal_bytes: self.max_journal_bytes,
            },
            &self.context.tasks,
        )
        .map_err(|error| AwsError::internal(format!("{error:#}")))?;
        streams.insert(arn, Arc::new(stream));
        Ok(())
    }

    /// Ends a stream; what it has not delivered is lost, as on AWS.
    pub async fn remove(&self, arn: &str) -> AwsResult<()> {
        let stream = self.streams().remove(arn);
        match stream {
            Some(stream) => stream
                .discard()
                .await
                .map_err(|error| AwsError::internal(format!("{error:#}"))),
            None => Ok(()),
        }
    }

    /// The name of every stream, and what became of its records.
    pub fn tallies(&self) -> Vec<Value> {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let streams = self.streams();
        let tallies = streams.values().map(|stream| {
            let tally = stream.tally();
            let (journal, longest) = stream.journal_bytes();
            json!({
                "name": stream.settings().name,
                "region": stream.settings().region,
                "waiting": count(&tally.waiting),
                "delivered": count(&tally.delivered),
                "failed": count(&tally.failed),
                "dropped": count(&tally.dropped),
                "journalBytes": journal,
                "maxJournalBytes": longest,
                "buffers": stream.levels(),
            })
        });
        tallies.collect()
    }

    /// Ends all streams, with what they have not delivered, and takes no new ones: the folder is
    /// about to be deleted.
    pub async fn discard_all(&self) {
        let streams = {
            let mut streams = self.streams();
            self.closed.store(true, Ordering::SeqCst);
            std::mem::take(&mut *streams)
        };
        for stream in streams.into_values() {
            if let Err(error) = stream.discard().await {
                tracing::warn!("a stream was not discarded: {error:#}");
            }
        }
    }

    /// What a stream is declared to do, if there is one of this ARN.
    pub fn settings(&self, arn: &str) -> Option<Arc<StreamSettings>> {
        self.streams().get(arn).map(|stream| stream.settings())
    }

    /// The stream of this name in a region.
    fn named(&self, region: &str, name: &str) -> AwsResult<Arc<Stream>> {
        self.streams()
            .values()
            .find(|stream| {
                let settings = stream.settings();
                settings.name == name && settings.region == region
            })
            .cloned()
            .ok_or_else(|| {
                AwsError::new(
                    400,
                    "ResourceNotFoundException",
                    format!("Firehose {name} under account {ACCOUNT_ID} not found."),
                )
            })
    }

    fn streams(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Stream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
