//! What is wrong with the cloud: damage that was found on disk, and what does not work now.
//!
//! A damaged file costs only itself. It is kept aside in the folder `damaged` of the data folder,
//! with a note that says where it was and what it held, and the cloud goes on with the rest.
//! Damage is named at `/_mysfits/health` until its files in that folder are deleted.

use crate::folder::write_whole;
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio_util::sync::CancellationToken;

/// The folder in the data folder that keeps what is damaged.
pub(crate) const FOLDER: &str = "damaged";

/// How the name of a note ends; what is before it is the name of what is kept.
const NOTE: &str = ".note.json";

/// How long a task that failed waits before it is started again; doubled each time.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A handle to the list; clones share it.
#[derive(Debug, Clone)]
pub struct Troubles(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    home: PathBuf,
    /// Held to read or change the lists, never while files are moved or written.
    state: Mutex<TroublesState>,
}

#[derive(Debug, Default)]
struct TroublesState {
    /// By the name of what is kept, or of the file where nothing could be kept.
    damaged: BTreeMap<String, Damage>,
    /// By source.
    problems: BTreeMap<String, Problem>,
}

/// Something on disk that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The file, relative to the data folder.
    pub file: String,
    /// Where the damaged bytes are kept, relative to the data folder; absent when they are still
    /// in their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// What is damaged, what that costs, and what to do.
    pub what: String,
    /// When it was found, RFC 3339, UTC.
    pub found: String,
}

/// Something that does not work now, or that failed and was started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What it is that does not work, such as `stream clicks`.
    pub source: String,
    pub what: String,
    /// RFC 3339, UTC.
    pub since: String,
    pub times: u64,
}

impl Troubles {
    /// The list of a data folder, with the damage that earlier runs found.
    pub fn open(home: &Path) -> Self {
        let mut state = TroublesState::default();
        read_notes(home, &mut state.damaged);
        Self(Arc::new(Inner {
            home: home.to_owned(),
            state: Mutex::new(state),
        }))
    }

    /// Moves a damaged file or folder out of the way, and names it. What cannot be moved stays.
    pub fn keep_file(&self, path: &Path, what: &str) {
        let relative = self.relative(path);
        let name = self.free_name(&relative);
        let place = self.folder().join(&name);
        let moved = fs::create_dir_all(self.folder()).and_then(|()| fs::rename(path, &place));
        let kept = match moved {
            Ok(()) => Some(name),
            Err(error) => {
                tracing::error!(file = relative, %error, "a damaged file cannot be moved away");
                None
            }
        };
        self.name(relative, kept, what);
    }

    /// Keeps a copy of damaged bytes of a file that stays in its place, and names them. `at` is
    /// where they are in the file. Damage that is known already is not named twice.
    pub fn keep_bytes(&self, path: &Path, at: u64, bytes: &[u8], what: &str) {
        let relative = self.relative(path);
        let wanted = format!("{relative}@{at}");
        let is_known = |name: &String| {
            self.knows(name) && fs::read(self.folder().join(name)).is_ok_and(|known| known == bytes)
        };
        if names(&wanted)
            .take_while(|name| self.folder().join(name).exists())
            .any(|name| is_known(&name))
        {
            return;
        }
        let name = self.free_name(&wanted);
        let place = self.folder().join(&name);
        let written = fs::create_dir_all(self.folder()).and_then(|()| write_whole(&place, bytes));
        let kept = match written {
            Ok(()) => Some(name),
            Err(error) => {
                tracing::error!(file = relative, %error, "damaged bytes cannot be kept aside");
                None
            }
        };
        self.name(relative, kept, what);
    }

    /// Names damage of which nothing is kept aside: the file stays as it is.
    pub fn name_only(&self, path: &Path, what: &str) {
        let relative = self.relative(path);
        self.name(relative, None, what);
    }

    /// Something does not work from now on, or not yet.
    pub fn began(&self, source: &str, what: impl Into<String>) {
        let what = what.into();
        let mut state = self.state();
        match state.problems.get_mut(source) {
            Some(problem) => {
                problem.what = what;
                problem.times += 1;
            }
            None => {
                let problem = Problem {
                    source: source.to_owned(),
                    what,
                    since: now(),
                    times: 1,
                };
                state.problems.insert(source.to_owned(), problem);
            }
        }
    }

    /// As [`Self::began`], of something that is asked about again and again: it counts once.
    pub fn set(&self, source: &str, what: impl Into<String>) {
        self.began(source, what);
        if let Some(problem) = self.state().problems.get_mut(source) {
            problem.times = 1;
        }
    }

    /// It works again.
    pub fn ended(&self, source: &str) {
        self.state().problems.remove(source);
    }

    /// All damage that was found and not cleared away.
    pub fn damaged(&self) -> Vec<Damage> {
        self.state().damaged.values().cloned().collect()
    }

    /// What does not work now.
    pub fn problems(&self) -> Vec<Problem> {
        self.state().problems.values().cloned().collect()
    }

    /// Runs a background task, and runs it again after a pause when it panics, which is reported as
    /// a problem. Ends when the task ends. While the cloud stops, a failed task is not started
    /// again.
    pub async fn supervise<F, W>(&self, source: &str, stopping: &CancellationToken, mut work: W)
    where
        W: FnMut() -> F,
        F: Future<Output = ()>,
    {
        let mut pause = PAUSE;
        while let Err(panic) = AssertUnwindSafe(work()).catch_unwind().await {
            self.panicked(source, &*panic);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopping.cancelled() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Notes that work panicked, which is then repeated.
    pub fn panicked(&self, source: &str, panic: &(dyn Any + Send)) {
        let reason = reason(panic);
        tracing::error!("{source} panicked and is started again: {reason}");
        self.began(
            source,
            format!("it panicked and was started again: {reason}"),
        );
    }

    fn name(&self, relative: String, kept: Option<String>, what: &str) {
        tracing::error!(file = relative, kept, "damaged: {what}");
        let damage = Damage {
            file: relative.clone(),
            kept: kept.as_ref().map(|name| format!("{FOLDER}/{name}")),
            what: what.to_owned(),
            found: now(),
        };
        if let Some(name) = &kept
            && let Err(error) = self.write_note(name, &damage)
        {
            tracing::error!(%error, "the note of a damaged file cannot be written");
        }
        let key = kept.unwrap_or_else(|| format!("{relative}: {what}"));
        self.state().damaged.insert(key, damage);
    }

    fn write_note(&self, name: &str, damage: &Damage) -> io::Result<()> {
        let note = serde_json::to_vec_pretty(damage)?;
        write_whole(&self.folder().join(format!("{name}{NOTE}")), &note)
    }

    fn knows(&self, name: &str) -> bool {
        self.state().damaged.contains_key(name)
    }

    /// A name in the folder that nothing has yet.
    fn free_name(&self, relative: &str) -> String {
        let folder = self.folder();
        let mut free = names(relative).filter(|name| !folder.join(name).exists());
        free.next().unwrap_or_else(|| flat(relative))
    }

    fn relative(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.0.home).unwrap_or(path);
        inside.display().to_string()
    }

    fn folder(&self) -> PathBuf {
        self.0.home.join(FOLDER)
    }

    fn state(&self) -> MutexGuard<'_, TroublesState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a panic says.
pub fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason given")
}

/// Whatever lies in the folder is named, also when its own note is damaged.
fn read_notes(home: &Path, damaged: &mut BTreeMap<String, Damage>) {
    let Ok(entries) = fs::read_dir(home.join(FOLDER)) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.ends_with(NOTE) {
            continue;
        }
        let note = fs::read(home.join(FOLDER).join(format!("{name}{NOTE}"))).ok();
        let note = note.and_then(|note| serde_json::from_slice::<Damage>(&note).ok());
        let damage = note.unwrap_or_else(|| Damage {
            file: name.clone(),
            kept: Some(format!("{FOLDER}/{name}")),
            what: "it was kept aside; the note of why cannot be read".to_owned(),
            found: now(),
        });
        damaged.insert(name, damage);
    }
}

/// The names that what is kept of a path may have.
fn names(relative: &str) -> impl Iterator<Item = String> {
    let name = flat(relative);
    let numbered = {
        let name = name.clone();
        (2..u32::MAX).map(move |number| format!("{name}.{number}"))
    };
    std::iter::once(name).chain(numbered)
}

/// A path as one file name.
fn flat(relative: &str) -> String {
    /// File names are at most 255 bytes; a number and the note's ending are added.
    const LONGEST: usize = 200;
    let name = relative.replace('/', "_");
    let start = name.ceil_char_boundary(name.len().saturating_sub(LONGEST));
    name[start..].to_owned()
}

fn now() -> String {
    let now = OffsetDateTime::now_utc().truncate_to_second();
    now.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Result, ensure};
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn what_is_damaged_is_named_until_it_is_deleted_from_its_folder() -> Result<()> {
        let home = tempfile::tempdir()?;
        let file = home.path().join("a/b.zip");
        fs::create_dir_all(home.path().join("a"))?;
        let troubles = Troubles::open(home.path());
        for content in ["one", "two"] {
            fs::write(&file, content)?;
            troubles.keep_file(&file, "broken");
            ensure!(!file.exists());
        }
        for _ in 0..2 {
            troubles.keep_bytes(&file, 7, b"bytes", "broken bytes");
            troubles.keep_bytes(&file, 7, b"other", "broken bytes");
        }
        let named = troubles.damaged();
        let kept: Vec<_> = named.iter().filter_map(|one| one.kept.as_deref()).collect();
        ensure!(
            kept == [
                "damaged/a_b.zip",
                "damaged/a_b.zip.2",
                "damaged/a_b.zip@7",
                "damaged/a_b.zip@7.2"
            ],
            "{named:?}"
        );
        ensure!(fs::read(home.path().join(kept[1]))? == b"two");

        ensure!(Troubles::open(home.path()).damaged() == named);
        fs::write(home.path().join("damaged/a_b.zip.note.json"), "rubbish")?;
        let again = Troubles::open(home.path()).damaged();
        ensure!(again.len() == 4 && again[1..] == named[1..], "{again:?}");
        fs::remove_dir_all(home.path().join(FOLDER))?;
        ensure!(Troubles::open(home.path()).damaged().is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn a_task_that_panics_is_named_and_started_again() -> Result<()> {
        let home = tempfile::tempdir()?;
        let troubles = Troubles::open(home.path());
        let runs = AtomicU32::new(0);
        let work = || async {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            assert!(run >= 2, "not yet");
        };
        let stopping = CancellationToken::new();
        troubles.supervise("the task", &stopping, work).await;
        let problems = troubles.problems();
        ensure!(runs.load(Ordering::SeqCst) == 3, "{runs:?}");
        ensure!(problems[0].source == "the task", "{problems:?}");
        ensure!(problems[0].times == 2, "{problems:?}");
        ensure!(problems[0].what.contains("not yet"), "{problems:?}");
        Ok(())
    }
}
