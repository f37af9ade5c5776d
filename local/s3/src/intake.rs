//! A body as it comes in: hashed, and written to a file when it is large.

use super::bodies::FilePart;
use super::checksums::{Algorithm, Hasher};
use super::sealed::Sealer;
use bytes::Bytes;
use s3s::crypto::{Checksum as _, Md5};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    fn create(folder: &Path) -> io::Result<(File, Self)> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let path = folder.join(&name);
        let file = File::create_new(&path)?;
        let part = FilePart { name, size: 0 };
        let kept = false;
        Ok((file, Self { path, part, kept }))
    }

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
            // At once, on whatever thread: a client that is refused, and a reset, leave no file.
            // What cannot be removed now is removed at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A body that is coming in.
pub(crate) struct Intake {
    folder: Arc<Path>,
    size: u64,
    md5: Md5,
    algorithm: Algorithm,
    hasher: Hasher,
    sealer: Sealer,
    file: Option<(File, NewFile)>,
}

impl Intake {
    /// Nothing has come in yet. Large bodies become files in this folder.
    pub(crate) fn new(folder: Arc<Path>, algorithm: Algorithm) -> Self {
        Self {
            folder,
            size: 0,
            md5: Md5::new(),
            algorithm,
            hasher: Hasher::new(algorithm),
            sealer: Sealer::default(),
            file: None,
        }
    }

    /// Ends with these bytes, in memory.
    pub(crate) fn keep_in_memory(mut self, mut chunks: Vec<Bytes>) -> Received {
        self.hash(&chunks);
        let bytes = match chunks.len() {
            0 | 1 => chunks.pop().unwrap_or_default(),
            _ => chunks.concat().into(),
        };
        self.received(Place::Memory(bytes))
    }

    /// Hashes bytes and adds them to the file, which is made first where there is none. Waits for
    /// the disk.
    pub(crate) fn write(mut self, chunks: &[Bytes]) -> io::Result<Self> {
        self.hash(chunks);
        let (file, _) = match &mut self.file {
            Some(file) => file,
            none => none.insert(NewFile::create(&self.folder)?),
        };
        for chunk in chunks {
            self.sealer.update(chunk);
            file.write_all(chunk)?;
        }
        Ok(self)
    }

    /// Ends, with all of it in a file that is durable on return. Waits for the disk.
    pub(crate) fn finish(mut self) -> io::Result<Received> {
        let (mut file, mut new) = match self.file.take() {
            Some(file) => file,
            None => NewFile::create(&self.folder)?,
        };
        file.write_all(&std::mem::take(&mut self.sealer).finish())?;
        // The bytes, then the name: a name without its bytes would be a body that is damaged.
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        new.part.size = self.size;
        Ok(self.received(Place::File(new)))
    }

    fn hash(&mut self, chunks: &[Bytes]) {
        for chunk in chunks {
            self.size += chunk.len() as u64;
            self.md5.update(chunk);
            self.hasher.update(chunk);
        }
    }

    fn received(self, place: Place) -> Received {
        Received {
            size: self.size,
            md5: hex::encode(self.md5.finalize()),
            checksum: self.hasher.finish(),
            algorithm: self.algorithm,
            place,
        }
    }
}
