//! From transformed records to an object in the bucket: gathering, naming, compressing.

use super::buffer::Level;
use super::settings::{Compression, StreamSettings};
use crate::ports::ObjectHeaders;
use anyhow::Result;
use bytes::Bytes;
use cloud_journal::{Entry, Sequences};
use flate2::write::GzEncoder;
use std::io::Write;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::time::Instant;
use uuid::Uuid;

/// The bounds of the buffer towards S3, in MiB, and what is when nothing is said
/// (API reference, `BufferingHints`).
pub(crate) const SIZE_MB: std::ops::RangeInclusive<u64> = 1..=128;
pub(crate) const DEFAULT_SIZE_MB: u64 = 5;

/// Its interval, in seconds (API reference, `BufferingHints`).
pub(crate) const INTERVAL_SECONDS: std::ops::RangeInclusive<u64> = 0..=900;
pub(crate) const DEFAULT_INTERVAL_SECONDS: u64 = 300;

/// Which prefix an object gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Delivered,
    Failed,
}

/// The buffer towards S3: what the next object will hold.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    body: Vec<u8>,
    sequences: Sequences,
    /// The arrival of the oldest record, in milliseconds since the Unix epoch.
    oldest: Option<i64>,
    /// The data of the records as they were accepted, in bytes, and their number.
    accepted: (usize, usize),
    pub level: Level,
}

/// A sealed buffer.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub kind: ObjectKind,
    body: Bytes,
    /// The records it settles.
    pub sequences: Sequences,
    oldest: Option<i64>,
    /// The data of the records as they were accepted, in bytes, and their number.
    pub accepted: (usize, usize),
}

/// An object to be stored.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub key: String,
    pub body: Bytes,
    pub headers: ObjectHeaders,
}

impl Gathering {
    /// Adds what is delivered of a record.
    pub(crate) fn add(&mut self, entry: &Entry, data: &[u8], now: Instant) {
        self.body.extend_from_slice(data);
        self.sequences.insert(entry.sequence);
        let oldest = self.oldest.get_or_insert(entry.arrival);
        *oldest = entry.arrival.min(*oldest);
        self.accepted.0 += entry.length as usize;
        self.accepted.1 += 1;
        self.level.add(data.len(), now);
    }

    /// How many records wait, and how full the buffer is.
    pub(crate) fn now(&self) -> (usize, Level) {
        (self.accepted.1, self.level)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// Everything that waits, as one batch.
    pub(crate) fn seal(&mut self, kind: ObjectKind) -> Batch {
        let sealed = std::mem::take(self);
        Batch {
            kind,
            body: sealed.body.into(),
            sequences: sealed.sequences,
            oldest: sealed.oldest,
            accepted: sealed.accepted,
        }
    }
}

impl Batch {
    /// What its object will hold, before compression.
    pub(crate) fn lines(&self) -> &[u8] {
        &self.body
    }

    /// The object that holds the batch, with the name that it keeps in every attempt. `now`
    /// takes the place of an arrival that cannot be. Blocks for as long as compressing takes.
    pub(crate) fn into_object(
        self,
        settings: &StreamSettings,
        now: OffsetDateTime,
    ) -> Result<Object> {
        let time = self
            .oldest
            .and_then(|millis| {
                OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
            })
            .unwrap_or(now);
        let destination = &settings.destination;
        let (body, encoding) = match destination.compression {
            Compression::Uncompressed => (self.body, None),
            Compression::Gzip => (gzip(&self.body)?.into(), Some("gzip".to_owned())),
        };
        Ok(Object {
            key: key(settings, self.kind, time)?,
            body,
            headers: ObjectHeaders {
                content_type: Some("application/octet-stream".into()),
                content_encoding: encoding,
            },
        })
    }
}

/// Prefix, stream, version, date and a UUID (AWS's page s3-object-name).
fn key(settings: &StreamSettings, kind: ObjectKind, time: OffsetDateTime) -> Result<String> {
    let destination = &settings.destination;
    let prefix = match kind {
        ObjectKind::Delivered => destination.prefixes.delivered(time),
        ObjectKind::Failed => destination.prefixes.failed(time),
    };
    let extension = destination
        .file_extension
        .as_deref()
        .unwrap_or(destination.compression.extension());
    let date = time.format(format_description!(
        "[year]-[month]-[day]-[hour]-[minute]-[second]"
    ))?;
    Ok(format!(
        "{prefix}{}-{}-{date}-{}{extension}",
        settings.name,
        settings.version,
        Uuid::new_v4()
    ))
}

fn gzip(body: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    Ok(encoder.finish()?)
}
