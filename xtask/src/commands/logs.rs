//! `cargo xtask logs`: what API, stream and processor have logged, in the order of time.

use super::log_message::Message;
use crate::aws::{Aws, LOGS};
use crate::session::LOCAL;
use crate::since::Since;
use crate::stack::Stack;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashSet;
use std::io::{ErrorKind, IsTerminal, Write};
use std::time::Duration;
use time::OffsetDateTime;
use time::macros::format_description;

/// How often new lines are looked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// In milliseconds: for how long a line may become visible after a later one.
const LATE: i64 = 30_000;

#[derive(Args)]
pub struct Logs {
    /// Whose; without it, all
    source: Option<Source>,
    /// The stack whose logs
    #[arg(short, long, default_value = LOCAL)]
    stack: String,
    /// Goes on with what is logged from now on
    #[arg(short, long)]
    follow: bool,
    /// From then on: 2026-01-31T12:00:00Z, or 90s, 15m, 2h, 7d, 1w ago
    #[arg(long, default_value = "1h")]
    since: Since,
    /// Shows each message as it was logged
    #[arg(long)]
    json: bool,
}

/// Who writes a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Source {
    /// The API's access log
    Api,
    /// The stream's log of deliveries that failed
    Stream,
    /// The log of the function that enriches clicks
    Processor,
}

impl Logs {
    pub async fn run(self) -> Result<()> {
        let stack = Stack::open(&self.stack).await?;
        let mut reader = Reader::of(&stack, self.source, self.since.unix_millis(), self.json)?;
        loop {
            match reader.show_news().await? {
                Shown::Unread => return Ok(()),
                Shown::Read if !self.follow => return Ok(()),
                Shown::Read => tokio::time::sleep(INTERVAL).await,
            }
        }
    }
}

/// Shows what is logged from now on, until it is dropped or nobody reads.
pub async fn follow(stack: &Stack) -> Result<()> {
    let now = OffsetDateTime::now_utc().unix_timestamp() * 1_000;
    let mut reader = Reader::of(stack, None, now, false)?;
    while let Shown::Read = reader.show_news().await? {
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(())
}

/// Some logs of a stack, and how they are shown.
struct Reader<'a> {
    tails: Vec<Tail<'a>>,
    raw: bool,
    colours: bool,
}

/// Whether there is still somebody who reads.
enum Shown {
    Read,
    Unread,
}

impl<'a> Reader<'a> {
    fn of(stack: &'a Stack, only: Option<Source>, from: i64, raw: bool) -> Result<Self> {
        let tails = groups(stack)?
            .into_iter()
            .filter(|(source, _)| only.is_none_or(|wanted| wanted == *source))
            .map(|(source, group)| Tail {
                aws: &stack.aws,
                source,
                group,
                from,
                seen: HashSet::new(),
            })
            .collect();
        Ok(Self {
            tails,
            raw,
            colours: std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
        })
    }

    async fn show_news(&mut self) -> Result<Shown> {
        let news = try_join_all(self.tails.iter_mut().map(Tail::news)).await?;
        let mut lines: Vec<Line> = news.into_iter().flatten().collect();
        // Of the same millisecond, each log keeps its own order.
        lines.sort_by_key(|line| line.timestamp);
        match print(&lines, self.raw, self.colours) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Shown::Unread),
            printed => Ok(printed.map(|()| Shown::Read)?),
        }
    }
}

/// The log groups of a stack, as its resources name them.
fn groups(stack: &Stack) -> Result<Vec<(Source, String)>> {
    let mut groups = Vec::new();
    for stage in stack.of_type("aws:apigateway/stage:Stage") {
        let arn = stage.outputs["accessLogSettings"]["destinationArn"].as_str();
        // arn:aws:logs:REGION:ACCOUNT:log-group:NAME, perhaps with `:*`
        if let Some(name) = arn.and_then(|arn| arn.split(':').nth(6)) {
            groups.push((Source::Api, name.to_owned()));
        }
    }
    let stream = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";
    for stream in stack.of_type(stream) {
        let logging = &stream.outputs["extendedS3Configuration"]["cloudwatchLoggingOptions"];
        if let Some(name) = logging["logGroupName"].as_str() {
            groups.push((Source::Stream, name.to_owned()));
        }
    }
    let processor = stack.output("processor")?;
    let function = stack.find("aws:lambda/function:Function", "name", processor)?;
    let group = function.outputs["loggingConfig"]["logGroup"].as_str();
    let group = group.map_or(format!("/aws/lambda/{processor}"), str::to_owned);
    groups.push((Source::Processor, group));
    Ok(groups)
}

/// A log, read from where it was read to.
struct Tail<'a> {
    aws: &'a Aws,
    source: Source,
    group: String,
    from: i64,
    /// The ids of lines that were given and are not older than `from`.
    seen: HashSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_id: String,
    timestamp: i64,
    message: String,
}

struct Line {
    timestamp: i64,
    source: Source,
    message: String,
}

impl Tail<'_> {
    /// The lines that were not given yet.
    async fn news(&mut self) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut recent = Vec::new();
        let mut token = None;
        loop {
            let mut input = json!({ "logGroupName": self.group, "startTime": self.from });
            if let Some(token) = token {
                input["nextToken"] = token;
            }
            let answer = self.aws.json(LOGS, "FilterLogEvents", &input).await;
            let answer =
                answer.with_context(|| format!("log group {} cannot be read", self.group))?;
            let page: Page = serde_json::from_value(answer)?;
            for event in page.events {
                if !self.seen.contains(&event.event_id) {
                    lines.push(Line {
                        timestamp: event.timestamp,
                        source: self.source,
                        message: event.message,
                    });
                }
                recent.push((event.timestamp, event.event_id));
            }
            token = page.next_token.map(serde_json::Value::from);
            if token.is_none() {
                break;
            }
        }
        let newest = recent.iter().map(|(time, _)| *time).max();
        self.from = self.from.max(newest.unwrap_or_default() - LATE);
        recent.retain(|(time, _)| *time >= self.from);
        self.seen = recent.into_iter().map(|(_, id)| id).collect();
        Ok(lines)
    }
}

fn print(lines: &[Line], raw: bool, colours: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        let (name, colour) = match line.source {
            Source::Api => ("api", 36),
            Source::Stream => ("stream", 33),
            Source::Processor => ("processor", 32),
        };
        let time = time_of(line.timestamp);
        let message = line.message.trim_end();
        let shown = match raw {
            true => Message::plain(message),
            false => Message::of(message),
        };
        match colours {
            true => writeln!(
                out,
                "{time} \x1b[{colour}m{name:9}\x1b[0m {}",
                shown.coloured()
            )?,
            false => writeln!(out, "{time} {name:9} {}", shown.text)?,
        }
    }
    out.flush()
}

fn time_of(millis: i64) -> String {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&format).ok())
        .unwrap_or_else(|| millis.to_string())
}
