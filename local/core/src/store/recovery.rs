//! Opening the store: the database when it is intact, else its records from the log.
//!
//! | database | log | what is done |
//! | --- | --- | --- |
//! | intact | up to date | nothing |
//! | intact | ahead | what the database lacks is committed: it fell back to before a damaged commit, or the process was killed between the two |
//! | intact | lacks commits, damaged or missing | the log is written again; a damaged one is kept aside |
//! | damaged, missing | there | the database is built from the log; a damaged one is kept aside |
//! | damaged | missing | an empty one takes its place |

use super::mirror::{self, Mirror, Scan};
use super::{Batch, RECORDS, is_counting, last_commit, rewrite, write};
use crate::folder::sync_parent;
use crate::taken;
use crate::troubles::{Troubles, reason};
use anyhow::{Context, Result, anyhow};
use redb::{Database, DatabaseError, ReadableDatabase, StorageError};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How many batches of the log become one commit of a database that is built from it.
const AT_ONCE: usize = 1024;

/// A store that was opened.
pub(super) struct Opened {
    pub database: Database,
    pub mirror: Mirror,
    /// Whether all records are there.
    pub is_whole: bool,
}

/// Why a database is not used.
enum Unusable {
    /// It is not as it was written.
    Damaged(String),
    /// It cannot be opened now: the disk is full, say, or somebody else has it.
    Refused(anyhow::Error),
}

/// Opens or creates the database at `path`, with its log beside it.
pub(super) fn open(path: &Path, troubles: &Troubles) -> Result<Opened> {
    let log = path.with_extension("log");
    remove_drafts(path);
    let scan = mirror::scan(&log)?;
    let was_there = path.exists();
    if !was_there && !scan.frames.is_empty() {
        let what = "the database was missing; its records come from the log beside it";
        troubles.name_only(path, what);
        return build(path, &log, scan, troubles);
    }
    match intact(path) {
        Ok(database) => {
            let last = last_commit(&database)?;
            if last.is_none() && !scan.frames.is_empty() {
                // Somebody emptied the file: the log has had commits.
                drop(database);
                troubles.keep_file(
                    path,
                    "the database was emptied; its records come from the log",
                );
                return build(path, &log, scan, troubles);
            }
            let mirror = keep_up(&database, last.unwrap_or(0), &log, &scan, troubles)?;
            Ok(Opened {
                database,
                mirror,
                is_whole: true,
            })
        }
        Err(Unusable::Damaged(reason)) if scan.frames.is_empty() => {
            troubles.keep_file(
                path,
                &format!(
                    "the database is damaged ({reason}), and there is no log to build it from: \
                     everything deployed is forgotten; `cargo xtask up` deploys it again"
                ),
            );
            if log.exists() {
                troubles.keep_file(&log, "no part of the store's log is intact");
            }
            Ok(Opened {
                database: reopen(path)?,
                mirror: Mirror::absent(&log),
                is_whole: false,
            })
        }
        Err(Unusable::Damaged(reason)) => {
            let what = format!("the database is damaged ({reason}); its records come from the log");
            troubles.keep_file(path, &what);
            build(path, &log, scan, troubles)
        }
        Err(Unusable::Refused(error)) => Err(error.context(format!(
            "the store {} cannot be opened; name another folder by --home (MYSFITS_HOME), or see \
             what has it",
            path.display()
        ))),
    }
}

/// Opens the database as it is, after a write has failed.
pub(super) fn reopen(path: &Path) -> Result<Database> {
    let database = Database::create(path)
        .map_err(|error| anyhow!("the store {} cannot be opened: {error}", path.display()))?;
    with_table(&database)?;
    Ok(database)
}

/// Removes what an interrupted start has left.
fn remove_drafts(path: &Path) {
    for draft in ["redb.new", "log.new"] {
        let _ = std::fs::remove_file(path.with_extension(draft));
    }
}

/// Opens the database and reads all of it.
fn intact(path: &Path) -> Result<Database, Unusable> {
    // The database is built for files that are as it wrote them; what it cannot take is a panic.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        // The check reads the whole file, as the repair of one that was not closed does; with
        // this option it is read once for both.
        let opened = taken::take(
            || {
                Database::builder()
                    .set_check_integrity_on_open(true)
                    .create(path)
            },
            |error| matches!(error, DatabaseError::DatabaseAlreadyOpen),
        );
        let database = opened.map_err(unusable)?;
        with_table(&database).map_err(Unusable::Refused)?;
        Ok(database)
    }));
    opened.unwrap_or_else(|panic| Err(Unusable::Damaged(reason(&*panic).to_owned())))
}

fn unusable(error: DatabaseError) -> Unusable {
    let is_damage = match &error {
        DatabaseError::Storage(StorageError::Io(error)) => {
            matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            )
        }
        DatabaseError::DatabaseAlreadyOpen => false,
        _ => true,
    };
    match is_damage {
        true => Unusable::Damaged(error.to_string()),
        false => Unusable::Refused(error.into()),
    }
}

fn with_table(database: &Database) -> Result<()> {
    // Every commit waits for the disk.
    if database.begin_read()?.open_table(RECORDS).is_ok() {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    transaction.open_table(RECORDS)?;
    transaction.commit()?;
    Ok(())
}

/// The log of an intact database.
fn keep_up(
    database: &Database,
    last: u64,
    log: &Path,
    scan: &Scan,
    troubles: &Troubles,
) -> Result<Mirror> {
    if !scan.damaged.is_empty() {
        let what = "the store's log is damaged; it is written again from the database, and \
                    nothing is lost";
        troubles.keep_file(log, what);
        return rewrite(database, log);
    }
    let newest = scan.last();
    if newest > last {
        // After a kill in the middle of a commit the database goes back to the commit before. It
        // does the same when the last commit is damaged. The two cannot be told apart, and nothing
        // is lost in either.
        let missing = scan.frames.iter().filter(|frame| frame.commit > last);
        commit_all(database, mirror::batches(log, missing)?, newest)?;
    }
    if scan.frames.is_empty() && is_counting(database)? {
        return Ok(Mirror::absent(log));
    }
    // A commit that the database has was written to its end here too, before the power went.
    let is_cut_short = scan.torn.is_some_and(|commit| commit <= last);
    if is_cut_short || newest < last || scan.frames.is_empty() {
        return rewrite(database, log);
    }
    Mirror::resume(log, scan)
}

/// Builds the database from the log, beside its place.
fn build(path: &Path, log: &Path, scan: Scan, troubles: &Troubles) -> Result<Opened> {
    let draft = path.with_extension("redb.new");
    {
        let database = reopen(&draft)?;
        let batches = mirror::batches(log, &scan.frames)?;
        commit_all(&database, batches, scan.last())?;
    }
    std::fs::rename(&draft, path)
        .with_context(|| format!("{} cannot be moved", draft.display()))?;
    sync_parent(path)?;
    let database = reopen(path)?;
    for &(at, length) in &scan.damaged {
        let bytes = mirror::bytes_at(log, at, length)?;
        let what = "a part of the store's log is damaged, and the database was too: what was \
                    written there is lost";
        troubles.keep_bytes(log, at, &bytes, what);
    }
    Ok(Opened {
        mirror: rewrite(&database, log)?,
        database,
        is_whole: scan.damaged.is_empty(),
    })
}

fn commit_all(
    database: &Database,
    batches: impl Iterator<Item = Result<Batch>>,
    commit: u64,
) -> Result<()> {
    let mut waiting = Vec::new();
    for batch in batches {
        waiting.push(batch?);
        if waiting.len() == AT_ONCE {
            write(database, &waiting.iter().collect::<Vec<_>>(), commit)?;
            waiting.clear();
        }
    }
    write(database, &waiting.iter().collect::<Vec<_>>(), commit)
}
