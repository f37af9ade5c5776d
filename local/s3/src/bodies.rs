//! The bytes of objects: small ones travel with their record, large ones are files.
//!
//! A file is on disk before the record that names it is committed, and is removed after the
//! record is gone. Each is sealed, so that damage in it is noticed. What a crash leaves in between
//! is a file that no record names: each file has an entry in the store, committed together with
//! the record, and the next start removes the files that have none. A file that is being read when
//! its record goes stays until the last reader is done.
//!
//! All that waits for the disk, and all hashing of what goes into a file, is done on threads for
//! blocking work, some 64 KiB at a time: no client that is slow keeps such a thread, and a reset
//! waits for what is under way on them.

use super::checksums::{Algorithm, Hasher};
use super::errors::entity_too_large;
use super::holds::{Held, Holds};
use super::intake::{Intake, Received};
use super::sealed::{self, Section};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use cloud_core::context::Context;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Snapshot};
use cloud_core::troubles::Troubles;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The table of files that a record names.
const FILES: &str = "s3.file";

/// How much of a large body is gathered before it is hashed and written.
const AT_ONCE: usize = 64 * 1024;

/// Up to here a body is stored with its record. Not more than [`AT_ONCE`].
pub(crate) const MAX_RECORD_BODY: usize = 64 * 1024;

/// The largest object of a single PUT, and the largest part:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
pub(crate) const MAX_UPLOAD: u64 = 5 * 1024 * 1024 * 1024;

/// A body's file, or one of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    pub name: String,
    pub size: u64,
}

/// The folder of large bodies.
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    folder: Arc<Path>,
    holds: Arc<Holds>,
    troubles: Troubles,
    tasks: TaskTracker,
}

impl Bodies {
    /// Opens the folder, and removes the files that no record names; not when records are lost.
    pub(crate) async fn open(folder: &Path, context: &Context) -> Result<Self> {
        let folder: Arc<Path> = folder.into();
        let (of, is_whole) = (Arc::clone(&folder), context.store.is_whole());
        let tidied = context
            .store
            .read(move |records| tidy(&of, records, is_whole));
        tidied.await??;
        Ok(Self {
            holds: Arc::new(Holds::new(Arc::clone(&folder))),
            folder,
            troubles: context.troubles.clone(),
            tasks: context.tasks.clone(),
        })
    }

    /// Reads all files for what is damaged in them. Blocks for as long as that takes.
    pub(crate) fn check(&self, stopping: &CancellationToken) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.filter_map(Result::ok) {
            if stopping.is_cancelled() {
                return;
            }
            // One that is gone was deleted, or never finished.
            if let Ok(Some(what)) = sealed::check(&entry.path()) {
                self.troubles.name_only(&entry.path(), &what);
            }
        }
    }

    /// Takes in a body with its digest and a checksum: up to `in_memory` bytes in memory,
    /// otherwise in a file that is durable on return. With 0 it is always a file.
    pub(crate) async fn receive<S, E>(
        &self,
        body: S,
        algorithm: Algorithm,
        in_memory: usize,
    ) -> AwsResult<Received>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        let mut body = std::pin::pin!(body);
        let mut intake = Intake::new(Arc::clone(&self.folder), algorithm);
        let mut waiting = Vec::new();
        let mut waiting_bytes = 0;
        let mut size: u64 = 0;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| broken_body(&error))?;
            size += chunk.len() as u64;
            if size > MAX_UPLOAD {
                return Err(entity_too_large());
            }
            waiting_bytes += chunk.len();
            waiting.push(chunk);
            if waiting_bytes > AT_ONCE {
                let chunks = std::mem::take(&mut waiting);
                waiting_bytes = 0;
                let written = self.blocking(move || intake.write(&chunks));
                intake = written.await.map_err(AwsError::internal)?;
            }
        }
        if in_memory > 0 && size <= in_memory as u64 {
            // Hashed here: that takes less than the way to another thread and back.
            return Ok(intake.keep_in_memory(waiting));
        }
        let finished = self.blocking(move || intake.write(&waiting)?.finish());
        finished.await.map_err(AwsError::internal)
    }

    /// Reads a range of the bytes in `parts`. Their files stay until the stream is dropped,
    /// even if the object is deleted. Where they are gone already (`NotFound`), the caller
    /// looks the object up again.
    pub(crate) async fn read(
        &self,
        parts: &[FilePart],
        range: Range<u64>,
    ) -> io::Result<impl Stream<Item = io::Result<Bytes>> + Send + Sync + use<>> {
        let mut reader = self.reader(parts, range)?;
        let opened = self.blocking(move || reader.open_next().map(|()| reader));
        let (reader, bodies) = (opened.await?, self.clone());
        Ok(futures::stream::try_unfold(reader, move |mut reader| {
            let bodies = bodies.clone();
            async move {
                let read = bodies.blocking(move || Ok(reader.next()?.map(|bytes| (bytes, reader))));
                read.await
            }
        }))
    }

    /// The checksum of the bytes in `parts`, in base64. It ends early when nobody waits for it any
    /// more.
    pub(crate) async fn checksum(
        &self,
        parts: &[FilePart],
        algorithm: Algorithm,
    ) -> AwsResult<String> {
        let size = parts.iter().map(|part| part.size).sum();
        let mut reader = self.reader(parts, 0..size).map_err(AwsError::internal)?;
        let waited_for = CancellationToken::new();
        let given_up = waited_for.clone();
        let _until_dropped = waited_for.drop_guard();
        let calculated = self.blocking(move || {
            let mut hasher = Hasher::new(algorithm);
            reader.open_next()?;
            while let Some(bytes) = reader.next()? {
                if given_up.is_cancelled() {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                hasher.update(&bytes);
            }
            Ok(hasher.finish())
        });
        calculated.await.map_err(AwsError::internal)
    }

    /// What reads a range of the bytes in `parts`.
    fn reader(&self, parts: &[FilePart], range: Range<u64>) -> io::Result<Reader> {
        let mut sections = VecDeque::new();
        let mut names = Vec::new();
        let mut start = 0;
        for part in parts {
            let end = start + part.size;
            let from = range.start.max(start);
            let to = range.end.min(end);
            if from < to {
                let path = self.folder.join(&part.name);
                sections.push_back((path, part.size, from - start, to - from));
                names.push(part.name.clone());
            }
            start = end;
        }
        let held = self.holds.hold(names);
        Ok(Reader {
            sections,
            open: None,
            _held: held.ok_or(io::ErrorKind::NotFound)?,
            troubles: self.troubles.clone(),
        })
    }

    /// Removes files whose record is gone, as soon as nobody reads them.
    pub(crate) async fn remove(&self, parts: impl IntoIterator<Item = FilePart>) {
        let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
        if names.is_empty() {
            return;
        }
        let holds = Arc::clone(&self.holds);
        let removed = self.blocking(move || {
            holds.remove(names);
            Ok(())
        });
        if let Err(error) = removed.await {
            tracing::warn!(%error, "the files of deleted objects stay until the next start");
        }
    }

    /// Does work with files on a thread that may wait for the disk. A reset waits for its end,
    /// also when nobody else does any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let done = self.tasks.spawn_blocking(work).await;
        done.map_err(io::Error::other)?
    }
}

/// Creates the folder, and removes the files in it that no record names; not when records are
/// lost.
fn tidy(folder: &Path, records: &Snapshot, is_whole: bool) -> Result<()> {
    cloud_core::folder::create(folder)
        .with_context(|| format!("the folder {} cannot be created", folder.display()))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let known = match name.to_str() {
            Some(name) => records.get(FILES, name)?.is_some(),
            None => false,
        };
        if !known && is_whole {
            tracing::info!(file = %entry.path().display(), "removing an unfinished upload");
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Adds the entries of files that a record in the same batch names.
pub(crate) fn name_files<'a>(batch: Batch, parts: impl IntoIterator<Item = &'a FilePart>) -> Batch {
    parts.into_iter().fold(batch, |batch, part| {
        batch.put(FILES, &part.name, Vec::new())
    })
}

/// Removes the entries of files that no record names any more.
pub(crate) fn forget_files<'a>(
    batch: Batch,
    parts: impl IntoIterator<Item = &'a FilePart>,
) -> Batch {
    parts
        .into_iter()
        .fold(batch, |batch, part| batch.delete(FILES, &part.name))
}

/// Sections of files, read one after the other. Its calls wait for the disk.
struct Reader {
    /// A file, the size of the body in it, where to begin, and how many bytes to read.
    sections: VecDeque<(PathBuf, u64, u64, u64)>,
    open: Option<Section>,
    troubles: Troubles,
    _held: Held,
}

impl Reader {
    fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(section) = &mut self.open else {
                return Ok(None);
            };
            match section.next() {
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) => self.open_next()?,
                Err(error) => {
                    if error.kind() == io::ErrorKind::InvalidData
                        && let Ok(Some(what)) = sealed::check(section.path())
                    {
                        self.troubles.name_only(section.path(), &what);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn open_next(&mut self) -> io::Result<()> {
        self.open = match self.sections.pop_front() {
            Some((path, size, from, length)) => Some(Section::open(path, size, from, length)?),
            None => None,
        };
        Ok(())
    }
}

/// The s3s crate checks signatures and digests while a body is read, and reports what it finds
/// in errors whose types are its own.
pub(crate) fn broken_body(error: &dyn std::fmt::Display) -> AwsError {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        AwsError::new(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    } else if text.contains("SignatureMismatch") {
        AwsError::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. \
             Check your key and signing method.",
        )
    } else {
        tracing::debug!(error = text, "a body broke off");
        AwsError::new(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        )
    }
}
