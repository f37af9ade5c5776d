//! The processor measured, against the limits it has to keep and against the reference
//! algorithm in Python (`reference.py`), which one and the same driver invokes in the same run.
//!
//! `cargo bench --workspace --profile dev --bench batch -- --bootstrap FILE [--zip FILE]`:
//! this program only drives and measures, so that it need not be optimised itself.

#[allow(dead_code)]
#[path = "../../tests/processor/events.rs"]
mod events;
#[allow(dead_code)]
#[path = "../../tests/processor/function.rs"]
mod function;
mod process;
#[allow(dead_code)]
#[path = "../../tests/processor/service.rs"]
mod service;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use events::{click, event, id, lines};
use function::Function;
use service::{Does, Service};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/batch/reference.py");

/// As many as the catalogue has.
const MYSFITS: usize = 12;

/// What the mysfits service takes for an answer in the measurements of time.
const LATENCY: Duration = Duration::from_millis(20);

/// No invocation is cut short here; Firehose allows 5 minutes.
const FIVE_MINUTES: Duration = Duration::from_secs(300);

#[tokio::main]
async fn main() -> Result<()> {
    let files = Files::from_arguments()?;
    let processor = Program(vec![
        files
            .bootstrap
            .to_str()
            .context("a path in UTF-8")?
            .to_owned(),
    ]);
    let reference = Program(vec![
        "python3".to_owned(),
        "-I".to_owned(),
        REFERENCE.to_owned(),
    ]);

    println!(
        "CPU per record, an instant mysfits service (12 mysfits; ratio to the reference in Python)"
    );
    println!(
        "{:>8} {:>14} {:>20} {:>20}",
        "records", "reference", "cold cache", "warm cache"
    );
    for (records, rounds) in [(1, 400), (100, 100), (500, 40), (10_000, 4)] {
        cpu_line(&processor, &reference, records, rounds).await?;
    }

    println!("\nagainst the limits");
    let batch = clicks(500);
    let slow = Service::slow(LATENCY).await?;
    let (cold, warm) = batch_times(&processor, &slow, &batch).await?;
    limit(
        "500 records, service at 20 ms, cold",
        milliseconds(cold),
        60.0,
        "ms",
    );
    limit(
        "500 records, service at 20 ms, warm",
        milliseconds(warm),
        3.0,
        "ms",
    );
    let (theirs, _) = time(&reference, &slow, &batch, 1).await?;
    println!(
        "  {:<38} {:>9.1} ms",
        "  the reference takes",
        milliseconds(theirs)
    );

    let quick = instant().await?;
    limit(
        "initialisation",
        milliseconds(initialisation(&processor, &quick).await?),
        30.0,
        "ms",
    );
    let theirs = initialisation(&reference, &quick).await?;
    println!(
        "  {:<38} {:>9.1} ms",
        "  the reference takes",
        milliseconds(theirs)
    );

    limit(
        "peak memory, 500 records",
        megabytes(memory(&processor, &quick, &batch).await?),
        16.0,
        "MB",
    );
    let largest = largest();
    limit(
        "peak memory, the largest legal batch",
        megabytes(memory(&processor, &quick, &largest).await?),
        64.0,
        "MB",
    );
    let wide = event((0..18_000).map(|n| click("", &id(n))));
    limit(
        "peak memory, 18,000 mysfits at once",
        megabytes(memory(&processor, &quick, &wide).await?),
        64.0,
        "MB",
    );
    if let Some(zip) = files.zip {
        let size = std::fs::metadata(&zip)
            .with_context(|| zip.display().to_string())?
            .len();
        limit("zip", size as f64 / 1e6, 3.0, "MB");
    }
    Ok(())
}

struct Files {
    bootstrap: PathBuf,
    zip: Option<PathBuf>,
}

impl Files {
    fn from_arguments() -> Result<Self> {
        let (mut bootstrap, mut zip) = (None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bootstrap" => bootstrap = arguments.next().map(PathBuf::from),
                "--zip" => zip = arguments.next().map(PathBuf::from),
                // cargo's own.
                "--bench" => {}
                other => bail!("{other} is not known; give --bootstrap FILE and --zip FILE"),
            }
        }
        let bootstrap = bootstrap.context("--bootstrap FILE is missing")?;
        Ok(Self { bootstrap, zip })
    }
}

struct Program(Vec<String>);

impl Program {
    async fn start(&self, service: &Service, ttl: &str) -> Result<Function> {
        let words: Vec<_> = self.0.iter().map(String::as_str).collect();
        let path = std::env::var("PATH").unwrap_or_default();
        let vars = [
            ("MYSFITS_API_URL", service.url.as_str()),
            ("MYSFITS_CACHE_TTL", ttl),
            ("PATH", &path),
        ];
        let mut function = Function::start(&words, &vars).await?;
        function.ready().await?;
        Ok(function)
    }
}

async fn instant() -> Result<Service> {
    Service::start(|_| Does::mysfit("Yeti")).await
}

fn clicks(count: usize) -> String {
    event((0..count).map(|n| click(&format!("user-{n:06}"), &id(n % MYSFITS))))
}

/// The largest request that Lambda takes, of the clicks that a reply has room for.
fn largest() -> String {
    let count = 6_000_000 / event([click(&"u".repeat(120), &id(0))]).len();
    event((0..count).map(|n| click(&"u".repeat(120), &id(n % MYSFITS))))
}

async fn cpu_line(
    processor: &Program,
    reference: &Program,
    records: usize,
    rounds: u32,
) -> Result<()> {
    let service = instant().await?;
    let batch = clicks(records);
    let per_record = |time: Duration| time.as_secs_f64() * 1e6 / records as f64;
    let theirs = per_record(
        cpu(
            reference,
            &service,
            &batch,
            records,
            "5m",
            (rounds / 40).max(1),
        )
        .await?,
    );
    let cold = per_record(cpu(processor, &service, &batch, records, "0s", rounds).await?);
    let warm = per_record(cpu(processor, &service, &batch, records, "5m", rounds).await?);
    let ours = |cost: f64| format!("{cost:.2} µs ({:.0}x)", theirs / cost);
    println!(
        "{records:>8} {:>14} {:>20} {:>20}",
        format!("{theirs:.0} µs"),
        ours(cold),
        ours(warm)
    );
    Ok(())
}

/// CPU time per invocation, after one that is not counted.
async fn cpu(
    program: &Program,
    service: &Service,
    batch: &str,
    records: usize,
    ttl: &str,
    rounds: u32,
) -> Result<Duration> {
    let mut function = program.start(service, ttl).await?;
    let pid = function.pid().context("no pid")?;
    let reply = function
        .invoke(batch.to_owned(), FIVE_MINUTES)
        .await?
        .response()?;
    let ok = lines(&reply, records)?.into_iter().flatten().count();
    ensure!(ok == records, "{ok} of {records} records are Ok");
    function.ready().await?;
    let before = process::cpu(pid)?;
    for _ in 0..rounds {
        function
            .invoke(batch.to_owned(), FIVE_MINUTES)
            .await?
            .response()?;
        function.ready().await?;
    }
    Ok((process::cpu(pid)? - before) / rounds)
}

/// The first invocation of a new process, and the median of those that follow.
async fn time(
    program: &Program,
    service: &Service,
    batch: &str,
    more: usize,
) -> Result<(Duration, Duration)> {
    let mut function = program.start(service, "5m").await?;
    let mut times = Vec::new();
    for _ in 0..=more {
        let start = Instant::now();
        function
            .invoke(batch.to_owned(), FIVE_MINUTES)
            .await?
            .response()?;
        times.push(start.elapsed());
    }
    let first = times.remove(0);
    Ok((first, median(times)))
}

async fn batch_times(
    program: &Program,
    service: &Service,
    batch: &str,
) -> Result<(Duration, Duration)> {
    let (mut cold, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let (first, more) = time(program, service, batch, 20).await?;
        cold.push(first);
        warm.push(more);
    }
    Ok((median(cold), median(warm)))
}

async fn initialisation(program: &Program, service: &Service) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..15 {
        let start = Instant::now();
        program.start(service, "5m").await?;
        times.push(start.elapsed());
    }
    Ok(median(times))
}

async fn memory(program: &Program, service: &Service, batch: &str) -> Result<u64> {
    let mut function = program.start(service, "5m").await?;
    for _ in 0..3 {
        function
            .invoke(batch.to_owned(), FIVE_MINUTES)
            .await?
            .response()?;
    }
    process::peak_memory(function.pid().context("no pid")?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn limit(what: &str, value: f64, limit: f64, unit: &str) {
    let kept = if value <= limit { "kept" } else { "MISSED" };
    println!("  {what:<38} {value:>9.1} {unit}, limit {limit} {unit}: {kept}");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
