//! The Pulumi program: how long an update takes against the longest chain of resources that wait
//! for each other, and how long a preview takes.

mod chain;
mod prebuilt;
mod slow;

use super::place;
use crate::binaries;
use crate::commands::package;
use crate::session::{LOCAL, Session};
use crate::tools;
use anyhow::{Context, Result, bail};
use chain::Chain;
use serde_json::Value;
use slow::Slow;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// How much longer it takes to create a resource than the embedded cloud does.
const LATENCY: Duration = Duration::from_millis(200);

/// More resources than are ever ready at once: by default the engine takes four for each of the
/// machine's cores, however little there is to do for them.
const PARALLEL: &str = "100";

/// An update takes at most this many times its critical path.
const RATIO: f64 = 1.3;

/// A preview takes at most this many seconds, once the program is built.
const PREVIEW: f64 = 0.5;

/// A plain preview takes at most this many times that of a program without resources.
const PREVIEW_RATIO: f64 = 2.0;

/// Of so many previews the median is taken.
const PREVIEWS: usize = 9;

pub async fn run(root: &Path) -> Result<()> {
    println!("the Pulumi program, under a mock engine");
    let mut bench = tools::cargo(root);
    bench
        .args(["bench", "--quiet", "--workspace", "--profile", "dev"])
        .args(["--bench", "graph"]);
    tools::run(&mut bench, "the benchmark of the program").await?;
    place::with(root, measure).await
}

async fn measure(session: &Session) -> Result<()> {
    println!("the Pulumi program, under the real engine, stack {LOCAL}");
    let root = &session.checkout.root;
    let nothing = tools::on_path("true", Path::new("")).context("there is no `true` on PATH")?;
    let empty = prebuilt::folder(root, &nothing)?;
    let empty = preview_in(session, empty.path()).await?;
    println!(
        "  {:<46} {empty:>9.2} s",
        "preview, a program without resources"
    );
    let prebuilt = prebuilt::folder(root, &binaries::program(root).await?)?;
    preview(session, prebuilt.path(), "nothing deployed", empty).await?;

    // After every step the backend of files writes the whole state again, one step after the other.
    let without_checkpoints = [
        ("PULUMI_EXPERIMENTAL", "true"),
        ("PULUMI_SKIP_CHECKPOINTS", "true"),
    ];
    let bare = update(session, prebuilt.path(), &without_checkpoints).await?;
    let mut destroy = session.pulumi(&["destroy", "--yes", "--skip-preview", "--stack", LOCAL]);
    time(&mut destroy).await?;
    let whole = update(session, prebuilt.path(), &[]).await?;

    let resources = resources(session).await?;
    let Chain(chain) = Chain::longest(&resources);
    let created = resources
        .iter()
        .filter(|resource| chain::takes_time(resource))
        .count();
    let critical = LATENCY.as_secs_f64() * chain.len() as f64;
    println!(
        "  {created} resources, {} ms each; the critical path has {}:\n    {}",
        LATENCY.as_millis(),
        chain.len(),
        chain.join(" -> ")
    );
    println!("  {:<46} {critical:>9.2} s", "critical path");
    for (what, Update { creations, command }) in [("no checkpoints", bare), ("as it is", whole)] {
        let what = format!("up, {what}");
        ratio(
            &format!("{what}: first creation to last"),
            creations,
            critical,
        );
        ratio(&format!("{what}: the whole command"), command, critical);
    }

    preview(session, prebuilt.path(), "all deployed", empty).await
}

/// What an update took.
struct Update {
    /// From the first request for a creation to the answer to the last.
    creations: Duration,
    command: Duration,
}

async fn update(session: &Session, project: &Path, environment: &[(&str, &str)]) -> Result<Update> {
    let (provider, port) = Slow::serve(session.port, LATENCY).await?;
    let arguments = ["up", "--yes", "--skip-preview", "--stack", LOCAL];
    let mut up = session.pulumi(&arguments);
    up.args(["--parallel", PARALLEL])
        .current_dir(project)
        .env("PULUMI_DEBUG_PROVIDERS", format!("aws:{port}"))
        .envs([package::told(&session.checkout.root)?])
        .envs(environment.iter().copied());
    Ok(Update {
        command: time(&mut up).await?,
        creations: provider.creations().context("nothing was created")?,
    })
}

/// `empty` is how long the preview of a program without resources takes.
async fn preview(session: &Session, prebuilt: &Path, what: &str, empty: f64) -> Result<()> {
    let built = preview_in(session, prebuilt).await?;
    println!(
        "  {:<46} {built:>9.2} s, limit {PREVIEW} s: {}",
        format!("preview, {what}"),
        kept(built <= PREVIEW)
    );
    let whole = preview_in(session, &session.checkout.root).await?;
    let times = whole / empty;
    println!(
        "  {:<46} {whole:>9.2} s, {times:.2} times an empty one, limit {PREVIEW_RATIO}: {}",
        "  with the look for changes",
        kept(times <= PREVIEW_RATIO)
    );
    Ok(())
}

/// The median, in seconds, of several previews of a project.
async fn preview_in(session: &Session, project: &Path) -> Result<f64> {
    let mut times = Vec::new();
    // In an environment that was never built in, the first two ask Cargo.
    for number in 0..PREVIEWS + 2 {
        let mut preview = session.pulumi(&["preview", "--stack", LOCAL]);
        // A program that was built already knows from here where the package is.
        preview.envs([package::told(&session.checkout.root)?]);
        let took = time(preview.current_dir(project)).await?;
        if number >= 2 {
            times.push(took);
        }
    }
    times.sort();
    Ok(times[times.len() / 2].as_secs_f64())
}

/// How long a command takes that must succeed; what it prints is of interest only if it fails.
async fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let output = command.output().await?;
    let took = start.elapsed();
    if !output.status.success() {
        bail!(
            "{command:?}: {}\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(took)
}

async fn resources(session: &Session) -> Result<Vec<Value>> {
    let mut export = session.pulumi(&["stack", "export", "--stack", LOCAL]);
    let mut state: Value = serde_json::from_slice(&export.output().await?.stdout)?;
    match state["deployment"]["resources"].take() {
        Value::Array(resources) => Ok(resources),
        _ => bail!("the exported state has no resources"),
    }
}

fn ratio(what: &str, took: Duration, critical: f64) {
    let took = took.as_secs_f64();
    let ratio = took / critical;
    println!(
        "  {what:<46} {took:>9.2} s, {ratio:.2} times that, limit {RATIO}: {}",
        kept(ratio <= RATIO)
    );
}

fn kept(kept: bool) -> &'static str {
    if kept { "kept" } else { "MISSED" }
}
