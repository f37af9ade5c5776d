//! README.md and docs/ tell the truth: every block of commands that can run here does, as it is.
//!
//! A `console` block is a session on this machine: its commands follow `$`. A `sh` block is for an
//! account of AWS, or for one's own words.

use crate::place::Place;
use crate::pypi;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[tokio::test]
async fn every_session_in_the_pages_runs_as_it_is() -> Result<()> {
    let place = Place::new()?;
    let aws = pypi::installed("aws").await?;
    let tools = aws.parent().context("no folder")?.to_owned();
    let mut blocks = 0;
    for page in pages(&place.root)? {
        let text = fs::read_to_string(&page)?;
        for block in consoles(&text) {
            let commands = commands(block);
            ensure!(
                !commands.is_empty(),
                "a console block of {} has no command",
                page.display()
            );
            run(&place, &tools, &commands)
                .with_context(|| format!("{}:\n{block}", page.display()))?;
            blocks += 1;
        }
    }
    ensure!(blocks >= 2, "only {blocks} console blocks");
    place.xtask(&["down"])?;
    place.assert_clean()
}

fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "docs/compatibility"] {
        for entry in fs::read_dir(root.join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    Ok(pages)
}

/// The text of each `console` block.
fn consoles(page: &str) -> Vec<&str> {
    let blocks = page.split("```console\n").skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}

/// The commands after `$`, with the lines that each goes on in.
fn commands(block: &str) -> String {
    let mut commands = String::new();
    let mut goes_on = false;
    for line in block.lines() {
        let command = match line.strip_prefix("$ ") {
            Some(command) => command,
            None if goes_on => line,
            None => continue,
        };
        commands += command;
        commands.push('\n');
        goes_on = command.ends_with('\\');
    }
    commands
}

/// In a shell that stops at the first failure.
fn run(place: &Place, tools: &Path, commands: &str) -> Result<()> {
    let mut shell = Command::new("sh");
    place.enter(&mut shell);
    // The Cargo around this test has told it about its own package.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_") && text != "CARGO_HOME" && text != "CARGO_TARGET_DIR" {
            shell.env_remove(&name);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools.to_owned()).chain(std::env::split_paths(&path));
    let output = shell
        .args(["-e", "-c", commands])
        .env("PATH", std::env::join_paths(folders)?)
        .output()?;
    ensure!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn commands_are_what_follows_the_prompt() {
    let block = "$ one \\\n    -d two\noutput\n$ three # why\n";
    assert_eq!(commands(block), "one \\\n    -d two\nthree # why\n");
    let page = "a\n```console\n$ x\n```\n```sh\n$ y\n```\n";
    assert_eq!(consoles(page), ["$ x\n"]);
}
