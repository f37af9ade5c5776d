//! Programs and links, brought to where they should be.

use anyhow::{Context, Result};
use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::SystemTime;

/// Puts a program in its place if it differs from what is there, and says whether it did. Cargo
/// writes a new file for each new build, so a hard link keeps what it links to.
pub fn place(from: &Path, to: &Path) -> Result<bool> {
    if state(to).is_some() && state(from) == state(to) {
        return Ok(false);
    }
    let place = || -> std::io::Result<()> {
        let next = to.with_extension("next");
        fs::remove_file(&next).or_else(ignore_missing)?;
        if fs::hard_link(from, &next).is_err() {
            fs::copy(from, &next)?;
            let modified = fs::metadata(from)?.modified()?;
            let file = fs::File::options().append(true).open(&next)?;
            file.set_modified(modified)?;
        }
        fs::rename(&next, to)
    };
    place().with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(true)
}

/// Makes `path` a symbolic link to `to`.
pub fn link(to: &Path, path: &Path) -> Result<()> {
    if fs::read_link(path).is_ok_and(|target| target == to) {
        return Ok(());
    }
    fs::remove_file(path)
        .or_else(ignore_missing)
        .and_then(|()| symlink(to, path))
        .with_context(|| format!("{} cannot be linked", path.display()))
}

fn state(path: &Path) -> Option<(u64, SystemTime)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

fn ignore_missing(error: Error) -> std::io::Result<()> {
    match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    }
}

/// What the files in a folder take, as far as it can be read.
pub fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_placed_when_it_is_new() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let (from, to) = (folder.path().join("built"), folder.path().join("placed"));
        fs::write(&from, "one")?;
        assert!(place(&from, &to)?);
        assert!(!place(&from, &to)?);

        fs::remove_file(&from)?;
        fs::write(&from, "another")?;
        assert_eq!(fs::read_to_string(&to)?, "one");
        assert!(place(&from, &to)?);
        assert_eq!(fs::read_to_string(&to)?, "another");
        Ok(())
    }

    #[test]
    fn a_link_is_led_elsewhere() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("link");
        for to in ["/one", "/two", "/two"] {
            link(Path::new(to), &path)?;
            assert_eq!(fs::read_link(&path)?, Path::new(to));
        }
        Ok(())
    }
}
