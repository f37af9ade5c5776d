//! A store of generated clicks, and the engine that is asked about it.

use analytics::answer::Answer;
use analytics::duckdb::DuckDb;
use analytics::embedded;
use analytics::generate::{Generator, Mysfit};
use analytics::question::Question;
use analytics::span::Span;
use analytics::store::{Contents, Object, RecordKind, Store};
use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use time::Duration;
use time::macros::datetime;

fn root() -> Result<&'static Path> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().context("no checkout")
}

async fn engine() -> Result<DuckDb> {
    let cache = match std::env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => cache.into(),
        _ => std::env::home_dir().context("no home")?.join(".cache"),
    };
    DuckDb::find_or_fetch(&cache.join("mysfits")).await
}

pub fn generator() -> Generator {
    let mysfit = |number: usize| Mysfit {
        id: format!("00000000-0000-4000-8000-{number:012}"),
        goodevil: ["Good", "Neutral", "Evil"][number % 3].to_owned(),
        lawchaos: ["Lawful", "Neutral", "Chaotic"][number / 3 % 3].to_owned(),
        species: format!("Species {}", number % 5),
    };
    Generator {
        mysfits: (0..12).map(mysfit).collect(),
        start: datetime!(2026-02-26 21:17 UTC),
        length: Duration::days(5),
        objects: 40,
        clicks: 60,
        users: 80,
        rhythm: true,
    }
}

/// Clicks in a store, as Firehose would have written them.
pub struct World {
    _folder: tempfile::TempDir,
    pub store: Store,
    pub clicks: Vec<Object>,
    pub failed: Vec<Object>,
}

impl World {
    /// Keeps objects as they would have been fetched: some packed, some delivered twice.
    pub async fn new(generator: &Generator) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // A path with signs that are more than themselves in a pattern.
        let store = Store::new(folder.path().join("a [store], it's? 100%*"));
        let mut world = Self {
            store,
            _folder: folder,
            clicks: Vec::new(),
            failed: Vec::new(),
        };
        for number in 0..generator.objects {
            let clicks = generator.clicks(number);
            let mut lines = generator.lines(&clicks);
            // A batch that Firehose has sent once more, and half of one.
            if number % 5 == 0 {
                lines = lines.repeat(2);
            }
            if number % 7 == 0 {
                lines += &generator.lines(&clicks[clicks.len() / 2..]);
            }
            let bytes = if number % 2 == 0 {
                gzip(&lines)?
            } else {
                lines.into_bytes()
            };
            world.put(
                RecordKind::Clicks,
                &Generator::key("firehose/", &clicks, number),
                &bytes,
            )?;
            let failed = generator.failed_lines(&clicks).repeat(2);
            let key = Generator::key("processing-failed/", &clicks, number);
            world.put(RecordKind::Failed, &key, failed.as_bytes())?;
        }
        Ok(world)
    }

    pub fn put(&mut self, kind: RecordKind, key: &str, bytes: &[u8]) -> Result<()> {
        let object = Object {
            key: key.to_owned(),
            etag: format!("\"{}\"", bytes.len()),
        };
        self.store.put(kind, &object, bytes)?;
        match kind {
            RecordKind::Clicks => self.clicks.push(object),
            RecordKind::Failed => self.failed.push(object),
        }
        Ok(())
    }

    pub async fn contents(&self) -> Result<(Contents, Contents)> {
        let engine = engine().await?;
        let (clicks, failed) = (&self.clicks, &self.failed);
        self.store
            .examine_new(RecordKind::Clicks, clicks, &engine)
            .await?;
        self.store
            .examine_new(RecordKind::Failed, failed, &engine)
            .await?;
        Ok((
            self.store.contents(RecordKind::Clicks, clicks)?,
            self.store.contents(RecordKind::Failed, failed)?,
        ))
    }

    pub async fn ask(&self, names: &[&str], span: &Span) -> Result<BTreeMap<String, Answer>> {
        let questions = Question::all(&root()?.join("analytics/queries"))?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let questions = analytics::question::select(questions, &names)?;
        let (clicks, failed) = self.contents().await?;
        let engine = engine().await?;
        let answers =
            embedded::ask(&engine, &self.store, &questions, span, &clicks, &failed).await?;
        let named = answers
            .into_iter()
            .map(|answer| (answer.query.clone(), answer));
        Ok(named.collect())
    }
}

pub fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes())?;
    Ok(packed.finish()?)
}
