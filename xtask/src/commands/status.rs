//! `cargo xtask status`: whether the embedded cloud runs, and in which state it is.

use crate::checkout::Checkout;
use crate::cloud::{Cloud, Running};
use crate::files;
use crate::http;
use crate::memory::{megabytes, resident};
use crate::ports;
use crate::variables;
use anyhow::{Context, Result};
use clap::Args;
use pulumi_protocol::urn;
use serde::Deserialize;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Args)]
pub struct Status {}

/// What the cloud says of itself.
#[derive(Deserialize)]
struct Health {
    started: String,
    streams: Vec<Stream>,
    functions: Functions,
    #[serde(default)]
    problems: Vec<Problem>,
    #[serde(default)]
    damaged: Vec<Damage>,
}

/// Something that does not work now, or that failed and was started again.
#[derive(Deserialize)]
struct Problem {
    source: String,
    what: String,
    since: String,
}

/// Something in the data folder that is not as it was written.
#[derive(Deserialize)]
struct Damage {
    file: String,
    #[serde(default)]
    kept: Option<String>,
    what: String,
}

/// How functions are kept apart from the machine and each other.
#[derive(Deserialize)]
struct Functions {
    isolation: String,
    #[serde(default)]
    reason: Option<String>,
}

/// A delivery stream, with its records since the cloud was started.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stream {
    name: String,
    waiting: u64,
    delivered: u64,
    failed: u64,
    dropped: u64,
    #[serde(default)]
    journal_bytes: u64,
    #[serde(default)]
    max_journal_bytes: u64,
}

#[derive(Deserialize)]
struct Deployed {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    urn: String,
    condition: String,
    #[serde(default)]
    reason: Option<String>,
}

impl Status {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        let port = if checkout.home.is_dir() {
            Some(ports::first(&checkout)?)
        } else {
            None
        };
        let running = match port {
            Some(port) => Cloud::new(&checkout, port).running().await?.zip(Some(port)),
            None => None,
        };
        match running {
            None => println!("The embedded cloud is not running: `cargo xtask start` starts it."),
            Some((
                Running {
                    pid,
                    answers: false,
                },
                _,
            )) => println!(
                "The embedded cloud, process {pid}, does not answer. Its log is {}; `cargo xtask \
                 stop` ends it, and keeps what it holds.",
                checkout.home.join("cloud.log").display()
            ),
            Some((running, port)) => show(&checkout, running.pid, port).await?,
        }
        Ok(())
    }
}

async fn show(checkout: &Checkout, pid: i32, port: u16) -> Result<()> {
    let health: Health = ask(port, "health").await?;
    let deployed: Deployed = ask(port, "resources").await?;
    let endpoint = variables::endpoint(port);

    let well = health.problems.is_empty() && health.damaged.is_empty();
    let how = if well {
        "runs"
    } else {
        "runs, and is not well (see below)"
    };
    println!(
        "The embedded cloud {how}, since {}.",
        since(&health.started)
    );
    let row = |name: &str, value: String| println!("    {name:10}{value}");
    row("process", pid.to_string());
    row("address", format!("{endpoint} (AWS's protocols)"));
    row("console", variables::console(port));
    row("ports", format!("{port} to {}", port + 15));
    let memory = u32::try_from(pid).ok().and_then(resident);
    row("memory", memory.map_or("unknown".to_owned(), megabytes));
    let home = &checkout.home;
    row(
        "state",
        format!(
            "{}, {} on disk",
            home.display(),
            megabytes(files::size(&checkout.data()))
        ),
    );

    row("functions", health.functions.describe());

    for (stack, resources) in by_stack(&deployed.resources) {
        println!("{stack}");
        let count = |condition: &str| {
            let of_it = resources
                .iter()
                .filter(|resource| resource.condition == condition);
            of_it.count()
        };
        row(
            "resources",
            format!(
                "{}, {} of them live and {} declared only",
                resources.len(),
                count("live"),
                count("declaredOnly")
            ),
        );
        for resource in resources
            .iter()
            .filter(|resource| resource.condition == "notLive")
        {
            let reason = resource.reason.as_deref().unwrap_or_default();
            row("not live", format!("{}: {reason}", resource.urn));
        }
    }
    for stream in &health.streams {
        println!("Stream {}, since the cloud was started:", stream.name);
        row("delivered", stream.delivered.to_string());
        row("waiting", stream.waiting.to_string());
        row("failed", stream.failed.to_string());
        if stream.dropped > 0 {
            row("dropped", stream.dropped.to_string());
        }
        let (now, most) = (stream.journal_bytes, stream.max_journal_bytes);
        row(
            "journal",
            format!("{} of at most {}", megabytes(now), megabytes(most)),
        );
    }
    trouble(checkout, &health);
    Ok(())
}

impl Functions {
    /// What holds for them, as docs/compatibility/lambda.md has it.
    fn describe(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        match self.isolation.as_str() {
            "namespaces" => "read-only code and a /tmp of their own, in namespaces".to_owned(),
            "copies" => format!("copies of their code, the machine's /tmp ({reason})"),
            other => other.to_owned(),
        }
    }
}

/// What does not work, and what is damaged.
fn trouble(checkout: &Checkout, health: &Health) {
    for problem in &health.problems {
        println!("Not well, since {}:", since(&problem.since));
        println!("    {}: {}", problem.source, problem.what);
    }
    let data = checkout.data();
    for damage in &health.damaged {
        println!("Damaged: {}", data.join(&damage.file).display());
        println!("    {}", damage.what);
        if let Some(kept) = &damage.kept {
            let kept = data.join(kept);
            println!("    kept as {}", kept.display());
            println!("    (when that is deleted, the next start does not name it any more)");
        }
    }
}

async fn ask<T: serde::de::DeserializeOwned>(port: u16, what: &str) -> Result<T> {
    let url = format!("{}/_mysfits/{what}", variables::endpoint(port));
    let response = http::client()?.get(&url).send().await?.error_for_status()?;
    let answer = response.json().await;
    answer.with_context(|| {
        format!("{url} answers otherwise than this checkout's cloud: run `cargo xtask up`")
    })
}

/// The resources of each stack, under a title.
fn by_stack(resources: &[Resource]) -> BTreeMap<String, Vec<&Resource>> {
    let mut stacks: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for resource in resources {
        let stack = urn::parse(&resource.urn).map_or("", |parts| parts.stack);
        stacks
            .entry(format!("Stack {stack}:"))
            .or_default()
            .push(resource);
    }
    stacks
}

fn since(started: &str) -> String {
    let Ok(time) = OffsetDateTime::parse(started, &Rfc3339) else {
        return started.to_owned();
    };
    let time = time.truncate_to_second();
    let started = time.format(&Rfc3339).unwrap_or_default();
    let minutes = (OffsetDateTime::now_utc() - time).whole_minutes();
    let ago = match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1440 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1440, minutes / 60 % 24),
    };
    format!("{started} ({ago})")
}
