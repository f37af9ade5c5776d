//! Whether stored packages and their unpacked code are as they were written.

use crate::code::CodeStore;
use cloud_core::error::AwsResult;
use cloud_core::folder::write_whole;
use cloud_core::troubles::Troubles;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;
use zip::ZipArchive;

const ZIP: &str = "zip";

/// How the name of a package's second copy ends.
pub(crate) const COPY: &str = "copy";

impl CodeStore {
    /// Checks once, before the first use, whether a package and its unpacked code are as they were
    /// written. A damaged one is kept aside and made again. Blocks for as long as the disk takes.
    pub(crate) fn make_whole(&self, name: &str) -> AwsResult<()> {
        if self.is_whole(name) {
            return Ok(());
        }
        let _writing = self.writing();
        // Somebody else has looked meanwhile.
        if self.is_whole(name) {
            return Ok(());
        }
        let unpacked = self.folder.join(name);
        if let Some(zipped) = check(&unpacked, &self.troubles)
            && !unpacked.exists()
        {
            self.unpack(&zipped, &unpacked)?;
        }
        self.seen().insert(name.to_owned());
        Ok(())
    }

    /// The same, without blocking. What cannot be made again is as it is.
    pub(crate) async fn whole(self: Arc<Self>, name: &str) {
        if self.is_whole(name) {
            return;
        }
        let name = name.to_owned();
        let made = tokio::task::spawn_blocking(move || self.make_whole(&name)).await;
        if let Ok(Err(error)) = made {
            tracing::error!(%error, "damaged code cannot be unpacked again");
        }
    }

    /// Whether [`Self::make_whole`] has nothing to do.
    pub(crate) fn is_whole(&self, name: &str) -> bool {
        self.seen().contains(name)
    }

    /// Looks at all packages. Blocks for as long as the disk takes.
    pub(crate) fn check(&self, stopping: &CancellationToken) {
        for name in names(&self.folder) {
            if stopping.is_cancelled() {
                return;
            }
            if let Err(error) = self.make_whole(&name) {
                tracing::warn!(package = name, %error, "damaged code is not unpacked again");
            }
        }
    }

    /// Has the package checked once more before its next use.
    pub(crate) fn look_again(&self, name: &str) {
        self.seen().remove(name);
    }

    fn seen(&self) -> MutexGuard<'_, HashSet<String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The names of all packages in a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeSet::new();
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let stored = |path: &PathBuf| {
        let end = path.extension().and_then(|end| end.to_str());
        end.is_some_and(|end| [ZIP, COPY].contains(&end))
    };
    let stems = paths.filter(stored).filter_map(|path| {
        let stem = path.file_stem()?;
        Some(stem.to_str()?.to_owned())
    });
    stems.collect()
}

/// Keeps a damaged package and damaged code aside. The package is made again from its second
/// copy; code that was kept aside is to be unpacked again from the package, which this gives.
fn check(unpacked: &Path, troubles: &Troubles) -> Option<Vec<u8>> {
    let zipped = package(unpacked, troubles)?;
    if unpacked.exists() && !holds(unpacked, &zipped).unwrap_or(false) {
        let what = "the unpacked code of a function is damaged; it is unpacked from its \
                    package again, and nothing is lost";
        troubles.keep_file(unpacked, what);
    }
    Some(zipped)
}

/// The package of unpacked code, from the copy that is intact; the other is made again.
fn package(unpacked: &Path, troubles: &Troubles) -> Option<Vec<u8>> {
    let copies = [ZIP, COPY].map(|end| unpacked.with_extension(end));
    let intact = copies.iter().find_map(|path| {
        let bytes = fs::read(path).ok()?;
        is_named_by_digest(path, &bytes).then_some(bytes)
    });
    for path in copies {
        let is_intact = |bytes: &Vec<u8>| is_named_by_digest(&path, bytes);
        if fs::read(&path).is_ok_and(|bytes| is_intact(&bytes)) {
            continue;
        }
        if path.exists() {
            let what = match &intact {
                Some(_) => {
                    "the package of a function is damaged; it is made again from its second \
                            copy, and nothing is lost"
                }
                None => {
                    "the package of a function is damaged; its unpacked code is still run. \
                         Deploy the function again"
                }
            };
            troubles.keep_file(&path, what);
        }
        if let Some(bytes) = &intact
            && let Err(error) = write_whole(&path, bytes)
        {
            tracing::warn!(file = %path.display(), %error, "a package's copy is not written");
        }
    }
    intact
}

/// Makes durable what was unpacked into a folder, and the folder itself.
pub(crate) fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_all(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(folder)?.sync_all()
}

fn is_named_by_digest(path: &Path, bytes: &[u8]) -> bool {
    let digest = hex::encode(Sha256::digest(bytes));
    path.file_stem().is_some_and(|stem| *stem == *digest)
}

/// Whether a folder has every file of a package, as the package has it.
fn holds(folder: &Path, zipped: &[u8]) -> io::Result<bool> {
    let mut archive = ZipArchive::new(Cursor::new(zipped)).map_err(io::Error::other)?;
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
        let Some(inside) = entry.enclosed_name().filter(|_| entry.is_file()) else {
            continue;
        };
        let bytes = fs::read(folder.join(inside))?;
        if bytes.len() as u64 != entry.size() || crc32fast::hash(&bytes) != entry.crc32() {
            return Ok(false);
        }
    }
    Ok(true)
}
