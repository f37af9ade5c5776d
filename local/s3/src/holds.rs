//! Files that are read: one that is deleted meanwhile stays until its last reader is done.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files in a folder that are being read, or removed.
#[derive(Debug)]
pub(crate) struct Holds {
    folder: Arc<Path>,
    /// A std lock: it is never held while the disk is waited for.
    files: Mutex<HashMap<String, FileState>>,
}

#[derive(Debug, Default)]
struct FileState {
    readers: usize,
    /// Whether the file's record is gone: the last reader removes the file.
    doomed: bool,
}

/// A promise that files stay as long as it is held.
#[derive(Debug)]
pub(crate) struct Held {
    holds: Arc<Holds>,
    names: Vec<String>,
}

impl Holds {
    /// Holds nothing yet of what is in the folder.
    pub(crate) fn new(folder: Arc<Path>) -> Self {
        Self {
            folder,
            files: Mutex::default(),
        }
    }

    /// Keeps all of these files, or none when one of them is on its way out already.
    pub(crate) fn hold(self: &Arc<Self>, names: Vec<String>) -> Option<Held> {
        let mut files = self.files();
        if names
            .iter()
            .any(|name| files.get(name).is_some_and(|state| state.doomed))
        {
            return None;
        }
        for name in &names {
            files.entry(name.clone()).or_default().readers += 1;
        }
        drop(files);
        Some(Held {
            holds: Arc::clone(self),
            names,
        })
    }

    /// Removes files: those that are being read when their last reader is done, the others at
    /// once. All are decided together, so that no reader gets one file of an object and not the
    /// next. Blocks for as long as the disk takes.
    pub(crate) fn remove(&self, names: Vec<String>) {
        let mut free = Vec::new();
        let mut files = self.files();
        for name in names {
            let state = files.entry(name.clone()).or_default();
            state.doomed = true;
            if state.readers == 0 {
                free.push(name);
            }
        }
        drop(files);
        self.delete(&free);
    }

    /// Deletes files that nobody reads, and only then forgets that they are doomed: otherwise a
    /// reader could get a file that is about to go.
    fn delete(&self, names: &[String]) {
        for name in names {
            let path: PathBuf = self.folder.join(name);
            // What stays is removed at the next start: no record names it.
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!(file = %path.display(), %error, "a deleted object's file stays");
            }
        }
        let mut files = self.files();
        for name in names {
            files.remove(name);
        }
    }

    fn files(&self) -> MutexGuard<'_, HashMap<String, FileState>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut free = Vec::new();
        let mut files = self.holds.files();
        for name in std::mem::take(&mut self.names) {
            let Some(state) = files.get_mut(&name) else {
                continue;
            };
            state.readers = state.readers.saturating_sub(1);
            match (state.readers, state.doomed) {
                (0, true) => free.push(name),
                (0, false) => {
                    files.remove(&name);
                }
                _ => {}
            }
        }
        drop(files);
        if free.is_empty() {
            return;
        }
        let holds = Arc::clone(&self.holds);
        let delete = move || holds.delete(&free);
        // A reader is dropped wherever its request ends, which may not wait for the disk.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(delete)),
            Err(_) => delete(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_with_their_last_reader_and_take_no_new_ones() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let names = || vec!["a".to_owned(), "b".to_owned()];
        for name in names() {
            std::fs::write(folder.path().join(name), "x")?;
        }
        let left = || std::fs::read_dir(folder.path()).map(Iterator::count);
        let holds = Arc::new(Holds::new(folder.path().into()));
        let first = holds.hold(names());
        let second = holds.hold(vec!["b".to_owned()]);
        assert!(first.is_some() && second.is_some());
        holds.remove(names());
        assert_eq!(left()?, 2);
        assert!(holds.hold(names()).is_none(), "it is deleted");
        drop(first);
        assert_eq!(left()?, 1, "nobody reads the first any more");
        drop(second);
        assert_eq!(left()?, 0);
        assert!(holds.files().is_empty());
        Ok(())
    }
}
