//! The data folder: one process at a time, and one format.

use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// What the files in the folder look like. A change that an older program would misread
/// counts up.
const FORMAT: u32 = 1;

/// What stays when a folder is emptied: its lock and format, and where the cloud listens.
const KEPT: [&str; 3] = ["lock", "format", "endpoints.json"];

/// Says that the folder is being emptied: whoever finds it goes on with that.
const EMPTYING: &str = "emptying";

/// A data folder that this process alone may use, for as long as the value lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Creates the folder when it is missing, locks it, and refuses a format that this program
    /// does not know. The lock is the system's: it ends with the process, however that ends.
    pub fn open(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("the data folder {} cannot be created", path.display()))?;
        let lock = lock(path)?;
        check_format(path)?;
        if path.join(EMPTYING).exists() {
            empty(path)?;
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Deletes all data in the folder, which the caller has locked; when the process is killed
/// meanwhile, the next one that opens the folder finishes it.
pub fn empty(folder: &Path) -> Result<()> {
    let note = folder.join(EMPTYING);
    File::create(&note)
        .and_then(|file| file.sync_all())
        .and_then(|()| File::open(folder)?.sync_all())
        .with_context(|| format!("{} cannot be written", note.display()))?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == EMPTYING || KEPT.iter().any(|kept| name == *kept) {
            continue;
        }
        let path = entry.path();
        let deleted = match entry.file_type()?.is_dir() {
            true => remove_folder(&path),
            false => std::fs::remove_file(&path),
        };
        deleted.with_context(|| format!("{} cannot be deleted", path.display()))?;
    }
    std::fs::remove_file(&note)
        .and_then(|()| File::open(folder)?.sync_all())
        .with_context(|| format!("{} cannot be deleted", note.display()))
}

/// Deletes a folder, also when somebody still puts files into it.
fn remove_folder(path: &Path) -> std::io::Result<()> {
    /// Each time there are fewer who began before.
    const TRIES: usize = 100;
    let mut deleted = Ok(());
    for _ in 0..TRIES {
        deleted = std::fs::remove_dir_all(path);
        match &deleted {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
            _ => break,
        }
    }
    deleted
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("the lock {} cannot be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let holder = match file.read_to_string(&mut holder) {
                Ok(_) if !holder.trim().is_empty() => format!("process {}", holder.trim()),
                _ => "another process".to_owned(),
            };
            bail!(
                "{holder} runs an embedded cloud on the data folder {}: stop it, \
                 or set MYSFITS_HOME (--home) to another folder",
                folder.display()
            );
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
        }
    }
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())?;
    file.flush()?;
    Ok(file)
}

fn check_format(folder: &Path) -> Result<()> {
    let path = folder.join("format");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            refuse_anything_else(folder)?;
            return write_format(&path)
                .with_context(|| format!("{} cannot be written", path.display()));
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let Ok(found) = text.trim().parse::<u32>() else {
        bail!(
            "{} holds no format number: this is no data folder of the embedded cloud",
            path.display()
        );
    };
    if found > FORMAT {
        bail!(
            "the data folder {} has format {found}, this program knows {FORMAT}: \
             use the newer program that wrote it, or another folder",
            folder.display()
        );
    }
    Ok(())
}

/// A folder without a format is a new one. One that holds something is not for this program,
/// which deletes what is in its folder when it is reset.
fn refuse_anything_else(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name != "lock" && name != "format.new" {
            bail!(
                "{} holds {}, and is no data folder of the embedded cloud: name an empty one, \
                 or one that does not exist, by --home (MYSFITS_HOME)",
                folder.display(),
                name.display()
            );
        }
    }
    Ok(())
}

/// Whole or not at all, whenever the process ends.
fn write_format(path: &Path) -> std::io::Result<()> {
    let draft = path.with_extension("new");
    std::fs::write(&draft, format!("{FORMAT}\n"))?;
    std::fs::rename(&draft, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_user_of_a_folder_is_told_who_the_first_is() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let first = DataFolder::open(folder.path())?;
        let refusal = DataFolder::open(folder.path())
            .err()
            .context("refused")?
            .to_string();
        let pid = std::process::id().to_string();
        assert!(refusal.contains(&format!("process {pid} ")), "{refusal}");
        assert!(
            refusal.contains(&folder.path().display().to_string()),
            "{refusal}"
        );

        drop(first);
        DataFolder::open(folder.path())?;
        Ok(())
    }

    #[test]
    fn a_folder_that_was_being_emptied_is_empty_when_it_is_opened() -> Result<()> {
        let folder = tempfile::tempdir()?;
        drop(DataFolder::open(folder.path())?);
        let (data, journal) = (folder.path().join("store"), folder.path().join("firehose"));
        let fill = || {
            std::fs::create_dir_all(&journal)?;
            std::fs::write(&data, "a")
        };
        fill()?;
        drop(DataFolder::open(folder.path())?);
        assert!(data.exists() && journal.exists(), "usually all stays");
        std::fs::write(folder.path().join(EMPTYING), "")?;
        drop(DataFolder::open(folder.path())?);
        assert!(!data.exists() && !journal.exists());
        fill()?;
        drop(DataFolder::open(folder.path())?);
        assert!(data.exists(), "once");
        Ok(())
    }

    #[test]
    fn a_folder_that_holds_something_else_is_left_alone() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let other = folder.path().join("notes.txt");
        std::fs::write(&other, "mine")?;
        let refusal = DataFolder::open(folder.path()).err().context("refused")?;
        let refusal = refusal.to_string();
        assert!(refusal.contains("notes.txt"), "{refusal}");
        assert!(refusal.contains("--home"), "{refusal}");
        assert_eq!(std::fs::read_to_string(&other)?, "mine");
        Ok(())
    }

    #[test]
    fn only_formats_that_are_known_are_opened() -> Result<()> {
        for (content, opens) in [("1\n", true), ("2\n", false), ("rubbish", false)] {
            let folder = tempfile::tempdir()?;
            std::fs::write(folder.path().join("format"), content)?;
            assert_eq!(DataFolder::open(folder.path()).is_ok(), opens, "{content}");
        }
        Ok(())
    }
}
