//! The sources of a stack, checked again and again for changes.
//!
//! The kernel could report changes, but differently on each system, for folders one by one, and not
//! for files on a network. Reading the times of two hundred files costs a millisecond.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Folders and files from which a stack is made.
const SOURCES: [&str; 8] = [
    "infra",
    "lambda",
    "pulumi",
    "web",
    "Cargo.lock",
    "Cargo.toml",
    "Pulumi.local.yaml",
    "Pulumi.yaml",
];

/// What tells a change: when a file was written, and its length.
type Seen = BTreeMap<PathBuf, (SystemTime, u64)>;

#[derive(Debug)]
pub struct Watched {
    root: PathBuf,
    seen: Seen,
}

impl Watched {
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            seen: look(root),
        }
    }

    /// Waits for a change, and then until an interval has passed without another one, because an
    /// editor may save several files, and each in several steps. Gives what has changed since the
    /// last call.
    pub async fn change(&mut self, interval: Duration) -> Vec<String> {
        let mut before = self.seen.clone();
        loop {
            tokio::time::sleep(interval).await;
            let now = look(&self.root);
            if now == before && now != self.seen {
                let changed = self.differences(&now);
                self.seen = now;
                return changed;
            }
            before = now;
        }
    }

    /// The paths, from the root on, that are new, gone or other than before.
    fn differences(&self, now: &Seen) -> Vec<String> {
        let gone = self.seen.keys().filter(|path| !now.contains_key(*path));
        let other = now
            .iter()
            .filter(|(path, state)| self.seen.get(*path) != Some(state))
            .map(|(path, _)| path);
        let mut paths: Vec<String> = gone
            .chain(other)
            .map(|path| path.strip_prefix(&self.root).unwrap_or(path))
            .map(|path| path.display().to_string())
            .collect();
        paths.sort();
        paths
    }
}

fn look(root: &Path) -> Seen {
    let mut seen = Seen::new();
    for source in SOURCES {
        add(&root.join(source), &mut seen);
    }
    seen
}

/// What cannot be read is not there: a file may go while it is looked at.
fn add(path: &Path, seen: &mut Seen) {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // An editor's own files, and what a build or a fuzzer leaves.
    if name.starts_with('.') || name.ends_with('~') || name == "target" {
        return;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            add(&entry.path(), seen);
        }
    } else if metadata.is_file()
        && let Ok(modified) = metadata.modified()
    {
        seen.insert(path.to_owned(), (modified, metadata.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;

    #[tokio::test]
    async fn changes_of_sources_are_seen_together() -> Result<()> {
        let root = tempfile::tempdir()?;
        let write = |path: &str, text: &str| -> std::io::Result<()> {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap_or(root.path()))?;
            fs::write(path, text)
        };
        write("infra/src/lib.rs", "a")?;
        write("web/app.js", "a")?;
        let mut watched = Watched::of(root.path());

        write("web/app.js", "ab")?;
        write("lambda/src/new.rs", "a")?;
        fs::remove_file(root.path().join("infra/src/lib.rs"))?;
        write("web/.app.js.swp", "a")?;
        write("docs/page.md", "a")?;
        let changed = watched.change(Duration::from_millis(20)).await;
        assert_eq!(
            changed,
            ["infra/src/lib.rs", "lambda/src/new.rs", "web/app.js"]
        );

        write("Pulumi.local.yaml", "a")?;
        let changed = watched.change(Duration::from_millis(20)).await;
        assert_eq!(changed, ["Pulumi.local.yaml"]);
        Ok(())
    }
}
