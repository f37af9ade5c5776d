//! `cargo xtask history`: who deployed which commit, from what Pulumi keeps with each update.

use crate::engine::{Against, Engine};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Args)]
pub struct History {
    /// The stack
    #[arg(short, long)]
    stack: String,
    /// The stack of that name on the embedded cloud
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// How many updates, the last first
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// An update, as `pulumi stack history --json` has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    kind: String,
    #[serde(default)]
    start_time: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    result: String,
    #[serde(default)]
    resource_changes: Option<BTreeMap<String, u64>>,
}

impl History {
    pub async fn run(self) -> Result<()> {
        let engine = Engine::open(&self.stack, self.against).await?;
        let limit = self.limit.to_string();
        let output = engine
            .pulumi(&[
                "stack",
                "history",
                "--json",
                "--page-size",
                &limit,
                "--page",
                "1",
            ])
            .output()
            .await
            .context("pulumi cannot be started")?;
        if !output.status.success() {
            bail!(
                "the history of stack {} cannot be read: {}",
                self.stack,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let updates: Vec<Update> = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`pulumi stack history` of {} is no history", self.stack))?;
        if updates.is_empty() {
            println!("Stack {} was never deployed from here.", self.stack);
            return Ok(());
        }
        print!("{}", table(&updates));
        Ok(())
    }
}

/// A line for each update, the last first.
fn table(updates: &[Update]) -> String {
    let rows: Vec<[String; 6]> = updates.iter().map(Update::row).collect();
    let titles = ["when", "what", "commit", "who", "changes", "message"].map(str::to_owned);
    let mut widths = [0; 6];
    for row in rows.iter().chain([&titles]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    std::iter::once(&titles).chain(&rows).map(line).collect()
}

impl Update {
    fn row(&self) -> [String; 6] {
        let failed = match self.result.as_str() {
            "succeeded" | "" => String::new(),
            other => format!(", {other}"),
        };
        [
            self.start_time.clone(),
            format!("{}{failed}", self.kind),
            self.commit(),
            self.author(),
            self.changes(),
            self.message.lines().next().unwrap_or_default().to_owned(),
        ]
    }

    fn of_environment(&self, names: &[&str]) -> Option<&str> {
        let values = names.iter().filter_map(|name| self.environment.get(*name));
        values.map(String::as_str).find(|value| !value.is_empty())
    }

    /// The commit, and whether the files were those of it.
    fn commit(&self) -> String {
        let Some(head) = self.of_environment(&["git.head"]) else {
            return "(no commit)".to_owned();
        };
        let short: String = head.chars().take(10).collect();
        match self.of_environment(&["git.dirty"]) {
            Some("true") => format!("{short} and changes"),
            _ => short,
        }
    }

    /// Who asked for it: the person whose job it was, or who wrote the commit.
    fn author(&self) -> String {
        let who = self.of_environment(&["ci.pr.headSHA.author", "git.committer", "git.author"]);
        let who = who.unwrap_or("(unknown)");
        match self.of_environment(&["ci.system"]) {
            Some(system) => format!("{who}, by {system}"),
            None => who.to_owned(),
        }
    }

    fn changes(&self) -> String {
        let changes = self.resource_changes.iter().flatten();
        let told = changes.filter(|(what, count)| *what != "same" && **count > 0);
        let told: Vec<String> = told
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        match told.is_empty() {
            true => "none".to_owned(),
            false => told.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_update_says_its_commit_and_whether_the_files_were_of_it() -> Result<()> {
        let update = |environment: serde_json::Value| {
            serde_json::from_value::<Update>(json!({
                "kind": "update", "startTime": "2026-01-01T00:00:00.000Z", "message": "a\nb",
                "environment": environment, "result": "failed",
                "resourceChanges": { "same": 9, "create": 2 },
            }))
        };
        let clean = update(json!({ "git.head": "0123456789abcdef", "git.committer": "Ada" }))?;
        assert_eq!(
            clean.row(),
            [
                "2026-01-01T00:00:00.000Z",
                "update, failed",
                "0123456789",
                "Ada",
                "2 create",
                "a"
            ]
        );
        let dirty = update(json!({ "git.head": "0123456789abcdef", "git.dirty": "true" }))?;
        assert_eq!(dirty.commit(), "0123456789 and changes");
        assert_eq!(update(json!({}))?.commit(), "(no commit)");
        Ok(())
    }
}
