//! A zip archive with one executable, written only when it changes.

use crate::whole;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Brings the archive at `path` up to date with `binary`, which is stored as `name` with deflate's
/// level `level`, 1 to 9; `check` may refuse the binary.
pub fn update(
    path: &Path,
    binary: &Path,
    name: &str,
    level: i64,
    check: impl FnOnce(&[u8]) -> Result<()>,
) -> Result<()> {
    let stamp = path.with_extension("stamp");
    if let (Some(last), Some(now)) = (read(&stamp), Stamp::of(binary, path))
        && last == now
    {
        return Ok(());
    }
    let content =
        fs::read(binary).with_context(|| format!("{} cannot be read", binary.display()))?;
    check(&content)?;
    let archive = pack(name, &content, level).context("the archive cannot be made")?;
    if fs::read(path).ok().as_ref() != Some(&archive) {
        write(path, &archive)?;
    }
    if let Some(now) = Stamp::of(binary, path) {
        write(&stamp, &serde_json::to_vec(&now)?)?;
    }
    Ok(())
}

/// The state of the binary and of the archive when they last agreed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    binary: (String, u64, u128),
    archive: (String, u64, u128),
}

impl Stamp {
    fn of(binary: &Path, archive: &Path) -> Option<Self> {
        let state = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((
                path.to_string_lossy().into_owned(),
                metadata.len(),
                modified.as_nanos(),
            ))
        };
        Some(Self {
            binary: state(binary)?,
            archive: state(archive)?,
        })
    }
}

fn read(stamp: &Path) -> Option<Stamp> {
    serde_json::from_slice(&fs::read(stamp).ok()?).ok()
}

/// The same content always gives the same bytes: the time in the archive is zip's zero.
fn pack(name: &str, content: &[u8], level: i64) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, options)?;
    archive.write_all(content)?;
    Ok(archive.finish()?.into_inner())
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    whole::write(path, content, 0o644)
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::path::PathBuf;

    fn fixture() -> Result<(tempfile::TempDir, PathBuf, PathBuf)> {
        let folder = tempfile::tempdir()?;
        let binary = folder.path().join("program");
        fs::write(&binary, "one")?;
        let path = folder.path().join("made/here/bootstrap.zip");
        Ok((folder, binary, path))
    }

    #[test]
    fn the_archive_holds_one_executable() -> Result<()> {
        let (_folder, binary, path) = fixture()?;
        update(&path, &binary, "bootstrap", 9, |_| Ok(()))?;
        let mut archive = zip::ZipArchive::new(fs::File::open(&path)?)?;
        assert_eq!(archive.len(), 1);
        let mut file = archive.by_name("bootstrap")?;
        assert_eq!(file.unix_mode(), Some(0o100_755));
        let mut content = String::new();
        file.read_to_string(&mut content)?;
        assert_eq!(content, "one");
        Ok(())
    }

    #[test]
    fn two_folders_give_the_same_bytes() -> Result<()> {
        let (_one, binary, path) = fixture()?;
        update(&path, &binary, "bootstrap", 9, |_| Ok(()))?;
        let (_two, other_binary, other) = fixture()?;
        update(&other, &other_binary, "bootstrap", 9, |_| Ok(()))?;
        assert_eq!(fs::read(&path)?, fs::read(&other)?);
        Ok(())
    }

    #[test]
    fn it_is_written_when_it_changes_and_only_then() -> Result<()> {
        let (_folder, binary, path) = fixture()?;
        update(&path, &binary, "bootstrap", 9, |_| Ok(()))?;
        let first = fs::metadata(&path)?.modified()?;
        update(&path, &binary, "bootstrap", 9, |_| {
            anyhow::bail!("an unchanged binary is not read again")
        })?;
        // The same content in a new file: checked again, not written again.
        fs::remove_file(&binary)?;
        fs::write(&binary, "one")?;
        update(&path, &binary, "bootstrap", 9, |_| Ok(()))?;
        assert_eq!(fs::metadata(&path)?.modified()?, first);

        fs::write(&binary, "two, and longer")?;
        update(&path, &binary, "bootstrap", 9, |_| Ok(()))?;
        let bytes = fs::read(&path)?;
        assert_eq!(bytes, pack("bootstrap", b"two, and longer", 9)?);

        // Whatever somebody else did to the archive is put right.
        fs::write(&path, "broken")?;
        update(&path, &binary, "bootstrap", 9, |_| Ok(()))?;
        assert_eq!(fs::read(&path)?, bytes);
        Ok(())
    }

    #[test]
    fn a_refused_binary_is_not_packed() -> Result<()> {
        let (_folder, binary, path) = fixture()?;
        let refused = update(&path, &binary, "bootstrap", 9, |_| anyhow::bail!("too new"));
        assert_eq!(refused.unwrap_err().to_string(), "too new");
        assert!(!path.exists());
        Ok(())
    }
}
