//! Deployment packages: checked, kept in the data folder, unpacked.
//!
//! A package is stored under the SHA-256 of its bytes, once as it came and once unpacked, so that
//! the same code is there once however many functions run it. Packages of an earlier run of the
//! cloud are checked when they are used, so that the cloud answers at once after a start: see
//! [`CodeStore::make_whole`].

use crate::intact;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::folder::{self, sync_parent, write_whole};
use cloud_core::troubles::Troubles;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use zip::ZipArchive;

/// The largest package that can be uploaded directly, and the largest it may become unpacked
/// (gettingstarted-limits: 50 MB and 250 MB).
const MAX_ZIPPED: u64 = 50 * 1024 * 1024;
const MAX_UNZIPPED: u64 = 250 * 1024 * 1024;

/// The unpacked code of a function version; it stays on disk as long as somebody holds this.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// What AWS shows: the SHA-256 of the package, base64.
    pub sha256: String,
    /// The folder that holds `bootstrap`.
    pub folder: PathBuf,
}

impl Code {
    /// The SHA-256 of the package in hexadecimal digits, which is the folder's name.
    pub fn digest(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// A package that was just stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPackage {
    /// The SHA-256 of the package, base64.
    pub sha256: String,
    /// The size of the package, in bytes.
    pub size: u64,
}

/// All packages in the data folder.
#[derive(Debug)]
pub(crate) struct CodeStore {
    pub(super) folder: PathBuf,
    pub(super) troubles: Troubles,
    // Who takes more than one of the locks takes them in this order: `held`, `writing`, `seen`.
    held: Mutex<Held>,
    /// The names of the packages that were looked at, or written, since the start.
    pub(super) seen: Mutex<HashSet<String>>,
    /// Held while something is written into the folder, since functions with the same code are
    /// deployed at the same time.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    /// By SHA-256 in base64.
    codes: HashMap<String, Weak<Code>>,
    /// Stored for a function that is not live yet.
    awaited: HashSet<String>,
    /// What deployed functions run that an earlier run of the cloud left and that are not live
    /// yet, by their ARNs.
    expected: HashMap<String, String>,
}

impl CodeStore {
    /// The packages in `folder`.
    pub(crate) fn open(folder: &Path, troubles: &Troubles) -> Result<Self> {
        folder::create(folder)
            .with_context(|| format!("the folder {} cannot be created", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            troubles: troubles.clone(),
            held: Mutex::default(),
            seen: Mutex::default(),
            writing: Mutex::default(),
        })
    }

    /// Checks, copies and unpacks the package at `path`. Blocks for as long as the disk takes.
    pub(crate) fn store(&self, path: &Path) -> AwsResult<StoredPackage> {
        let zipped = read_package(path)?;
        let digest = Sha256::digest(&zipped);
        let package = StoredPackage {
            sha256: STANDARD.encode(digest),
            size: zipped.len() as u64,
        };
        self.held().awaited.insert(package.sha256.clone());
        let name = hex::encode(digest);
        // What an earlier run of the cloud left of it.
        self.make_whole(&name)?;
        let _writing = self.writing();
        let unpacked = self.folder.join(&name);
        if !unpacked.exists() {
            self.unpack(&zipped, &unpacked)?;
        }
        let copy = self.folder.join(format!("{name}.zip"));
        // Twice, so that what is damaged can be made again.
        for copy in [&copy, &copy.with_extension(intact::COPY)] {
            if !copy.exists() {
                write_whole(copy, &zipped).map_err(AwsError::internal)?;
            }
        }
        Ok(package)
    }

    /// The code of a stored package, unpacked.
    pub(crate) fn code(&self, sha256: &str) -> AwsResult<Arc<Code>> {
        let mut held = self.held();
        held.awaited.remove(sha256);
        if let Some(code) = held.codes.get(sha256).and_then(Weak::upgrade) {
            return Ok(code);
        }
        let name = STANDARD
            .decode(sha256)
            .map(hex::encode)
            .map_err(AwsError::internal)?;
        let folder = self.folder.join(&name);
        if !folder.exists() {
            self.look_again(&name);
            self.make_whole(&name)?;
            if !folder.exists() {
                let package = folder.with_extension("zip");
                let what = format!("{} cannot be read", package.display());
                return Err(AwsError::internal(what));
            }
        }
        let code = Arc::new(Code {
            sha256: sha256.to_owned(),
            folder,
        });
        held.codes.insert(sha256.to_owned(), Arc::downgrade(&code));
        Ok(code)
    }

    /// The file of the package whose SHA-256 is this in hexadecimal digits.
    pub(crate) fn package(&self, sha256: &str) -> Option<PathBuf> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        let path = self.folder.join(format!("{sha256}.zip"));
        (is_digest && path.is_file()).then_some(path)
    }

    /// Keeps the code of a deployed function until it is live or gone. A start makes functions
    /// live one after the other, and one that cannot be made live may be so at the next start.
    pub(crate) fn expect(&self, function_arn: &str, sha256: &str) {
        let mut held = self.held();
        held.expected.insert(function_arn.into(), sha256.into());
    }

    /// The function is live, or gone: nothing has to be kept for it any more.
    pub(crate) fn settle(&self, function_arn: &str) {
        self.held().expected.remove(function_arn);
    }

    /// Deletes the packages that no function and no execution environment holds, and that none
    /// is expected to need.
    pub(crate) fn sweep(&self) {
        // Held until the files are gone: otherwise a function could be given code that is about to
        // be deleted.
        let mut held = self.held();
        held.codes.retain(|_, code| code.strong_count() > 0);
        let kept: HashSet<String> = held
            .codes
            .keys()
            .chain(&held.awaited)
            .chain(held.expected.values())
            .filter_map(|sha256| STANDARD.decode(sha256).ok())
            .map(hex::encode)
            .collect();
        if let Err(error) = self.remove_all_but(&kept) {
            tracing::warn!(folder = %self.folder.display(), %error, "old code stays");
        }
    }

    fn remove_all_but(&self, kept: &HashSet<String>) -> io::Result<()> {
        let paths = fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.path()));
        let mut paths = paths.collect::<io::Result<Vec<PathBuf>>>()?;
        // What is being written has one more ending.
        let digest =
            |path: &PathBuf| Some(path.file_name()?.to_str()?.split('.').next()?.to_owned());
        paths.retain(|path| digest(path).is_none_or(|digest| !kept.contains(&digest)));
        if paths.is_empty() {
            // Nothing to delete: return without waiting for a writer.
            return Ok(());
        }
        let _writing = self.writing();
        for path in paths {
            match path.is_dir() {
                true => fs::remove_dir_all(&path)?,
                false => fs::remove_file(&path)?,
            }
        }
        Ok(())
    }

    /// Unpacks beside the place and moves it there when it is whole. The files are synced before
    /// the folder gets its name, so that a folder of that name is complete after a crash too.
    pub(super) fn unpack(&self, zipped: &[u8], place: &Path) -> AwsResult<()> {
        let unfinished = place.with_extension("unfinished");
        let result = fs::remove_dir_all(&unfinished)
            .or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })
            .map_err(AwsError::internal)
            .and_then(|()| unzip(zipped, &unfinished))
            .and_then(|()| intact::sync_all(&unfinished).map_err(AwsError::internal))
            .and_then(|()| fs::rename(&unfinished, place).map_err(AwsError::internal))
            .and_then(|()| sync_parent(place).map_err(AwsError::internal));
        if result.is_err() {
            // What stays is overwritten by the next attempt.
            let _ = fs::remove_dir_all(&unfinished);
        }
        result
    }

    pub(super) fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_package(path: &Path) -> AwsResult<Vec<u8>> {
    let unreadable = |error: io::Error| {
        invalid(format!(
            "the deployment package {} cannot be read: {error}",
            path.display()
        ))
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut zipped = Vec::new();
    file.take(MAX_ZIPPED + 1)
        .read_to_end(&mut zipped)
        .map_err(unreadable)?;
    if zipped.len() as u64 > MAX_ZIPPED {
        return Err(invalid(format!(
            "the deployment package {} is larger than the {MAX_ZIPPED} bytes that can be \
             uploaded directly",
            path.display()
        )));
    }
    Ok(zipped)
}

fn unzip(zipped: &[u8], folder: &Path) -> AwsResult<()> {
    let broken = |error: &dyn std::fmt::Display| {
        invalid(format!(
            "Could not unzip uploaded file. Please check your file, then try to upload again. \
             ({error})"
        ))
    };
    let mut archive = ZipArchive::new(Cursor::new(zipped)).map_err(|error| broken(&error))?;
    fs::create_dir_all(folder).map_err(AwsError::internal)?;
    let mut left = MAX_UNZIPPED;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(&error))?;
        let name = entry.name().map_err(|error| broken(&error))?.into_owned();
        let inside = entry
            .enclosed_name()
            .ok_or_else(|| broken(&format!("{name:?} would be outside the function's folder")))?;
        let path = folder.join(inside);
        if entry.is_symlink() {
            return Err(broken(&format!(
                "{name:?} is a symbolic link, which the embedded cloud does not unpack"
            )));
        }
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(AwsError::internal)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| broken(&format!("{name:?}: {error}")))?;
        }
        let mut file =
            File::create_new(&path).map_err(|error| broken(&format!("{name:?}: {error}")))?;
        // The size in the archive is only a claim.
        let written = io::copy(&mut (&mut entry).take(left + 1), &mut file)
            .map_err(|error| broken(&format!("{name:?}: {error}")))?;
        left = left.checked_sub(written).ok_or_else(|| {
            invalid(format!(
                "Unzipped size must be smaller than {MAX_UNZIPPED} bytes"
            ))
        })?;
        let mode = entry.unix_mode().unwrap_or(0o644) & 0o777;
        fs::set_permissions(&path, Permissions::from_mode(mode | 0o400))
            .map_err(AwsError::internal)?;
    }
    Ok(())
}

fn invalid(message: String) -> AwsError {
    AwsError::new(400, "InvalidParameterValueException", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn package(folder: &Path, files: &[(&str, u32, &[u8])]) -> Result<PathBuf> {
        let path = folder.join("package.zip");
        let mut zip = ZipWriter::new(File::create(&path)?);
        for (name, mode, content) in files {
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode))?;
            zip.write_all(content)?;
        }
        zip.finish()?;
        Ok(path)
    }

    fn open(folder: &Path) -> Result<CodeStore> {
        CodeStore::open(folder, &Troubles::open(folder))
    }

    fn refusal(path: &Path) -> Result<String> {
        let folder = tempfile::tempdir()?;
        let store = open(folder.path())?;
        let refused = store.store(path).err().context("it is refused")?;
        assert_eq!(refused.code, "InvalidParameterValueException");
        assert_eq!(
            fs::read_dir(folder.path())?.count(),
            0,
            "nothing is left behind"
        );
        Ok(refused.message)
    }

    #[test]
    fn functions_with_the_same_package_are_deployed_at_once() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let files: Vec<_> = (0..200).map(|index| format!("lib/{index}")).collect();
        let mut entries: Vec<(&str, u32, &[u8])> = vec![("bootstrap", 0o755, b"#!")];
        entries.extend(
            files
                .iter()
                .map(|name| (name.as_str(), 0o644, &b"data"[..])),
        );
        let path = package(folder.path(), &entries)?;
        let store = open(&folder.path().join("code"))?;
        std::thread::scope(|scope| {
            let stored: Vec<_> = (0..8).map(|_| scope.spawn(|| store.store(&path))).collect();
            for one in stored {
                one.join().ok().context("it ended")??;
            }
            Ok(())
        })
    }

    #[test]
    fn a_package_is_unpacked_with_its_modes_and_stays_as_long_as_it_is_held() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = package(
            folder.path(),
            &[
                ("bootstrap", 0o755, b"#!"),
                ("lib/data.txt", 0o644, b"data"),
            ],
        )?;
        let store = open(&folder.path().join("code"))?;
        let package = store.store(&path)?;
        assert_eq!(package.size, fs::metadata(&path)?.len());
        assert_eq!(
            package.sha256,
            STANDARD.encode(Sha256::digest(fs::read(&path)?))
        );

        let code = store.code(&package.sha256)?;
        let mode = fs::metadata(code.folder.join("bootstrap"))?
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(fs::read(code.folder.join("lib/data.txt"))?, b"data");

        store.sweep();
        assert!(code.folder.exists(), "held");
        let unpacked = code.folder.clone();
        drop(code);
        store.sweep();
        assert!(!unpacked.exists());
        assert_eq!(fs::read_dir(folder.path().join("code"))?.count(), 0);
        Ok(())
    }

    #[test]
    fn code_is_there_after_a_restart_even_when_only_the_package_is() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = package(folder.path(), &[("bootstrap", 0o755, b"#!")])?;
        let kept = folder.path().join("code");
        let package = open(&kept)?.store(&path)?;
        let code = open(&kept)?.code(&package.sha256)?;
        fs::remove_dir_all(&code.folder)?;
        let code = open(&kept)?.code(&package.sha256)?;
        assert!(code.folder.join("bootstrap").exists());
        Ok(())
    }

    #[test]
    fn a_path_that_leaves_the_folder_is_refused() -> Result<()> {
        for name in ["../escape", "a/../../escape", "/etc/escape"] {
            let folder = tempfile::tempdir()?;
            let path = package(folder.path(), &[(name, 0o644, b"x")])?;
            let message = match refusal(&path) {
                Ok(message) => message,
                // An absolute name may be taken as one below the folder.
                Err(_) if name.starts_with('/') => continue,
                Err(error) => return Err(error),
            };
            assert!(
                message.contains("outside the function's folder"),
                "{message}"
            );
            assert!(!folder.path().join("escape").exists());
        }
        Ok(())
    }

    #[test]
    fn what_is_no_package_is_refused_with_the_reason() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("broken.zip");
        assert!(refusal(&path)?.contains("cannot be read"));
        fs::write(&path, b"this is no zip")?;
        assert!(refusal(&path)?.contains("Could not unzip"));

        let whole = fs::read(package(folder.path(), &[("bootstrap", 0o755, &[7; 5000])])?)?;
        fs::write(&path, &whole[..whole.len() / 2])?;
        assert!(refusal(&path)?.contains("Could not unzip"));
        Ok(())
    }

    #[test]
    fn a_package_that_grows_beyond_the_limit_is_refused() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("bomb.zip");
        let mut zip = ZipWriter::new(File::create(&path)?);
        let zeros = vec![0; 32 * 1024 * 1024];
        for index in 0..9 {
            zip.start_file(format!("{index}"), SimpleFileOptions::default())?;
            zip.write_all(&zeros)?;
        }
        zip.finish()?;
        assert!(refusal(&path)?.contains("must be smaller than 262144000 bytes"));
        Ok(())
    }
}
