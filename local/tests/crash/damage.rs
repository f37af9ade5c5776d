//! Killed again and again, and between the kills one byte of one file of the home is damaged: 12
//! times in every run of the tests, and 200 times on request with
//! `cargo test --workspace --test crash -- --ignored --nocapture`. `MYSFITS_SEED` repeats a run.
//!
//! No start is refused, what is damaged is named, and a record is lost only when its own bytes in
//! the journal were the damaged ones, or those of the object that holds it.

use crate::daemon::{Daemon, deploy, readable};
use crate::kills::Random;
use crate::load::{Load, usual};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_damaged_byte_costs_itself_at_most_in_12_rounds() -> Result<()> {
    damage_and_count(12).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: for changes of what is on disk"]
async fn one_damaged_byte_costs_itself_at_most_in_200_rounds() -> Result<()> {
    damage_and_count(200).await
}

async fn damage_and_count(rounds: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let done = damage_in(folder.path(), rounds).await;
    if done.is_err() {
        eprintln!("the home is kept: {}", folder.keep().display());
    }
    done
}

async fn damage_in(folder: &Path, rounds: u64) -> Result<()> {
    let (seed, mut random) = Random::seeded();
    let home = folder.join("data");
    let mut daemon = Daemon::start(&home).await?;
    deploy(&daemon, folder).await?;
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let mut load = Load::start(&daemon, usual);
        load.taken(1 + random.below(100)).await?;
        acknowledged.extend(load.kill(&mut daemon).await?);

        let before = kept(&home)?.len();
        let hit = damage(&home, &mut random)?;
        let context = || format!("round {round}: {hit:?}, with seed {seed}");
        eprintln!("{}, {} acknowledged", context(), acknowledged.len());
        daemon = Daemon::start(&home).await.with_context(context)?;
        let health = checked(&daemon).await.with_context(context)?;
        let named = health["damaged"].as_array().context("no list")?;
        ensure!(named.len() >= before, "{}: forgotten: {health}", context());
        if hit.is_to_be_named() {
            let names = named.iter().any(|damage| {
                let file = damage["file"].as_str().unwrap_or_default();
                hit.file.starts_with(file)
            });
            ensure!(names, "{}: not named: {health}", context());
        }
    }
    daemon.stop().await?;
    ensure_delivered(&home, &acknowledged)
        .await
        .with_context(|| format!("with seed {seed}"))
}

/// A byte that was damaged.
#[derive(Debug)]
struct Hit {
    /// Relative to the home.
    file: String,
    at: u64,
    length: u64,
}

impl Hit {
    /// Of some bytes nobody can tell, or nobody needs to: those of the database that no record
    /// uses, those that are written again at every start, and the end of a log's last line.
    fn is_to_be_named(&self) -> bool {
        let exempt = [
            "store.redb",
            "lock",
            "endpoints.json",
            "damaged/",
            "lambda/processes/",
        ];
        let is_end = self.file.ends_with(".jsonl") && self.at + 1 == self.length;
        !is_end && !exempt.iter().any(|file| self.file.starts_with(file))
    }
}

fn damage(home: &Path, random: &mut Random) -> Result<Hit> {
    let mut files = Vec::new();
    walk(home, &mut files)?;
    files.sort();
    let index = usize::try_from(random.below(files.len() as u64))?;
    let path = &files[index];
    let mut bytes = fs::read(path)?;
    let at = random.below(bytes.len() as u64);
    bytes[usize::try_from(at)?] ^= u8::try_from(1 + random.below(255))?;
    // In its place: a program that still runs cannot be written to.
    let draft = home.with_extension("draft");
    fs::copy(path, &draft)?;
    fs::write(&draft, &bytes)?;
    fs::rename(&draft, path)?;
    Ok(Hit {
        file: path.strip_prefix(home)?.display().to_string(),
        at,
        length: bytes.len() as u64,
    })
}

/// All files that are not empty.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else if entry.metadata()?.len() > 0 {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// What was kept aside.
fn kept(home: &Path) -> Result<Vec<Vec<u8>>> {
    let folder = home.join("damaged");
    let mut files = Vec::new();
    if folder.exists() {
        walk(&folder, &mut files)?;
    }
    let is_note = |file: &PathBuf| file.to_string_lossy().ends_with(".note.json");
    files.retain(|file| !is_note(file) && file.parent() == Some(&folder));
    Ok(files.iter().map(fs::read).collect::<Result<_, _>>()?)
}

/// The cloud's health when it has looked at all its files.
async fn checked(daemon: &Daemon) -> Result<Value> {
    let started = Instant::now();
    loop {
        let health = daemon.health().await?;
        if health["checked"] == true {
            return Ok(health);
        }
        ensure!(started.elapsed() < Duration::from_secs(60), "{health}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Lets the cloud deliver what it can; what is missing then has its bytes among those that were
/// kept aside.
async fn ensure_delivered(home: &Path, acknowledged: &BTreeSet<u64>) -> Result<()> {
    ensure!(!acknowledged.is_empty(), "nothing was acknowledged");
    let kept = kept(home)?;
    let is_damaged = |number: u64| {
        let text = usual(number);
        kept.iter().any(|bytes| holds(bytes, text.as_bytes()))
    };
    let mut lost = Vec::new();
    for _ in 0..10 {
        Daemon::start(home).await?.stop().await?;
        let (delivered, files) = readable(home).await?;
        // An object is damaged as a whole for who asks for all of it.
        let objects: Vec<Vec<u8>> = files.iter().map(fs::read).collect::<Result<_, _>>()?;
        let in_damaged_object = |number: u64| {
            let text = usual(number);
            // A failed record is there as it came, in base64.
            let raw = STANDARD.encode(&text);
            let mut texts = [text.trim_end(), &raw].into_iter();
            texts.any(|text| {
                let text = text.as_bytes();
                objects.iter().any(|object| holds(object, text))
            })
        };
        let missing = acknowledged.iter().copied();
        let missing = missing.filter(|number| !delivered.contains_key(number));
        let missing = missing.filter(|number| !in_damaged_object(*number));
        let (damaged, intact): (Vec<u64>, _) = missing.partition(|number| is_damaged(*number));
        if intact.is_empty() {
            ensure!(damaged.len() <= kept.len(), "lost: {damaged:?}");
            eprintln!(
                "{} records acknowledged; lost are {}, each of them damaged itself",
                acknowledged.len(),
                damaged.len()
            );
            return Ok(());
        }
        lost = intact;
    }
    anyhow::bail!("lost although nothing of them was damaged: {lost:?}")
}

/// Whether bytes hold a text with up to two of its bytes changed: what is kept aside may have been
/// damaged once more.
fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| {
        let changed = window.iter().zip(text).filter(|(one, other)| one != other);
        changed.count() <= 2
    })
}
