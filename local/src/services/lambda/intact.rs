//! Whether stored packages and their unpacked code are as they were written; looked at once, when
//! the cloud starts.

use crate::troubles::Troubles;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Cursor};
use std::path::Path;
use zip::ZipArchive;

/// Keeps damaged packages and damaged code aside. Code that is gone is unpacked from its package
/// again; code whose package is gone is still run.
pub fn check(folder: &Path, troubles: &Troubles) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_none_or(|end| end != "zip") {
            continue;
        }
        let unpacked = path.with_extension("");
        match fs::read(&path) {
            Ok(zipped) if is_named_by_digest(&path, &zipped) => {
                if unpacked.exists() && !holds(&unpacked, &zipped).unwrap_or(false) {
                    let what = "the unpacked code of a function is damaged; it is unpacked from \
                                its package again, and nothing is lost";
                    troubles.keep_file(&unpacked, what);
                }
            }
            Ok(_) => {
                let what = "the package of a function is damaged; its unpacked code is still run. \
                            Deploy the function again";
                troubles.keep_file(&path, what);
            }
            Err(error) => {
                let what = format!("the package of a function cannot be read: {error}");
                troubles.keep_file(&path, &what);
            }
        }
    }
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
    let digest = super::code::hex(&Sha256::digest(bytes));
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
