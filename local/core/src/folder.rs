//! The data folder: one process at a time, and one format.

use crate::taken;
use crate::troubles::Troubles;
use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// What the files in the folder look like. A change that an older program would misread
/// counts up.
const FORMAT: u32 = 1;

/// How often the number is in its file.
const COPIES: usize = 5;

/// The database of the services' records.
pub const STORE: &str = "store.redb";

/// What stays when a folder is emptied: its lock and format, and where the cloud listens.
const KEPT: [&str; 3] = ["lock", "format", "endpoints.json"];

/// How the name of a file ends that is not written to its end.
const DRAFT: &str = ".new";

/// Says that the folder is being emptied: the next one who opens it goes on with that.
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
        create(path)
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

/// Makes durable what was created, renamed or deleted in the folder that holds `path`.
pub fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Writes a file so that after a crash or a loss of power it has all of the new content or all of
/// the old: the bytes are durable before they get their name.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(DRAFT);
    let draft = PathBuf::from(draft);
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    // Before the rename: after a loss of power the new name could otherwise have no content.
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    // The rename itself is durable only with the folder.
    sync_parent(path)
}

/// Creates a folder, with those above it that are missing, and makes their names durable.
pub fn create(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => create(above)?,
        _ => {}
    }
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created.and_then(|()| sync_parent(path)),
    }
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
    let locked = taken::take(
        || file.try_lock(),
        |error| matches!(error, TryLockError::WouldBlock),
    );
    match locked {
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
    let written = || {
        write_whole(&path, format_text().as_bytes())
            .with_context(|| format!("{} cannot be written", path.display()))
    };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            refuse_anything_else(folder)?;
            return written();
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    let found = match number(&bytes) {
        Some(Number::Whole(found)) => found,
        Some(Number::Damaged(found)) => {
            name_damage(folder, &path, &bytes);
            found
        }
        // One line that is no number: the store beside it says whose the folder is.
        None if folder.join(STORE).exists() => {
            name_damage(folder, &path, &bytes);
            FORMAT
        }
        None => bail!(
            "{} holds no format number: this is no data folder of the embedded cloud",
            path.display()
        ),
    };
    if found > FORMAT {
        bail!(
            "the data folder {} has format {found}, this program knows {FORMAT}: \
             use the newer program that wrote it, or another folder",
            folder.display()
        );
    }
    match bytes == format_text().as_bytes() {
        true => Ok(()),
        false => written(),
    }
}

/// A format number that was read.
enum Number {
    Whole(u32),
    /// Most of the lines say so.
    Damaged(u32),
}

/// Reads the number, which is there several times, so that one damaged byte is no other number.
fn number(bytes: &[u8]) -> Option<Number> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<Option<u32>> = text.lines().map(|line| line.trim().parse().ok()).collect();
    let votes = |number: u32| lines.iter().filter(|line| **line == Some(number)).count();
    let most = lines
        .iter()
        .flatten()
        .copied()
        .max_by_key(|one| votes(*one))?;
    match votes(most) {
        all if all == lines.len() && (all == 1 || bytes == copies(most).as_bytes()) => {
            Some(Number::Whole(most))
        }
        some if 2 * some > lines.len() => Some(Number::Damaged(most)),
        _ => None,
    }
}

fn name_damage(folder: &Path, path: &Path, bytes: &[u8]) {
    let what = "the format of the data folder was damaged, and is written again";
    Troubles::open(folder).keep_bytes(path, 0, bytes, what);
}

fn format_text() -> String {
    copies(FORMAT)
}

fn copies(number: u32) -> String {
    format!("{number}\n").repeat(COPIES)
}

/// A folder without a format is a new one. A folder that holds other files is refused, because this
/// program deletes everything in its folder when it is reset.
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
    fn one_damaged_byte_of_the_format_is_repaired_and_named() -> Result<()> {
        for at in 0..format_text().len() {
            for turned in [0x01, 0x08, 0x80, 0x3b] {
                let folder = tempfile::tempdir()?;
                drop(DataFolder::open(folder.path())?);
                let path = folder.path().join("format");
                let mut bytes = std::fs::read(&path)?;
                bytes[at] ^= turned;
                std::fs::write(&path, &bytes)?;
                drop(DataFolder::open(folder.path()).with_context(|| format!("byte {at}"))?);
                assert_eq!(std::fs::read_to_string(&path)?, format_text());
                assert_eq!(Troubles::open(folder.path()).damaged().len(), 1);
            }
        }
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
