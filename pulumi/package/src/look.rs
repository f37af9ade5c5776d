//! Whether a binary is what Cargo would build now, without asking Cargo.
//!
//! Cargo's own look for changes takes half a second in a workspace of four hundred crates, and a
//! preview needs one for the program and one for its function. So the list of all files that
//! decide the outcome ([`crate::inputs`]) is kept from one build to the next. When a build began
//! and ended with the same files in the same state, that state is a proof: as long as nothing in
//! it has changed, nor the environment, nor the binary, Cargo would build nothing.

use crate::whole;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many environments have a proof at a time: a shell's, an editor's, a script's.
const PROOFS: usize = 8;

/// The variables of an environment, with their values.
pub type Environment = Vec<(OsString, OsString)>;

/// One look at a binary, and what was known of it before.
#[derive(Debug)]
pub struct Look {
    path: PathBuf,
    environment: u64,
    record: Record,
    /// The state of the record's inputs when the look began.
    before: Option<u64>,
}

/// What is kept of a binary, as JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    inputs: BTreeSet<PathBuf>,
    proofs: Vec<Proof>,
}

/// A state in which Cargo had nothing to build. It is kept as hashes, because an environment may
/// hold secrets that should be in no file, and a collision harms nobody.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    environment: u64,
    inputs: u64,
    executable: PathBuf,
    binary: u64,
}

impl Look {
    /// Begins a look at the binary `name` of the workspace in `root`. `how` is what else decides
    /// which binary that is, such as the profile.
    pub fn begin(root: &Path, name: &str, how: impl Hash, environment: &Environment) -> Self {
        let how = hash(how);
        let path = root.join(format!("target/looks/{name}-{how:016x}.json"));
        let record: Option<Record> = fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        let record = record.unwrap_or_default();
        Self {
            before: state(&record.inputs),
            environment: hash(environment),
            path,
            record,
        }
    }

    /// The binary, when it is proven that Cargo would build nothing.
    pub fn proven(&self) -> Option<PathBuf> {
        let before = self.before?;
        let proof = self.record.proofs.iter().find(|proof| {
            proof.environment == self.environment
                && proof.inputs == before
                && state([&proof.executable]) == Some(proof.binary)
        })?;
        Some(proof.executable.clone())
    }

    /// Where a text is kept beside the record: a place for each text, so that environments with
    /// the same one share it, and none disturbs another's.
    pub fn place_of(&self, text: &str) -> PathBuf {
        self.path.with_extension(format!("{:016x}.txt", hash(text)))
    }

    /// Ends the look after a build: with a proof, when `inputs` are those of the begin and in the
    /// same state. A failure costs the next look its time, and nothing else.
    pub fn end(mut self, executable: PathBuf, inputs: BTreeSet<PathBuf>) {
        let binary = state([&executable]);
        if inputs != self.record.inputs {
            self.record = Record {
                inputs,
                proofs: Vec::new(),
            };
        } else if let (Some(binary), Some(after)) = (binary, state(&inputs))
            && self.before == Some(after)
        {
            let environment = self.environment;
            let proofs = &mut self.record.proofs;
            proofs.retain(|proof| proof.environment != environment);
            proofs.insert(
                0,
                Proof {
                    environment,
                    inputs: after,
                    executable,
                    binary,
                },
            );
            proofs.truncate(PROOFS);
        }
        self.write().ok();
    }

    /// Two commands may end at the same time: the last one's record is there, and whole.
    fn write(&self) -> std::io::Result<()> {
        whole::write(&self.path, &serde_json::to_vec(&self.record)?, 0o644)
    }
}

/// A file system may keep times in whole seconds, where two changes in one second look the same. So
/// a file that was changed less than this many seconds ago may change again unnoticed.
const COARSE: i64 = 3;

/// The state of files: that they are there, and when and how they were last written. There is
/// none for an empty list, nor where a change may be missed.
fn state<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Option<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let coarse_since = i64::try_from(now.as_secs()).ok()? - COARSE;
    let mut hasher = DefaultHasher::new();
    let mut any = false;
    for path in files {
        any = true;
        path.hash(&mut hasher);
        let Ok(file) = fs::metadata(path) else {
            false.hash(&mut hasher);
            continue;
        };
        if file.ctime_nsec() == 0 && file.ctime() >= coarse_since {
            return None;
        }
        // The time of the last change of the inode cannot be set back, as that of the content can.
        let times = [
            file.mtime(),
            file.mtime_nsec(),
            file.ctime(),
            file.ctime_nsec(),
        ];
        (file.dev(), file.ino(), file.len(), times).hash(&mut hasher);
    }
    any.then(|| hasher.finish())
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Result;

    struct Place {
        folder: tempfile::TempDir,
        environment: Environment,
    }

    impl Place {
        fn new() -> Result<Self> {
            let place = Self {
                folder: tempfile::tempdir()?,
                environment: vec![("A".into(), "1".into())],
            };
            fs::write(place.path("source"), "one")?;
            fs::write(place.path("binary"), "one")?;
            Ok(place)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn begin(&self) -> Look {
            Look::begin(self.folder.path(), "program", "dev", &self.environment)
        }

        fn end(&self, look: Look) {
            let inputs = ["source", "absent"].map(|name| self.path(name));
            look.end(self.path("binary"), inputs.into());
        }

        /// A build in which nothing else happens, as often as it takes for a proof.
        fn prove(&self) {
            for _ in 0..2 {
                self.end(self.begin());
            }
        }
    }

    #[test]
    fn nothing_is_proven_before_two_looks_agree() -> Result<()> {
        let place = Place::new()?;
        let look = place.begin();
        assert_eq!(look.proven(), None);
        place.end(look);
        assert_eq!(place.begin().proven(), None);
        place.prove();
        assert_eq!(place.begin().proven(), Some(place.path("binary")));
        Ok(())
    }

    #[test]
    fn every_change_ends_the_proof() -> Result<()> {
        for (change, text) in [("source", "two"), ("binary", "two"), ("absent", "")] {
            let place = Place::new()?;
            place.prove();
            // As long as before, and with the time of before.
            let times = fs::metadata(place.path("source"))?.modified()?;
            fs::write(place.path(change), text)?;
            fs::File::open(place.path(change))?.set_modified(times)?;
            assert_eq!(place.begin().proven(), None, "{change}");
        }
        let mut place = Place::new()?;
        place.prove();
        fs::remove_file(place.path("source"))?;
        assert_eq!(place.begin().proven(), None);
        place.prove();
        place.environment.push(("B".into(), "1".into()));
        assert_eq!(place.begin().proven(), None);
        Ok(())
    }

    /// What the compiler read may be older or newer than the edit.
    #[test]
    fn an_edit_during_the_build_leaves_no_proof() -> Result<()> {
        let place = Place::new()?;
        place.prove();
        fs::write(place.path("source"), "two")?;
        let look = place.begin();
        fs::write(place.path("source"), "three")?;
        place.end(look);
        assert_eq!(place.begin().proven(), None);
        Ok(())
    }

    #[test]
    fn each_environment_has_its_own_proof() -> Result<()> {
        let mut place = Place::new()?;
        for number in 0..=PROOFS {
            place.environment = vec![("N".into(), number.to_string().into())];
            place.prove();
        }
        for number in 0..=PROOFS {
            place.environment = vec![("N".into(), number.to_string().into())];
            assert_eq!(place.begin().proven().is_some(), number > 0, "{number}");
        }
        Ok(())
    }
}
