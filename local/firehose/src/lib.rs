//! Amazon Data Firehose: delivery streams that buffer, transform and deliver records.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `protocol`, `constraints` | the JSON protocol: PutRecord, PutRecordBatch, Describe, List |
//! | `settings`, `prefix` | what a stream was declared to do |
//! | `journal` | accepted records on disk, until they are delivered |
//! | `stream`, `buffer` | a stream at work: two buffers, and when they are sent on |
//! | `levels` | how full the buffers are, for the person who watches |
//! | `worker`, `transform`, `failed`, `delivery` | what is done with a batch |
//! | `neighbours` | the services around it, called in the delivery role |

mod buffer;
mod constraints;
mod delivery;
mod failed;
mod journal;
mod levels;
mod neighbours;
mod prefix;
mod protocol;
mod settings;
mod stream;
mod transform;
mod worker;

pub use buffer::Hints;
pub use delivery::{DEFAULT_INTERVAL_SECONDS, DEFAULT_SIZE_MB, INTERVAL_SECONDS, SIZE_MB};
pub use prefix::{PrefixError, Prefixes};
pub use protocol::{DESTINATION_ID, OPERATIONS, slow_down};
pub use settings::{Compression, Destination, LogTarget, MEBIBYTE, Settings, Transform};

/// The limits of a processor.
pub mod processor {
    pub use super::transform::{
        DEFAULT_INTERVAL_SECONDS, DEFAULT_RETRIES, DEFAULT_SIZE_MB, INTERVAL_SECONDS, RETRIES,
        SIZE_MB,
    };
}

use cloud_core::context::reset_meanwhile;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use anyhow::Result;
use neighbours::Services;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
pub use stream::MAX_JOURNAL_BYTES;
use stream::{Stream, Surroundings};
use worker::Pauses;

/// The delivery streams of the account.
pub struct Firehose {
    folder: PathBuf,
    /// By ARN.
    streams: Mutex<BTreeMap<String, Arc<Stream>>>,
    /// Set, with the streams locked, when the folder is about to be deleted.
    closed: AtomicBool,
}

impl Firehose {
    /// Opens the folder that holds each stream's journal.
    pub fn open(folder: &Path) -> Result<Self> {
        Ok(Self {
            folder: folder.to_owned(),
            streams: Mutex::default(),
            closed: AtomicBool::new(false),
        })
    }

    /// Starts a stream, or has a running one do what it is declared to do now.
    pub fn deploy(&self, cloud: &Arc<Cloud>, settings: Settings) -> AwsResult<()> {
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
        let neighbours = Arc::new(Services {
            cloud: Arc::downgrade(cloud),
        });
        let stream = Stream::start(
            &folder,
            settings,
            Surroundings {
                neighbours,
                stopping: cloud.stopping.clone(),
                pauses: Pauses::default(),
                troubles: cloud.troubles.clone(),
                max_journal_bytes: cloud.config.max_journal_bytes,
            },
            &cloud.tasks,
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
    pub fn settings(&self, arn: &str) -> Option<Arc<Settings>> {
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
