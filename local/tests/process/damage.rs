//! A store that something else wrote into: the cloud starts with what is whole, or ends with an
//! error that names the file and what to do. It never panics, and it changes nothing it refuses.

use super::{Process, command, create, exists};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Output;
use tokio::io::{AsyncBufReadExt, BufReader};

/// What happens to the bytes of the store.
type Damage = fn(&mut Vec<u8>);

const DAMAGES: [(&str, Damage); 9] = [
    ("nothing", |_| ()),
    ("emptied", Vec::clear),
    ("cut to a part of its header", |store| store.truncate(100)),
    ("cut in the middle", |store| store.truncate(store.len() / 2)),
    ("one byte short", |store| store.truncate(store.len() - 1)),
    ("rubbish after it", |store| store.extend([0xA5; 5000])),
    ("header of zeros", |store| store[..4096].fill(0)),
    ("pages of rubbish", |store| store[4096..].fill(0xA5)),
    ("every 1000th byte turned", |store| {
        store
            .iter_mut()
            .step_by(1000)
            .for_each(|byte| *byte = !*byte);
    }),
];

#[tokio::test]
async fn a_damaged_store_is_whole_in_part_or_refused_by_name() -> Result<()> {
    let home = tempfile::tempdir()?;
    let mut process = Process::start(home.path()).await?;
    let mut engine = process.engine().await?;
    for index in 0..20 {
        create(&mut engine, &format!("r{index}")).await?;
    }
    process.child.kill().await?;
    let store = fs::read(home.path().join("store.redb"))?;

    for (damage, apply) in DAMAGES {
        let home = tempfile::tempdir()?;
        let path = home.path().join("store.redb");
        let mut bytes = store.clone();
        apply(&mut bytes);
        fs::write(&path, &bytes)?;
        fs::write(home.path().join("format"), "1\n")?;
        match start(home.path()).await.context(damage)? {
            Start::Ready(process) => {
                let mut engine = process.engine().await?;
                if damage == "nothing" {
                    ensure!(exists(&mut engine, "r19").await?, "r19 is lost");
                }
            }
            Start::Refused(output) => {
                let log = String::from_utf8(output.stderr)?;
                ensure!(output.status.code() == Some(1), "{damage}: {log}");
                ensure!(!log.contains("panicked"), "{damage}: {log}");
                let error = log.lines().find(|line| line.starts_with("error: "));
                let error = error.context(damage)?;
                ensure!(error.contains("store.redb"), "{damage}: {error}");
                ensure!(error.contains("--home"), "{damage}: {error}");
                ensure!(damage != "nothing", "{error}");
            }
        }
    }
    Ok(())
}

enum Start {
    Ready(Box<Process>),
    Refused(Output),
}

async fn start(home: &Path) -> Result<Start> {
    let mut child = command(home, 0).spawn()?;
    let mut output = BufReader::new(child.stdout.take().context("standard output")?);
    let mut line = String::new();
    output.read_line(&mut line).await?;
    if line != "ready\n" {
        return Ok(Start::Refused(child.wait_with_output().await?));
    }
    let endpoints = fs::read(home.join("endpoints.json"))?;
    Ok(Start::Ready(Box::new(Process {
        child,
        output,
        endpoints: serde_json::from_slice(&endpoints)?,
    })))
}
