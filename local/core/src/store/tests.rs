//! The store through its front door: what is there after it is opened again.

use super::*;
use anyhow::ensure;
use std::fs;
use std::sync::mpsc;

/// A store of 300 records, some of them written over and deleted, and what it holds.
async fn filled(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let store = Store::open(&folder.join("store.redb"), &Troubles::open(folder)).await?;
    for number in 0..100_u32 {
        let mut batch = Batch::new().put("a", "counter", number.to_string().into_bytes());
        for part in 0..4 {
            let value = format!("{number}-{part} ").repeat(20).into_bytes();
            batch = batch.put("a", &format!("{number:03}-{part}"), value);
        }
        store.commit(batch).await?;
        let key = format!("{number:03}-0");
        store.commit(Batch::new().delete("a", &key)).await?;
    }
    store.scan("a", "").await
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store.redb");
    let troubles = Troubles::open(folder.path());
    {
        let store = Store::open(&path, &troubles).await?;
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
    let store = Store::open(&path, &troubles).await?;
    assert_eq!(store.get("a", "1").await?, None);
    assert_eq!(
        store.scan("a", "").await?,
        [("2".to_owned(), b"two".to_vec())]
    );
    assert_eq!(troubles.damaged(), []);
    Ok(())
}

#[tokio::test]
async fn one_damaged_byte_anywhere_costs_nothing_and_is_named() -> Result<()> {
    let original = tempfile::tempdir()?;
    let expected = filled(original.path()).await?;
    ensure!(expected.len() == 301);
    for name in ["store.redb", "store.log"] {
        let whole = fs::read(original.path().join(name))?;
        for step in 0..16 {
            let at = whole.len() * step / 16 + step % 7;
            let folder = tempfile::tempdir()?;
            for name in ["store.redb", "store.log"] {
                fs::copy(original.path().join(name), folder.path().join(name))?;
            }
            let path = folder.path().join(name);
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes)?;

            let troubles = Troubles::open(folder.path());
            let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
            ensure!(store.is_whole(), "{name} at {at}");
            ensure!(store.scan("a", "").await? == expected, "{name} at {at}");
            store.commit(Batch::new().put("b", "1", vec![1])).await?;
            // A byte of the database that nothing uses is no damage.
            if name == "store.log" {
                ensure!(troubles.damaged().len() == 1, "{name} at {at}");
            }
            drop(store);
            let named = Troubles::open(folder.path()).damaged().len();
            let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
            ensure!(
                store.scan("a", "").await? == expected,
                "{name} at {at}, again"
            );
            ensure!(store.get("b", "1").await? == Some(vec![1]));
            ensure!(troubles.damaged().len() >= named);
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_log_whose_end_is_missing_is_written_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store.redb");
    let log = folder.path().join("store.log");
    let troubles = Troubles::open(folder.path());
    let store = Store::open(&path, &troubles).await?;
    // All but the first are written as one commit.
    let writes = (0..8).map(|number| {
        let batch = Batch::new().put("a", &number.to_string(), vec![number; 100]);
        store.commit(batch)
    });
    futures::future::try_join_all(writes).await?;
    let expected = store.scan("a", "").await?;
    drop(store);
    let mut bytes = fs::read(&log)?;
    bytes.truncate(bytes.len() - 50);
    fs::write(&log, bytes)?;
    drop(Store::open(&path, &troubles).await?);
    fs::remove_file(&path)?;
    ensure!(Store::open(&path, &troubles).await?.scan("a", "").await? == expected);
    Ok(())
}

#[tokio::test]
async fn with_both_copies_damaged_the_damaged_batches_alone_are_lost() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let expected = filled(folder.path()).await?;
    let path = folder.path().join("store.redb");
    fs::write(&path, vec![0xA5; 8192])?;
    let log = folder.path().join("store.log");
    let mut bytes = fs::read(&log)?;
    let text = b"050-2 ";
    let at = bytes.windows(text.len()).position(|window| window == text);
    let text = b"50-2 ";
    let at = at.or_else(|| bytes.windows(text.len()).position(|window| window == text));
    bytes[at.context("it is there")?] ^= 1;
    fs::write(&log, bytes)?;

    let troubles = Troubles::open(folder.path());
    let store = Store::open(&path, &troubles).await?;
    let found = store.scan("a", "").await?;
    let lost = |key: &str| key.starts_with("050-");
    let rest: Vec<_> = expected.into_iter().filter(|(key, _)| !lost(key)).collect();
    ensure!(found == rest, "{} of {}", found.len(), rest.len());
    ensure!(!store.is_whole());
    ensure!(troubles.damaged().len() == 2, "{:?}", troubles.damaged());
    Ok(())
}

#[tokio::test]
async fn the_log_does_not_grow_forever() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let troubles = Troubles::open(folder.path());
    let path = folder.path().join("store.redb");
    let store = Store::open(&path, &troubles).await?;
    for number in 0..50_u8 {
        let value = vec![number; 1024 * 1024];
        store.commit(Batch::new().put("a", "1", value)).await?;
    }
    let length = fs::metadata(folder.path().join("store.log"))?.len();
    ensure!(length < 36 * 1024 * 1024, "{length}");
    drop(store);
    fs::remove_file(&path)?;
    let store = Store::open(&path, &troubles).await?;
    ensure!(store.get("a", "1").await? == Some(vec![49; 1024 * 1024]));
    Ok(())
}

#[tokio::test]
async fn a_closed_store_takes_no_writes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let troubles = Troubles::open(folder.path());
    let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
    let other = store.clone();
    store.close().await;
    let batch = Batch::new().put("a", "1", b"one".to_vec());
    let refusal = other.commit(batch).await.err().context("refused")?;
    assert!(refusal.to_string().contains("reset"), "{refusal}");
    assert_eq!(store.get("a", "1").await?, None);
    Ok(())
}

/// The test has one thread, which the read would wait for if it were on it.
#[tokio::test]
async fn a_read_keeps_no_async_thread_waiting() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let troubles = Troubles::open(folder.path());
    let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
    let (other, release) = (store.clone(), mpsc::channel());
    let (released, released_by) = release;
    let read = store.read(move |records| {
        let released = released_by.recv_timeout(std::time::Duration::from_secs(20));
        (released.is_ok(), records.get("a", "1"))
    });
    let write = async {
        let batch = Batch::new().put("a", "1", b"one".to_vec());
        other.commit(batch).await?;
        released.send(())?;
        anyhow::Ok(())
    };
    let (read, written) = tokio::join!(read, write);
    written?;
    let (released, record) = read?;
    ensure!(released, "the read had the only thread");
    ensure!(
        record?.is_none(),
        "what is committed later is not in the snapshot"
    );
    Ok(())
}

#[tokio::test]
async fn a_store_of_counters_alone_has_no_second_copy() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let troubles = Troubles::open(folder.path());
    let path = folder.path().join("store.redb");
    let log = folder.path().join("store.log");
    for number in 0..3_u8 {
        let store = Store::open(&path, &troubles).await?;
        store
            .commit(Batch::new().put(COUNTERS, "starts", vec![number]))
            .await?;
        ensure!(!log.exists(), "at start {number}");
    }
    let store = Store::open(&path, &troubles).await?;
    store
        .commit(Batch::new().put("a", "1", b"one".to_vec()))
        .await?;
    drop(store);
    std::fs::remove_file(&path)?;
    let store = Store::open(&path, &troubles).await?;
    ensure!(store.get(COUNTERS, "starts").await? == Some(vec![2]));
    ensure!(store.get("a", "1").await? == Some(b"one".to_vec()));
    Ok(())
}

#[tokio::test]
async fn each_look_finds_what_was_committed_before() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let troubles = Troubles::open(folder.path());
    let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
    let counts = (0..8_u8).map(|writer| {
        let store = store.clone();
        async move {
            for count in 0..50_u8 {
                let key = writer.to_string();
                let batch = Batch::new().put("a", &key, vec![count]);
                store.commit(batch).await?;
                ensure!(store.get("a", &key).await? == Some(vec![count]));
            }
            Ok(())
        }
    });
    futures::future::try_join_all(counts).await?;
    Ok(())
}

#[tokio::test]
async fn a_look_that_panics_is_an_error_and_costs_no_other() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let troubles = Troubles::open(folder.path());
    let store = Store::open(&folder.path().join("store.redb"), &troubles).await?;
    let panics = store.look_up(|_| panic!("this is no record"));
    let (panicked, found): (Result<()>, _) = tokio::join!(panics, store.get("a", "1"));
    let panicked = panicked.err().context("an error")?;
    ensure!(
        panicked.to_string().contains("this is no record"),
        "{panicked}"
    );
    ensure!(found?.is_none());
    ensure!(store.get("a", "1").await?.is_none());
    Ok(())
}
