//! The bytes of objects: small ones travel with their record, large ones are files.
//!
//! A file is on disk before the record that names it is committed, and is removed after the
//! record is gone. Each is sealed, so that damage in it is noticed. What a crash leaves in between is a file that no record names: each file has
//! an entry in the store, committed together with the record, and the next start removes the
//! files that have none. A file that is being read when its record goes stays until the last
//! reader is done.

use super::checksums::{Algorithm, Hasher};
use super::errors::entity_too_large;
use super::holds::{Held, Holds};
use super::sealed::{self, Sealer, Section};
use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::store::{Batch, Store};
use cloud_core::troubles::Troubles;
use futures::{Stream, StreamExt};
use s3s::crypto::{Checksum as _, Md5};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// The table of files that a record names.
const FILES: &str = "s3.file";

/// Up to here a body is stored with its record.
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
}

/// A body that has arrived and belongs to no record yet. When it is dropped, nothing of it stays.
#[derive(Debug)]
pub struct Received {
    pub size: u64,
    /// The MD5 digest, in hexadecimal digits.
    pub md5: String,
    /// The value of the checksum that was asked for, in base64.
    pub checksum: String,
    pub algorithm: Algorithm,
    pub place: Place,
}

#[derive(Debug)]
pub enum Place {
    Memory(Bytes),
    File(NewFile),
}

/// A file that is removed again unless it is kept.
#[derive(Debug)]
pub struct NewFile {
    path: PathBuf,
    part: FilePart,
    kept: bool,
}

impl NewFile {
    /// The part as a record names it. The file stays when the record has been committed: see
    /// [`Self::keep`].
    pub fn part(&self) -> FilePart {
        self.part.clone()
    }

    /// The record that names the file is durable.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Bodies {
    /// Opens the folder, and removes the files that no record names; not when records are lost.
    pub(crate) fn open(folder: &Path, store: &Store, troubles: &Troubles) -> Result<Self> {
        cloud_core::folder::create(folder)
            .with_context(|| format!("the folder {} cannot be created", folder.display()))?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let known = match name.to_str() {
                Some(name) => store.get(FILES, name)?.is_some(),
                None => false,
            };
            if !known && store.is_whole() {
                tracing::info!(file = %entry.path().display(), "removing an unfinished upload");
                std::fs::remove_file(entry.path())?;
            }
        }
        let folder: Arc<Path> = folder.into();
        Ok(Self {
            holds: Arc::new(Holds::new(Arc::clone(&folder))),
            folder,
            troubles: troubles.clone(),
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
        let mut md5 = Md5::new();
        let mut hasher = Hasher::new(algorithm);
        let mut size: u64 = 0;
        let mut first = Bytes::new();
        let mut buffer = BytesMut::new();
        let mut file: Option<(File, NewFile)> = None;
        let mut sealer = Sealer::default();
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| broken_body(&error))?;
            size += chunk.len() as u64;
            if size > MAX_UPLOAD {
                return Err(entity_too_large());
            }
            md5.update(&chunk);
            hasher.update(&chunk);
            if let Some((file, _)) = &mut file {
                sealer.update(&chunk);
                file.write_all(&chunk).await.map_err(AwsError::internal)?;
            } else if size > in_memory as u64 {
                let (mut opened, new) = self.create().await.map_err(AwsError::internal)?;
                for bytes in [&first[..], &buffer[..], &chunk[..]] {
                    sealer.update(bytes);
                    opened.write_all(bytes).await.map_err(AwsError::internal)?;
                }
                (first, buffer) = (Bytes::new(), BytesMut::new());
                file = Some((opened, new));
            } else if first.is_empty() {
                first = chunk;
            } else {
                buffer.extend_from_slice(&chunk);
            }
        }
        if in_memory == 0 && file.is_none() {
            // An empty body, which has to be a file all the same.
            file = Some(self.create().await.map_err(AwsError::internal)?);
        }
        let place = match file {
            Some((mut opened, mut new)) => {
                let seal = sealer.finish();
                opened.write_all(&seal).await.map_err(AwsError::internal)?;
                opened.flush().await.map_err(AwsError::internal)?;
                opened.sync_all().await.map_err(AwsError::internal)?;
                self.sync_folder().await.map_err(AwsError::internal)?;
                new.part.size = size;
                Place::File(new)
            }
            None if buffer.is_empty() => Place::Memory(first),
            None => Place::Memory([&first[..], &buffer[..]].concat().into()),
        };
        Ok(Received {
            size,
            md5: hex::encode(md5.finalize()),
            checksum: hasher.finish(),
            algorithm,
            place,
        })
    }

    /// Reads a range of the bytes in `parts`. Their files stay until the stream is dropped,
    /// whatever becomes of the object. Where they are gone already (`NotFound`), the caller
    /// looks the object up again.
    pub(crate) async fn read(
        &self,
        parts: &[FilePart],
        range: Range<u64>,
    ) -> std::io::Result<impl Stream<Item = std::io::Result<Bytes>> + Send + Sync + use<>> {
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
        let mut reader = Reader {
            sections,
            open: None,
            _held: held.ok_or(std::io::ErrorKind::NotFound)?,
            troubles: self.troubles.clone(),
        };
        reader.open_next().await?;
        Ok(futures::stream::try_unfold(
            reader,
            |mut reader| async move {
                let bytes = reader.next().await?;
                Ok(bytes.map(|bytes| (bytes, reader)))
            },
        ))
    }

    /// Removes files whose record is gone, as soon as nobody reads them.
    pub(crate) async fn remove(&self, parts: impl IntoIterator<Item = FilePart>) {
        let names: Vec<String> = parts.into_iter().map(|part| part.name).collect();
        if names.is_empty() {
            return;
        }
        let holds = Arc::clone(&self.holds);
        if let Err(error) = tokio::task::spawn_blocking(move || holds.remove(names)).await {
            tracing::warn!(%error, "the files of deleted objects stay until the next start");
        }
    }

    async fn create(&self) -> std::io::Result<(File, NewFile)> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let path = self.folder.join(&name);
        // Made where the file is made: when nobody waits for it any more, it is removed.
        let created = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::create_new(&path)?;
            let new = NewFile {
                path,
                part: FilePart { name, size: 0 },
                kept: false,
            };
            std::io::Result::Ok((file, new))
        });
        let (file, new) = created.await.map_err(std::io::Error::other)??;
        Ok((File::from_std(file), new))
    }

    /// Makes the names of new files durable.
    async fn sync_folder(&self) -> std::io::Result<()> {
        File::open(&*self.folder).await?.sync_all().await
    }
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

/// Sections of files, read one after the other.
struct Reader {
    /// A file, the size of the body in it, where to begin, and how many bytes to read.
    sections: VecDeque<(PathBuf, u64, u64, u64)>,
    open: Option<Section>,
    troubles: Troubles,
    _held: Held,
}

impl Reader {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        loop {
            let Some(section) = &mut self.open else {
                return Ok(None);
            };
            match section.next().await {
                Ok(Some(bytes)) => return Ok(Some(bytes)),
                Ok(None) => self.open_next().await?,
                Err(error) => {
                    if error.kind() == std::io::ErrorKind::InvalidData
                        && let Ok(Some(what)) = sealed::check(section.path())
                    {
                        self.troubles.name_only(section.path(), &what);
                    }
                    return Err(error);
                }
            }
        }
    }

    async fn open_next(&mut self) -> std::io::Result<()> {
        self.open = match self.sections.pop_front() {
            Some((path, size, from, length)) => {
                Some(Section::open(path, size, from, length).await?)
            }
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
