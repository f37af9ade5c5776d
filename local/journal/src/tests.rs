//! The journal through its front door: what is pending after reopening it.

use super::writer::{Disk, RealDisk};
use super::*;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A journal, and everything it said was accepted.
struct Opened {
    journal: Journal,
    accepted: UnboundedReceiver<Vec<Entry>>,
}

impl Opened {
    fn at(folder: &Path) -> Result<Self> {
        Self::on(folder, Box::new(RealDisk))
    }

    fn on(folder: &Path, disk: Box<dyn Disk>) -> Result<Self> {
        let (sender, accepted) = unbounded_channel();
        let troubles = Troubles::open(folder);
        let journal = Journal::open_on(folder, sender, &troubles, disk)?;
        Ok(Self { journal, accepted })
    }

    async fn put(&self, data: &[&str]) -> Result<()> {
        let records = data
            .iter()
            .map(|data| NewRecord {
                arrival: 1000,
                data: Bytes::copy_from_slice(data.as_bytes()),
            })
            .collect();
        self.journal.append(records).await
    }

    /// What was accepted since the last time, read back from the disk.
    fn taken(&mut self) -> Result<Vec<(u64, String)>> {
        let mut entries = Vec::new();
        while let Ok(more) = self.accepted.try_recv() {
            entries.extend(more);
        }
        let data = self.journal.read(&entries);
        let data = data.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(entries
            .iter()
            .zip(data)
            .map(|(entry, data)| (entry.sequence, String::from_utf8_lossy(&data).into_owned()))
            .collect())
    }
}

fn pending(folder: &Path) -> Result<Vec<String>> {
    let taken = Opened::at(folder)?.taken()?;
    Ok(taken.into_iter().map(|(_, data)| data).collect())
}

fn segment_files(folder: &Path) -> Result<usize> {
    Ok(segments_in(folder)?.len())
}

#[tokio::test]
async fn what_was_accepted_and_not_delivered_is_pending_after_reopening() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut journal = Opened::at(folder.path())?;
    journal.put(&["a", "b"]).await?;
    journal.put(&["c"]).await?;
    let taken = journal.taken()?;
    assert_eq!(taken, [(1, "a".into()), (2, "b".into()), (3, "c".into())]);
    journal
        .journal
        .delivered([1, 3].into_iter().collect())
        .await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, ["b"]);
    Ok(())
}

#[tokio::test]
async fn numbers_go_on_after_reopening_even_when_all_was_delivered() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    journal.put(&["a", "b"]).await?;
    journal
        .journal
        .delivered([1, 2].into_iter().collect())
        .await?;
    drop(journal);
    let mut journal = Opened::at(folder.path())?;
    journal.put(&["c"]).await?;
    assert_eq!(journal.taken()?, [(3, "c".into())]);
    Ok(())
}

#[tokio::test]
async fn appends_that_arrive_together_are_all_there() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    let data: Vec<_> = (0..200).map(|number| number.to_string()).collect();
    let puts = data.iter().map(async |data| journal.put(&[data]).await);
    futures::future::try_join_all(puts).await?;
    drop(journal);
    let mut pending = pending(folder.path())?;
    pending.sort_by_key(|data| data.parse::<u32>().unwrap_or_default());
    assert_eq!(pending, data);
    Ok(())
}

#[tokio::test]
async fn segments_go_from_the_oldest_on_when_all_in_them_is_delivered() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    let megabyte = "x".repeat(1_000_000);
    for _ in 0..30 {
        journal.put(&[&megabyte]).await?;
    }
    let before = segment_files(folder.path())?;
    assert!(before >= 3, "30 MB are in {before} segments");

    // The first record holds all segments after it, in a journal that is short.
    journal.journal.delivered((2..=30).collect()).await?;
    assert_eq!(segment_files(folder.path())?, before);
    journal.journal.delivered([1].into_iter().collect()).await?;
    assert_eq!(segment_files(folder.path())?, 1, "only the active one");

    journal.put(&["last"]).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, ["last"]);
    Ok(())
}

/// A megabyte that is accepted and delivered.
async fn pass(journal: &Opened, number: u64) -> Result<()> {
    journal.put(&[&"x".repeat(1_000_000)]).await?;
    journal
        .journal
        .delivered([number].into_iter().collect())
        .await
}

#[tokio::test]
async fn records_that_cannot_be_delivered_do_not_hold_the_rest() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut journal = Opened::at(folder.path())?;
    // One in thirty stays, so that each segment has one or none.
    let mut stays = Vec::new();
    for number in 1..=150 {
        if number % 30 == 1 {
            journal.put(&[&format!("stays {number}")]).await?;
            stays.push(format!("stays {number}"));
        } else {
            pass(&journal, number).await?;
        }
        let bytes = journal.journal.bytes();
        assert!(bytes < 50_000_000, "{bytes} after {number} records");
    }
    let files = segment_files(folder.path())?;
    assert!(files <= 6, "{files}");

    // Who was told of them where they were accepted finds them.
    let taken = journal.taken();
    assert!(taken.is_err(), "what was delivered is gone");
    let (open, next) = journal.journal.pending().await?;
    assert_eq!(next, 151);
    let read = |opened: &Opened, open: &[Entry]| -> Result<Vec<String>> {
        let data = opened.journal.read(open).into_iter();
        data.map(|data| Ok(String::from_utf8(data?.to_vec())?))
            .collect()
    };
    assert_eq!(read(&journal, &open)?, stays);

    // One is delivered after it was moved, and the rest is there at the next start, once.
    let delivered = [open[0].sequence].into_iter().collect();
    journal.journal.delivered(delivered).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, stays[1..]);
    assert_eq!(Troubles::open(folder.path()).damaged(), []);
    Ok(())
}

#[tokio::test]
async fn a_record_is_found_where_it_was_moved_to_and_is_there_once_after_a_kill() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut journal = Opened::at(folder.path())?;
    journal.put(&["stays"]).await?;
    // After what was left over: nothing.
    let told = [journal.accepted.try_recv()?, journal.accepted.try_recv()?].concat();
    let (_, oldest) = segments_in(folder.path())?.pop_first().context("one")?;
    let before = tempfile::tempdir_in(folder.path())?;
    let mut number = 2;
    while oldest.exists() {
        assert!(number < 60, "it stays");
        for (first, path) in segments_in(folder.path())? {
            let _there_already = std::fs::hard_link(path, segment::path(before.path(), first));
        }
        pass(&journal, number).await?;
        number += 1;
    }
    let data = journal.journal.read(&told).pop().context("one")??;
    assert_eq!(data, "stays");
    drop(journal);
    // As after a kill between the copy and the deletions.
    for (first, path) in segments_in(before.path())? {
        let _still_there = std::fs::hard_link(path, segment::path(folder.path(), first));
    }
    assert!(oldest.exists());
    assert_eq!(pending(folder.path())?, ["stays"]);
    assert_eq!(Troubles::open(folder.path()).damaged(), []);
    let journal = Opened::at(folder.path())?;
    journal.journal.delivered([1].into_iter().collect()).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn a_torn_tail_is_cut_and_written_over() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    journal.put(&["whole"]).await?;
    drop(journal);
    let (_, path) = segments_in(folder.path())?
        .pop_first()
        .context("there is a segment")?;
    let mut bytes = std::fs::read(&path)?;
    bytes.extend_from_slice(&[17, 0, 0, 0, 1, 2, 3]);
    std::fs::write(&path, bytes)?;

    let journal = Opened::at(folder.path())?;
    journal.put(&["next"]).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, ["whole", "next"]);
    Ok(())
}

#[tokio::test]
async fn a_damaged_frame_costs_its_record_and_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    for data in ["first", "second", "third"] {
        journal.put(&[data]).await?;
    }
    drop(journal);
    let (_, path) = segments_in(folder.path())?
        .pop_first()
        .context("there is a segment")?;
    let mut bytes = std::fs::read(&path)?;
    let at = bytes.windows(5).position(|window| window == b"first");
    bytes[at.context("it is there")?] ^= 1;
    std::fs::write(&path, &bytes)?;

    // Once more at the next start, and named once.
    for _ in 0..2 {
        assert_eq!(pending(folder.path())?, ["second", "third"]);
        let damaged = Troubles::open(folder.path()).damaged();
        assert_eq!(damaged.len(), 1, "{damaged:?}");
        assert!(damaged[0].what.contains("records 1 to 1"), "{damaged:?}");
        assert!(damaged[0].kept.is_some());
        assert_eq!(std::fs::read(&path)?, bytes, "it stays as it is");
    }
    let mut journal = Opened::at(folder.path())?;
    journal.put(&["next"]).await?;
    let taken = journal.taken()?;
    assert_eq!(taken.last(), Some(&(4, "next".into())));
    drop(journal);
    assert_eq!(pending(folder.path())?, ["second", "third", "next"]);
    Ok(())
}

#[tokio::test]
async fn a_record_is_not_taken_for_a_damaged_one_that_was_delivered() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    journal.put(&["first"]).await?;
    journal.put(&["second"]).await?;
    journal.journal.delivered([2].into_iter().collect()).await?;
    drop(journal);
    let (_, path) = segments_in(folder.path())?.pop_first().context("one")?;
    let mut bytes = std::fs::read(&path)?;
    let at = bytes.windows(6).position(|window| window == b"second");
    bytes[at.context("it is there")?] ^= 1;
    std::fs::write(&path, &bytes)?;

    let journal = Opened::at(folder.path())?;
    journal.put(&["third"]).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, ["first", "third"]);
    Ok(())
}

#[tokio::test]
async fn a_damaged_byte_anywhere_costs_its_own_record_and_none_that_comes_later() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    for (data, delivered) in [
        ("one", 0),
        ("two", 2),
        ("three", 0),
        ("four", 4),
        ("five", 5),
    ] {
        journal.put(&[data]).await?;
        let delivered: Sequences = (delivered..=delivered).filter(|one| *one > 0).collect();
        journal.journal.delivered(delivered).await?;
    }
    drop(journal);
    let (_, path) = segments_in(folder.path())?.pop_first().context("one")?;
    let whole = std::fs::read(&path)?;
    for at in 0..whole.len() {
        for turned in [0x01, 0x08, 0x3b, 0x80] {
            let context = format!("byte {at} turned by {turned}");
            let folder = tempfile::tempdir()?;
            let mut bytes = whole.clone();
            bytes[at] ^= turned;
            std::fs::write(segment::path(folder.path(), 1), bytes)?;
            let journal = Opened::at(folder.path())?;
            journal.put(&["later"]).await?;
            drop(journal);
            let pending = pending(folder.path())?;
            let is_there = |data: &&str| pending.iter().any(|one| one == data);
            let lost = ["one", "three"].into_iter().filter(|data| !is_there(data));
            let (lost, named) = (lost.count(), Troubles::open(folder.path()).damaged().len());
            assert!(lost <= 1 && named == 1, "{context}: {pending:?}");
            assert!(is_there(&"later"), "{context}: {pending:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_file_of_rubbish_is_kept_aside_and_costs_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let journal = Opened::at(folder.path())?;
    journal.put(&["whole"]).await?;
    drop(journal);
    std::fs::write(segment::path(folder.path(), 50), [0x5a; 500])?;
    let journal = Opened::at(folder.path())?;
    journal.put(&["next"]).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, ["whole", "next"]);
    assert_eq!(Troubles::open(folder.path()).damaged().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_segment_that_was_just_created_by_a_crashed_process_is_no_obstacle() -> Result<()> {
    for left_over in [b"".as_slice(), b"MYSF"] {
        let folder = tempfile::tempdir()?;
        std::fs::write(segment::path(folder.path(), 1), left_over)?;
        let journal = Opened::at(folder.path())?;
        journal.put(&["a"]).await?;
        drop(journal);
        assert_eq!(pending(folder.path())?, ["a"]);
    }
    Ok(())
}

#[test]
fn a_journal_of_another_version_is_refused_by_name() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(segment::path(folder.path(), 1), b"MYSFJRN9...")?;
    let refused = Opened::at(folder.path()).err().context("it is refused")?;
    assert!(format!("{refused:#}").contains("00001.journal is not a journal of this version"));
    Ok(())
}

/// A disk that can fail: half of a write, or a sync; or panic.
#[derive(Default, Clone)]
struct FailingDisk {
    rotten: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

impl Disk for FailingDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        RealDisk.create(path)
    }

    fn write_all_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        assert!(!self.rotten.load(Ordering::SeqCst), "rotten");
        if self.full.load(Ordering::SeqCst) {
            RealDisk.write_all_at(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        RealDisk.write_all_at(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        RealDisk.sync(file)
    }
}

#[tokio::test]
async fn a_full_disk_refuses_records_and_loses_none_that_were_accepted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let disk = FailingDisk::default();
    let mut journal = Opened::on(folder.path(), Box::new(disk.clone()))?;
    journal.put(&["before"]).await?;
    disk.full.store(true, Ordering::SeqCst);
    assert!(journal.put(&["refused"]).await.is_err());
    disk.full.store(false, Ordering::SeqCst);
    journal.put(&["after"]).await?;

    let taken: Vec<_> = journal.taken()?.into_iter().map(|(_, data)| data).collect();
    assert_eq!(taken, ["before", "after"]);
    drop(journal);
    assert_eq!(pending(folder.path())?, ["before", "after"]);
    Ok(())
}

#[tokio::test]
async fn what_was_delivered_while_the_disk_was_full_is_written_down_later() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let disk = FailingDisk::default();
    let journal = Opened::on(folder.path(), Box::new(disk.clone()))?;
    journal.put(&["delivered"]).await?;
    disk.full.store(true, Ordering::SeqCst);
    let delivered = [1].into_iter().collect();
    assert!(journal.journal.delivered(delivered).await.is_err());
    disk.full.store(false, Ordering::SeqCst);
    journal.put(&["next"]).await?;
    drop(journal);
    assert_eq!(pending(folder.path())?, ["next"]);
    Ok(())
}

#[tokio::test]
async fn after_a_failed_sync_writing_goes_on_in_a_new_segment() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let disk = FailingDisk::default();
    let mut journal = Opened::on(folder.path(), Box::new(disk.clone()))?;
    journal.put(&["before"]).await?;
    disk.broken.store(true, Ordering::SeqCst);
    assert!(journal.put(&["unknown"]).await.is_err());
    disk.broken.store(false, Ordering::SeqCst);
    journal.put(&["after"]).await?;
    assert_eq!(segment_files(folder.path())?, 2);

    let numbers: Vec<_> = journal.taken()?.into_iter().collect();
    assert_eq!(numbers.len(), 2);
    drop(journal);
    // The one of which nobody knows may be delivered: it was never acknowledged.
    let pending = pending(folder.path())?;
    assert!(pending.contains(&"before".into()) && pending.contains(&"after".into()));
    Ok(())
}

#[tokio::test]
async fn a_writer_that_panics_refuses_records_and_goes_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let disk = FailingDisk::default();
    let mut journal = Opened::on(folder.path(), Box::new(disk.clone()))?;
    journal.put(&["before"]).await?;
    disk.rotten.store(true, Ordering::SeqCst);
    assert!(journal.put(&["refused"]).await.is_err());
    disk.rotten.store(false, Ordering::SeqCst);
    journal.put(&["after"]).await?;
    let taken: Vec<_> = journal.taken()?.into_iter().map(|(_, data)| data).collect();
    assert_eq!(taken, ["before", "after"]);
    drop(journal);
    assert_eq!(pending(folder.path())?, ["before", "after"]);
    Ok(())
}

#[tokio::test]
async fn a_discarded_journal_leaves_nothing_and_takes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("stream");
    let journal = Opened::at(&path)?;
    journal.put(&["a"]).await?;
    journal.journal.discard().await?;
    assert!(!path.exists());
    assert!(journal.put(&["b"]).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_stream_that_lost_count_is_told_what_is_pending() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let disk = FailingDisk::default();
    let journal = Opened::on(folder.path(), Box::new(disk.clone()))?;
    journal.put(&["a", "b"]).await?;
    journal.put(&["c"]).await?;
    // The disk does not know of the delivery.
    disk.full.store(true, Ordering::SeqCst);
    let delivered = journal.journal.delivered([2].into_iter().collect()).await;
    assert!(delivered.is_err());
    let (pending, next) = journal.journal.pending().await?;
    let sequences: Vec<_> = pending.iter().map(|entry| entry.sequence).collect();
    assert_eq!((sequences, next), (vec![1, 3], 4));
    Ok(())
}
