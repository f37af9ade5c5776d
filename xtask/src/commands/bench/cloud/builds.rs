//! Two builds of the embedded cloud, in turn: what a change costs.

use super::own::{self, Searches};
use crate::binaries;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::path::{Path, PathBuf};

/// What is compared with what.
#[derive(Debug, Clone, Args)]
pub struct Builds {
    /// Another build of `mysfits-local`, for release too
    other: PathBuf,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    pairs: usize,
}

/// What is compared, each as more is better: a second.
const ROWS: [&str; 5] = ["start", "PutRecord", "S3 put", "S3 get", "PUT /clicks"];

/// Measures the build of this checkout and the other one, one after the other, so often, both with
/// the stack of this checkout. A busy machine disturbs both of a pair, so that the median of the
/// ratios says more than any of them.
pub async fn run(root: &Path, builds: &Builds) -> Result<()> {
    ensure!(builds.pairs > 0, "--pairs must be 1 at least");
    let other = &builds.other;
    ensure!(other.is_file(), "{} is no program", other.display());
    let own = binaries::released_cloud(root).await?;
    let mut ratios = ROWS.map(|_| Vec::new());
    println!("| pair | {} |", ROWS.join(" | "));
    println!("| --- |{}", " --- |".repeat(ROWS.len()));
    for pair in 0..builds.pairs {
        // Each is the first one as often as the other, as far as the number allows.
        let (this, that) = match pair % 2 {
            0 => {
                let this = rates(root, &own).await?;
                (this, rates(root, other).await?)
            }
            _ => {
                let that = rates(root, other).await?;
                (rates(root, &own).await?, that)
            }
        };
        let mut cells = String::new();
        for ((this, that), ratios) in this.into_iter().zip(that).zip(&mut ratios) {
            cells += &format!(" {this:.0}/s and {that:.0}/s |");
            ratios.push(this / that);
        }
        println!("| {} |{cells}", pair + 1);
    }
    let medians = ratios.map(|ratios| format!("{:.2}", median(ratios)));
    println!("| median of the ratios | {} |", medians.join(" | "));
    Ok(())
}

/// One build, in a home of its own.
async fn rates(root: &Path, program: &Path) -> Result<[f64; ROWS.len()]> {
    let figures = own::of_build(root, program, Searches::Never).await?;
    let clicks = figures.clicks.context("no click was measured")?;
    Ok([
        figures.start.as_secs_f64().recip(),
        figures.put_record.per_second(),
        figures.put_object.per_second(),
        figures.get_object.per_second(),
        clicks.accepted.per_second(),
    ])
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.len() / 2;
    match ratios.len() % 2 {
        0 => (ratios[middle - 1] + ratios[middle]) / 2.0,
        _ => ratios[middle],
    }
}
