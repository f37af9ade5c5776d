//! Two builds of the embedded cloud, in turn: what a change costs.

use super::{Target, first_answer};
use crate::aws::Aws;
use crate::aws::s3::Objects;
use crate::binaries;
use crate::ports;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// What is compared with what.
#[derive(Debug, Clone, Args)]
pub struct Builds {
    /// Another build of `mysfits-local`, for release too
    other: PathBuf,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    pairs: usize,
}

/// What was measured of one build.
#[derive(Debug, Clone, Copy)]
struct Rates {
    /// From the start of the process to its first answer.
    start: Duration,
    /// A second.
    puts: f64,
    gets: f64,
}

/// Measures the build of this checkout and the other one, one after the other, so often. A busy
/// machine disturbs both of a pair, so that the median of the ratios says more than any of them.
pub async fn run(root: &Path, builds: &Builds) -> Result<()> {
    ensure!(builds.pairs > 0, "--pairs must be 1 at least");
    let other = &builds.other;
    ensure!(other.is_file(), "{} is no program", other.display());
    let own = binaries::released_cloud(root).await?;
    let mut ratios = [Vec::new(), Vec::new(), Vec::new()];
    println!("| pair | start | S3 put | S3 get |\n| --- | --- | --- | --- |");
    for pair in 0..builds.pairs {
        // Each is the first one as often as the other, as far as the number allows.
        let (this, that) = match pair % 2 {
            0 => {
                let this = measure(&own).await?;
                (this, measure(other).await?)
            }
            _ => {
                let that = measure(other).await?;
                (measure(&own).await?, that)
            }
        };
        println!(
            "| {} | {} and {} ms | {:.0}/s and {:.0}/s | {:.0}/s and {:.0}/s |",
            pair + 1,
            this.start.as_millis(),
            that.start.as_millis(),
            this.puts,
            that.puts,
            this.gets,
            that.gets,
        );
        ratios[0].push(that.start.as_secs_f64() / this.start.as_secs_f64());
        ratios[1].push(this.puts / that.puts);
        ratios[2].push(this.gets / that.gets);
    }
    let [start, puts, gets] = ratios.map(median);
    println!("| median of the ratios, more is better | {start:.2} | {puts:.2} | {gets:.2} |");
    Ok(())
}

/// Measures one build in a home of its own, with nothing deployed.
async fn measure(program: &Path) -> Result<Rates> {
    let home = tempfile::tempdir()?;
    let first = ports::free(home.path())?;
    let mut command = Command::new(program);
    command.arg("serve").arg("--home").arg(home.path());
    command.arg("--port").arg(first.to_string());
    // AWS's protocols are at the second port.
    let (mut process, start) = first_answer(command, first + 1).await?;
    let measured = async {
        let aws = Aws::embedded(first)?;
        let bucket = "builds";
        Objects::new(&aws, bucket)?.create().await?;
        let target = Target {
            aws: &aws,
            process: process.id().context("it has ended")?,
            stream: "",
            bucket,
        };
        let (puts, gets) = target.objects().await?;
        Ok(Rates {
            start,
            puts: puts.per_second(),
            gets: gets.per_second(),
        })
    };
    let measured = measured.await;
    process.kill().await?;
    measured
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.len() / 2;
    match ratios.len() % 2 {
        0 => (ratios[middle - 1] + ratios[middle]) / 2.0,
        _ => ratios[middle],
    }
}
