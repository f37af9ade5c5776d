//! Durable tables: small records under string keys, on disk before a write returns.
//!
//! Every call that may wait for the disk is asynchronous, and none of them keeps an asynchronous
//! thread waiting. A read is a closure that gets a snapshot of all records, so that several reads
//! of one request cost one change of threads and agree with each other. [`Store::look_up`] is for
//! a few records, [`Store::read`] for many.
//!
//! Calls that come together go together: those that look something up share a snapshot, those that
//! write share a commit (and so one `fsync`). After a crash the store holds exactly the batches
//! whose `commit` returned, and possibly some whose had not yet.
//!
//! A store that was closed takes no more writes: its file is about to be deleted, and a write
//! would be acknowledged and then be nowhere.
//!
//! When the disk refuses a write (it is full, say), that commit fails and the file is opened
//! again: the database would refuse everything from then on.
//!
//! | module | what lives there |
//! | --- | --- |
//! | here | the store as the services use it, and its file |
//! | `batch`, `writer` | writes that become durable together, and the thread that writes |
//! | `snapshot`, `reader` | all records as of one moment, and the thread that looks things up |
//! | `mirror` | the second copy of the database, a log |
//! | `recovery` | which of the two is believed at a start, and how one is made from the other |

mod batch;
mod mirror;
mod reader;
mod recovery;
mod snapshot;
mod writer;

pub use batch::Batch;
pub use snapshot::Snapshot;

use crate::troubles::{Troubles, reason};
use anyhow::{Context, Result, anyhow};
use mirror::Mirror;
use reader::Reader;
use redb::{Database, ReadableDatabase, TableDefinition};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use writer::Writer;

/// One table for all: keys are `table\0key`, so that tables need no declaration.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// The record that holds the number of the last commit.
const COMMIT: (&str, &str) = ("store", "commit");

/// The table for counters that mean nothing without other records. A store that holds nothing
/// else needs no second copy, so that an empty home starts without making one.
pub const COUNTERS: &str = "counters";

/// What the store is called where troubles are named.
const SOURCE: &str = "store";

/// A handle to the tables; clones share the database.
#[derive(Clone)]
pub struct Store {
    file: Arc<DatabaseFile>,
    writer: Writer,
    reader: Reader,
    is_whole: bool,
}

/// The database, open except after a failed write, until it can be opened again.
struct DatabaseFile {
    path: PathBuf,
    database: RwLock<Option<Database>>,
    /// Whether it is about to be deleted: no write is taken any more.
    closed: AtomicBool,
    /// Only the writer's thread locks it, for as long as a commit takes.
    mirror: Mutex<Copies>,
    troubles: Troubles,
}

/// The second copy, and whether it may differ from the database.
struct Copies {
    mirror: Mirror,
    in_doubt: bool,
}

impl Store {
    /// Opens or creates the database file at `path` and starts its writer thread, which ends
    /// when the last handle is dropped. A damaged file is kept aside, and its records come from
    /// the second copy.
    pub async fn open(path: &Path, troubles: &Troubles) -> Result<Self> {
        let (path, troubles) = (path.to_owned(), troubles.clone());
        tokio::task::spawn_blocking(move || Self::open_blocking(&path, &troubles)).await?
    }

    fn open_blocking(path: &Path, troubles: &Troubles) -> Result<Self> {
        let opened = recovery::open(path, troubles)?;
        let file = Arc::new(DatabaseFile {
            path: path.to_owned(),
            database: RwLock::new(Some(opened.database)),
            closed: AtomicBool::new(false),
            mirror: Mutex::new(Copies {
                mirror: opened.mirror,
                in_doubt: false,
            }),
            troubles: troubles.clone(),
        });
        // Threads of its own and not tokio's: they live as long as the store. They hold the
        // database only while they work, so that the file is free again when the last handle is
        // gone.
        let writer = Writer::spawn(&file)?;
        let reader = Reader::spawn(&file)?;
        Ok(Self {
            file,
            writer,
            reader,
            is_whole: opened.is_whole,
        })
    }

    /// Whether all records were there when it was opened. When they were not, a file that no
    /// record names may still be of use.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Names a record that its service cannot read; it stays in the store.
    pub fn unreadable(&self, table: &str, key: &str, reason: &dyn std::fmt::Display) {
        let what = format!("record {key} of {table} cannot be read, and is left out: {reason}");
        self.file.troubles.name_only(&self.file.path, &what);
    }

    /// Takes no more writes, in this handle and all others. On return none is under way.
    pub async fn close(&self) {
        self.file.closed.store(true, Ordering::SeqCst);
        // The writer answers in order: when it refuses this one, it has finished all before.
        let _refused = self.commit(Batch::new()).await;
    }

    /// Whether it takes no more writes.
    pub fn is_closed(&self) -> bool {
        self.file.closed.load(Ordering::SeqCst)
    }

    /// Reads as many records as `read` likes, all of them as of one moment, on one of tokio's
    /// threads for blocking work. Fails when the database cannot be opened, or fails over what it
    /// reads; what `read` returns is passed on as it is.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<T> {
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || {
            file.with(|database| Ok(read(&Snapshot::of(database)?)))
        })
        .await?
    }

    /// Reads a few records in the same way, on a thread that all who look something up share:
    /// under load that costs less than a thread for each, but one that takes long keeps the others
    /// waiting.
    pub async fn look_up<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<T> {
        self.reader.look_up(read).await
    }

    /// The record under `key`, if there is one.
    pub async fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let (table, key) = (table.to_owned(), key.to_owned());
        self.look_up(move |records| records.get(&table, &key))
            .await?
    }

    /// All records of `table` whose key starts with `prefix`, in the order of their keys.
    pub async fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let (table, prefix) = (table.to_owned(), prefix.to_owned());
        self.read(move |records| records.scan(&table, &prefix))
            .await?
    }

    /// Makes the batch durable. Fails, with nothing written, when the disk refuses it.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        self.writer.commit(batch).await
    }
}

fn full_key(table: &str, key: &str) -> String {
    format!("{table}\0{key}")
}

/// The number of the database's last commit; none in one that has had none.
fn last_commit(database: &Database) -> Result<Option<u64>> {
    let Some(text) = Snapshot::of(database)?.get(COMMIT.0, COMMIT.1)? else {
        return Ok(None);
    };
    Ok(Some(std::str::from_utf8(&text)?.parse()?))
}

/// Whether a record, by its full key, is nothing that needs a second copy.
fn is_counter(key: &str) -> bool {
    [COMMIT.0, COUNTERS].iter().any(|table| {
        let key = key.strip_prefix(table);
        key.is_some_and(|key| key.starts_with('\0'))
    })
}

/// Whether the database holds nothing but counters.
fn is_counting(database: &Database) -> Result<bool> {
    let records = database.begin_read()?.open_table(RECORDS)?;
    for record in records.range::<&str>(..)? {
        if !is_counter(record?.0.value()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes the second copy again, from all records of the database.
fn rewrite(database: &Database, path: &Path) -> Result<Mirror> {
    let commit = last_commit(database)?.unwrap_or(0);
    let records = database.begin_read()?.open_table(RECORDS)?;
    let all = records.range::<&str>(..)?.map(|record| {
        let (key, value) = record?;
        Ok((key.value().to_owned(), value.value().to_vec()))
    });
    Mirror::rewrite(path, commit, all)
}

impl DatabaseFile {
    /// Does something with the database, which is opened first where it is not. A database
    /// that panics over what it reads is an error, as one that says so.
    fn with<T>(&self, act: impl FnOnce(&Database) -> Result<T>) -> Result<T> {
        let act = |database: &Database| {
            catch_unwind(AssertUnwindSafe(|| act(database))).unwrap_or_else(|panic| {
                Err(anyhow!(
                    "the database {} failed: {}",
                    self.path.display(),
                    reason(&*panic)
                ))
            })
        };
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*database {
            return act(database);
        }
        drop(database);
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match &mut *database {
            Some(database) => act(database),
            none => act(none.insert(recovery::reopen(&self.path)?)),
        }
    }

    /// Closes the database; the next call that needs it opens it again.
    fn close(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *database = None;
    }

    /// Writes batches to both copies: first the log, without waiting for the disk, then the
    /// database, whose commit waits. In this order the log never lacks what the database has,
    /// except after a loss of power; then the next start writes it again from the database.
    fn write(&self, batches: &[&Batch]) -> Result<()> {
        let mut copies = self.mirror.lock().unwrap_or_else(PoisonError::into_inner);
        if copies.in_doubt {
            // A commit that failed may be in the database all the same.
            let last = self.with(last_commit)?.unwrap_or(0);
            if last != copies.mirror.last() {
                let path = copies.mirror.path().to_owned();
                copies.mirror = self.with(|database| rewrite(database, &path))?;
            }
            copies.in_doubt = false;
        }
        if copies.mirror.is_absent() && !batches.iter().all(|batch| batch.is_counting()) {
            let path = copies.mirror.path().to_owned();
            copies.mirror = self.with(|database| rewrite(database, &path))?;
        }
        let commit = copies.mirror.last() + u64::from(!copies.mirror.is_absent());
        let end = copies
            .mirror
            .append(commit, batches.iter().copied())
            .with_context(|| format!("{} cannot be written", copies.mirror.path().display()))?;
        copies.in_doubt = true;
        if let Err(error) = self.with(|database| write(database, batches, commit)) {
            copies.mirror.take_back();
            self.close();
            return Err(error);
        }
        copies.mirror.confirm(commit, end);
        copies.in_doubt = false;
        if copies.mirror.is_long() {
            let path = copies.mirror.path().to_owned();
            match self.with(|database| rewrite(database, &path)) {
                Ok(shorter) => copies.mirror = shorter,
                Err(error) => tracing::warn!("the store's log stays long: {error:#}"),
            }
        }
        Ok(())
    }
}

fn write(database: &Database, batches: &[&Batch], commit: u64) -> Result<()> {
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for (key, value) in batches.iter().flat_map(|batch| &batch.writes) {
            match value {
                Some(value) => records.insert(key.as_str(), value.as_slice())?,
                None => records.remove(key.as_str())?,
            };
        }
        let number = commit.to_string();
        records.insert(full_key(COMMIT.0, COMMIT.1).as_str(), number.as_bytes())?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests;
