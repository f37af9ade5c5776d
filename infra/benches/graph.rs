//! The program alone: an update in which every resource takes its time, against the longest chain
//! of resources that wait for each other, and a preview in which nothing does.
//!
//! `cargo bench --workspace --profile dev --bench graph`: what is measured is waiting.

#[allow(dead_code)]
#[path = "../tests/graph/cloud.rs"]
mod cloud;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use cloud::mock;
use pulumi_mock::{Mock, Run};

const LATENCY: Duration = Duration::from_millis(200);

/// An update takes at most this many times its critical path.
const RATIO: f64 = 1.3;

fn main() -> Result<()> {
    let (run, took) = timed(mock().answer(|resource| {
        let latency = if resource.custom {
            LATENCY
        } else {
            Duration::ZERO
        };
        cloud::answer(resource).delay(latency)
    }))?;
    let length = longest_chain(&run);
    let created = run
        .resources
        .iter()
        .filter(|resource| resource.custom)
        .count();
    let critical = LATENCY * length;
    let ratio = took.as_secs_f64() / critical.as_secs_f64();
    println!(
        "  {created} resources, {LATENCY:?} each; the critical path has {length}, {:.2} s\n  \
         {:<46} {:>9.2} s, {:.2} times that, limit {RATIO}: {}",
        critical.as_secs_f64(),
        "the program, from start to end",
        took.as_secs_f64(),
        ratio,
        if ratio <= RATIO { "kept" } else { "MISSED" }
    );
    let mut times = Vec::new();
    for _ in 0..9 {
        times.push(timed(mock().preview())?.1);
    }
    times.sort();
    println!(
        "  {:<46} {:>9.0} ms",
        "its preview",
        times[times.len() / 2].as_secs_f64() * 1e3
    );
    Ok(())
}

fn timed(mock: Mock) -> Result<(Run, Duration)> {
    let start = Instant::now();
    let run = mock.run(env!("CARGO_BIN_EXE_infra"))?;
    let took = start.elapsed();
    ensure!(run.exit_code == Some(0), "{run}");
    Ok((run, took))
}

/// How many resources that take time wait for each other. A program can only ask for a resource
/// after all that it waits for.
fn longest_chain(run: &Run) -> u32 {
    let mut until: HashMap<&str, u32> = HashMap::new();
    for resource in &run.resources {
        let waits_for = resource.dependencies.iter().chain([&resource.parent]);
        let before = waits_for.filter_map(|urn| until.get(urn.as_str()).copied());
        let length = before.max().unwrap_or_default() + u32::from(resource.custom);
        until.insert(&resource.urn, length);
    }
    until.into_values().max().unwrap_or_default()
}
