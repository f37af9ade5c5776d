//! Whether stored packages and their unpacked code are as they were written; looked at once, when
//! the cloud starts.

use cloud_core::folder::write_whole;
use cloud_core::troubles::Troubles;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

const ZIP: &str = "zip";

/// How the name of a package's second copy ends.
pub const COPY: &str = "copy";

/// Keeps damaged packages and damaged code aside. A package is made again from its second copy,
/// and code is unpacked again from its package.
pub fn check(folder: &Path, troubles: &Troubles) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let stored = |path: &PathBuf| {
        let end = path.extension().and_then(|end| end.to_str());
        end.is_some_and(|end| [ZIP, COPY].contains(&end))
    };
    let packages: BTreeSet<PathBuf> = paths
        .filter(stored)
        .map(|path| path.with_extension(""))
        .collect();
    for unpacked in packages {
        let Some(zipped) = package(&unpacked, troubles) else {
            continue;
        };
        if unpacked.exists() && !holds(&unpacked, &zipped).unwrap_or(false) {
            let what = "the unpacked code of a function is damaged; it is unpacked from its \
                        package again, and nothing is lost";
            troubles.keep_file(&unpacked, what);
        }
    }
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
pub fn sync_all(folder: &Path) -> io::Result<()> {
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
