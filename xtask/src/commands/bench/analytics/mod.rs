//! Answers about generated clicks: each query as a whole command with a warm cache, against the
//! bare engine on the same files in the same run; and what is fetched.

mod server;

use crate::cache;
use crate::memory::{self, megabytes};
use crate::progress;
use analytics::duckdb::DuckDb;
use analytics::generate::{Generator, Mysfit};
use analytics::question::Question;
use analytics::span::Span;
use analytics::store::RecordKind;
use anyhow::{Context, Result, ensure};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;
use server::CountedBucket;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::process::Command;

/// How often memory is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// When the clicks begin; they last for 30 days.
const START: OffsetDateTime = datetime!(2026-03-01 00:00 UTC);
const DAYS: i64 = 30;

/// The last day: from its first moment on.
const SINCE: &str = "2026-03-30";
const LAST_DAY: OffsetDateTime = datetime!(2026-03-30 00:00 UTC);

#[derive(Debug, Clone, Copy, Args)]
pub struct Size {
    /// How many objects of clicks
    #[arg(long, default_value_t = 1_000)]
    objects: u32,
    /// How many clicks an object has
    #[arg(long, default_value_t = 10_000)]
    clicks: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            objects: 1_000,
            clicks: 10_000,
        }
    }
}

/// What a command took.
#[derive(Debug, Clone, Copy)]
struct Figure {
    time: Duration,
    memory: u64,
}

pub async fn run(root: &Path, size: Size) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("objects");
    let step = progress::step(format!("generating {} objects", size.objects));
    let keys = generate(size, &place).await?;
    step.done();
    let bucket = CountedBucket::serve(place.clone(), keys).await?;
    let commands = Commands {
        root,
        home: folder.path().join("home"),
        endpoint: bucket.endpoint.clone(),
    };
    let duckdb = DuckDb::find_or_fetch(&cache::folder()?).await?;

    let total = u64::from(size.objects) * u64::from(size.clicks);
    println!("{total} clicks in {} GZIP objects of 30 days", size.objects);
    let asked = commands.insights(&["totals", "--since", SINCE]).await?;
    let expected = bucket
        .keys
        .iter()
        .filter(|key| **key >= first_key())
        .count();
    let fetched = bucket.take_gets();
    ensure!(
        fetched == expected,
        "the last day fetched {fetched} objects, and {expected} are of it and the hour before"
    );
    println!(
        "the last day alone: {fetched} objects fetched, {:.1} s",
        asked.time.as_secs_f64()
    );
    let all = commands.insights(&["totals"]).await?;
    println!(
        "all of it for the first time: {} objects more, {:.1} s, {}",
        bucket.take_gets(),
        all.time.as_secs_f64(),
        megabytes(all.memory)
    );

    println!("\n| query | insights | memory | bare engine | memory | ratio |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let questions = Question::all(&root.join("analytics/queries"))?;
    let mut most = all.memory;
    for question in questions
        .iter()
        .filter(|question| question.reads(RecordKind::Clicks))
    {
        let own = commands.insights(&[&question.name]).await?;
        let bare = bare(&duckdb, &place, question, folder.path()).await?;
        most = most.max(own.memory);
        println!(
            "| {} | {:.2} s | {} | {:.2} s | {} | {:.2} |",
            question.name,
            own.time.as_secs_f64(),
            megabytes(own.memory),
            bare.time.as_secs_f64(),
            megabytes(bare.memory),
            own.time.as_secs_f64() / bare.time.as_secs_f64()
        );
    }
    let every = commands.insights(&[]).await?;
    most = most.max(every.memory);
    println!(
        "\nevery query in one command: {:.1} s, {}; most memory of all commands {}, limit 1 GB",
        every.time.as_secs_f64(),
        megabytes(every.memory),
        megabytes(most)
    );
    let again = bucket.take_gets();
    ensure!(again == 0, "{again} objects were fetched again");
    println!("objects fetched again: none");
    Ok(())
}

/// The key at which the last day begins, with the hour before.
fn first_key() -> String {
    format!("firehose/{}", Span::since_moment(LAST_DAY).first_hour())
}

/// Writes the objects below a folder, by their keys.
async fn generate(size: Size, place: &Path) -> Result<Vec<String>> {
    let mysfits = (0..12).map(|number| Mysfit {
        id: format!("00000000-0000-4000-8000-{number:012}"),
        goodevil: ["Good", "Neutral", "Evil"][number % 3].to_owned(),
        lawchaos: ["Lawful", "Neutral", "Chaotic"][number / 3 % 3].to_owned(),
        species: format!("Species {}", number % 8),
    });
    let generator = Arc::new(Generator {
        mysfits: mysfits.collect(),
        start: START,
        length: time::Duration::days(DAYS),
        objects: size.objects,
        clicks: size.clicks,
        users: size.objects.saturating_mul(200),
        rhythm: false,
    });
    let threads = u32::try_from(std::thread::available_parallelism()?.get())?;
    let works = (0..threads).map(|thread| {
        let (generator, place) = (Arc::clone(&generator), place.to_owned());
        tokio::task::spawn_blocking(move || -> Result<Vec<String>> {
            let mine = (thread..generator.objects).step_by(threads as usize);
            mine.map(|number| object(&generator, number, &place))
                .collect()
        })
    });
    let mut keys = Vec::new();
    for work in works.collect::<Vec<_>>() {
        keys.extend(work.await??);
    }
    keys.sort();
    Ok(keys)
}

fn object(generator: &Generator, number: u32, place: &Path) -> Result<String> {
    let clicks = generator.clicks(number);
    // The bare engine knows by the ending that it is packed; the store, by the bytes.
    let key = Generator::key("firehose/", &clicks, number) + ".gz";
    let path = place.join(&key);
    fs::create_dir_all(path.parent().context("no folder")?)?;
    let mut packed = GzEncoder::new(fs::File::create(&path)?, Compression::fast());
    packed.write_all(generator.lines(&clicks).as_bytes())?;
    packed.finish()?;
    Ok(key)
}

/// How commands are run: with a home of their own, and the bucket in place of AWS.
struct Commands<'a> {
    root: &'a Path,
    home: PathBuf,
    endpoint: String,
}

impl Commands<'_> {
    async fn insights(&self, arguments: &[&str]) -> Result<Figure> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["insights", "--bucket", "clicks", "--format", "json"])
            .args(arguments)
            .current_dir(self.root)
            .env("MYSFITS_HOME", &self.home)
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "bench")
            .env("AWS_SECRET_ACCESS_KEY", "bench")
            .env_remove("AWS_ENDPOINT_URL_S3")
            .env_remove("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .env_remove("AWS_SESSION_TOKEN");
        measure(&mut command).await
    }
}

/// The engine as anybody starts it, with the same query.
async fn bare(duckdb: &DuckDb, place: &Path, question: &Question, folder: &Path) -> Result<Figure> {
    let script = folder.join("bare.sql");
    let columns = RecordKind::Clicks.columns().iter();
    let columns: Vec<_> = columns
        .map(|(name, kind)| format!("{name}: '{kind}'"))
        .collect();
    let sql = format!(
        "CREATE MACRO day_of_week(day) AS isodow(day);\n\
         CREATE VIEW clicks AS SELECT *, '2026/03/01/00' AS datehour FROM \
         read_json('{}/**/*.gz', format = 'newline_delimited', columns = {{{}}}, \
         ignore_errors = true);\n{};\n",
        place.display(),
        columns.join(", "),
        question.filled(&Span::all())?
    );
    fs::write(&script, sql)?;
    let mut command = Command::new(duckdb.program());
    command
        .args(["-no-init", "-json", "-f"])
        .arg(&script)
        .current_dir(folder);
    measure(&mut command).await
}

/// Runs a command, and looks at its memory meanwhile.
async fn measure(command: &mut Command) -> Result<Figure> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let pid = child.id().context("the command has ended")?;
    let mut most = 0;
    let mut looks = tokio::time::interval(INTERVAL);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = looks.tick() => most = most.max(memory::resident(pid).unwrap_or_default()),
        }
    };
    ensure!(status.success(), "{:?} failed", command.as_std());
    Ok(Figure {
        time: started.elapsed(),
        memory: most,
    })
}
