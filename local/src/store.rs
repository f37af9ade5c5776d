//! Durable tables: small records under string keys, on disk before a write returns.
//!
//! Writers that arrive together share one commit (and so one `fsync`): a write waits for the
//! commit that is under way, then goes out with everybody else who waited. After a crash the
//! store holds exactly the batches whose `commit` returned, and possibly some whose had not yet.
//!
//! A store that was closed takes no more writes: its file is about to be deleted, and a write
//! would be acknowledged and then be nowhere.
//!
//! When the disk refuses a write (it is full, say), that commit fails and the file is opened
//! anew: the database would refuse everything from then on.

use anyhow::{Context, Result, anyhow};
use redb::{Database, ReadableDatabase, TableDefinition};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak, mpsc};
use tokio::sync::oneshot;

/// One table for all: keys are `table\0key`, so that tables need no declaration.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// How many waiting batches one commit takes at most; bounds the memory of a commit.
const MAX_GROUP: usize = 1024;

/// A handle to the tables; clones share the database.
#[derive(Clone)]
pub struct Store {
    file: Arc<DatabaseFile>,
    writer: mpsc::Sender<Group>,
}

/// The database, open except after a failed write, until it can be opened again.
struct DatabaseFile {
    path: PathBuf,
    database: RwLock<Option<Database>>,
    /// Whether it is about to be deleted: no write is taken any more.
    closed: AtomicBool,
}

/// Writes that become durable together, or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    writes: Vec<(String, Option<Vec<u8>>)>,
}

struct Group {
    batch: Batch,
    done: oneshot::Sender<Result<(), String>>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a record.
    pub fn put(mut self, table: &str, key: &str, value: Vec<u8>) -> Self {
        self.writes.push((full_key(table, key), Some(value)));
        self
    }

    /// Whether it writes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// These writes, and those of another batch behind them.
    pub fn and(mut self, other: Self) -> Self {
        self.writes.extend(other.writes);
        self
    }

    /// Removes a record; one that is not there is no error.
    pub fn delete(mut self, table: &str, key: &str) -> Self {
        self.writes.push((full_key(table, key), None));
        self
    }
}

impl Store {
    /// Opens or creates the database file at `path` and starts its writer thread, which ends
    /// when the last handle is dropped.
    pub fn open(path: &Path) -> Result<Self> {
        let file = Arc::new(DatabaseFile {
            path: path.to_owned(),
            database: RwLock::new(Some(open(path)?)),
            closed: AtomicBool::new(false),
        });
        let (writer, groups) = mpsc::channel();
        // The thread holds the database only while it writes, so that the file is free again
        // when the last handle is gone.
        std::thread::Builder::new().name("store".into()).spawn({
            let file = Arc::downgrade(&file);
            move || write_groups(&file, &groups)
        })?;
        Ok(Self { file, writer })
    }

    /// Takes no more writes, in this handle and all others. On return none is under way.
    pub async fn close(&self) {
        self.file.closed.store(true, Ordering::SeqCst);
        // The writer answers behind all that it has begun.
        let _refused = self.commit(Batch::new()).await;
    }

    /// Whether it takes no more writes.
    pub fn is_closed(&self) -> bool {
        self.file.closed.load(Ordering::SeqCst)
    }

    /// The record under `key`, if there is one.
    pub fn get(&self, table: &str, key: &str) -> Result<Option<Vec<u8>>> {
        self.file.with(|database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let value = records.get(full_key(table, key).as_str())?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    /// All records of `table` whose key starts with `prefix`, in the order of their keys.
    pub fn scan(&self, table: &str, prefix: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.range(table, prefix, "", usize::MAX)
    }

    /// Up to `limit` records of `table` whose key starts with `prefix` and is not less than
    /// `from`, in the order of their keys.
    pub fn range(
        &self,
        table: &str,
        prefix: &str,
        from: &str,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>> {
        let prefix = full_key(table, prefix);
        let start = full_key(table, from).max(prefix.clone());
        let table_length = table.len() + 1;
        self.file.with(|database| {
            let records = database.begin_read()?.open_table(RECORDS)?;
            let mut found = Vec::new();
            for record in records.range(start.as_str()..)?.take(limit) {
                let (key, value) = record?;
                let key = key.value();
                if !key.starts_with(&prefix) {
                    break;
                }
                found.push((key[table_length..].to_owned(), value.value().to_vec()));
            }
            Ok(found)
        })
    }

    /// Makes the batch durable. Fails, with nothing written, when the disk refuses it.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        let (done, finished) = oneshot::channel();
        self.writer
            .send(Group { batch, done })
            .map_err(|_| anyhow!("the store is closed"))?;
        finished
            .await
            .context("the store was closed during a write")?
            .map_err(anyhow::Error::msg)
    }
}

fn full_key(table: &str, key: &str) -> String {
    format!("{table}\0{key}")
}

impl DatabaseFile {
    /// Does something with the database, which is opened first where it is not.
    fn with<T>(&self, act: impl Fn(&Database) -> Result<T>) -> Result<T> {
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
            none => act(none.insert(open(&self.path)?)),
        }
    }

    /// Closes the database; whoever needs it next opens it again.
    fn close(&self) {
        let mut database = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *database = None;
    }
}

fn open(path: &Path) -> Result<Database> {
    let database = Database::create(path).map_err(|error| {
        anyhow!(
            "the store {} cannot be opened: {error}. If it is damaged, move the folder away to \
             start with an empty one, or name another by --home (MYSFITS_HOME)",
            path.display()
        )
    })?;
    let transaction = database.begin_write()?;
    transaction.open_table(RECORDS)?;
    transaction.commit()?;
    Ok(database)
}

fn write_groups(file: &Weak<DatabaseFile>, groups: &mpsc::Receiver<Group>) {
    while let Ok(first) = groups.recv() {
        let mut waiting = vec![first];
        waiting.extend(groups.try_iter().take(MAX_GROUP - 1));
        let result = match file.upgrade() {
            Some(file) if file.closed.load(Ordering::SeqCst) => {
                Err("the cloud was reset meanwhile".to_owned())
            }
            Some(file) => file
                .with(|database| write(database, waiting.iter().map(|group| &group.batch)))
                .map_err(|error| {
                    file.close();
                    format!("the store cannot be written: {error:#}")
                }),
            None => Err("the store is closed".to_owned()),
        };
        for group in waiting {
            // A writer that stopped waiting does not need the answer.
            let _ = group.done.send(result.clone());
        }
    }
}

fn write<'a>(database: &Database, batches: impl Iterator<Item = &'a Batch>) -> Result<()> {
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for (key, value) in batches.flat_map(|batch| &batch.writes) {
            match value {
                Some(value) => records.insert(key.as_str(), value.as_slice())?,
                None => records.remove(key.as_str())?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_committed_is_there_after_reopening() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("store.redb");
        {
            let store = Store::open(&path)?;
            store
                .commit(
                    Batch::new()
                        .put("a", "1", b"one".to_vec())
                        .put("a", "2", b"two".to_vec())
                        .put("ab", "1", b"other".to_vec()),
                )
                .await?;
            store.commit(Batch::new().delete("a", "1")).await?;
        }
        let store = Store::open(&path)?;
        assert_eq!(store.get("a", "1")?, None);
        assert_eq!(store.scan("a", "")?, [("2".to_owned(), b"two".to_vec())]);
        Ok(())
    }

    #[tokio::test]
    async fn a_closed_store_takes_no_writes() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(&folder.path().join("store.redb"))?;
        let other = store.clone();
        store.close().await;
        let batch = Batch::new().put("a", "1", b"one".to_vec());
        let refusal = other.commit(batch).await.err().context("refused")?;
        assert!(refusal.to_string().contains("reset"), "{refusal}");
        assert_eq!(store.get("a", "1")?, None);
        Ok(())
    }
}
