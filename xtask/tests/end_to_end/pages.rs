//! README.md and docs/ tell the truth: every block of commands that can run here does, as it is.
//!
//! A `console` block is a session on this machine: its commands follow `$`. A `sh` block is not run,
//! and the line before it says why.

use crate::place::Place;
use anyhow::{Context, Result, ensure};
use cloud_testing::pypi;
use std::collections::BTreeSet;
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

/// Why a block of commands is not run.
const REASONS: [&str; 2] = [
    "<!-- not run: needs an account of AWS -->",
    "<!-- not run: installs programs; pulumi/program/tests/engine/elsewhere.rs does the same -->",
];

#[test]
fn every_block_of_commands_is_run_or_says_why_not() -> Result<()> {
    let place = Place::new()?;
    for page in pages(&place.root)? {
        let text = fs::read_to_string(&page)?;
        let mut before = "";
        let mut inside = false;
        for line in text.lines() {
            if let Some(language) = line.strip_prefix("```") {
                inside = !inside;
                let reason = REASONS.contains(&before);
                let is_shell = ["sh", "bash", "shell"].contains(&language);
                ensure!(
                    !inside || !is_shell || reason,
                    "{}: a block `{language}` after the line `{before}`",
                    page.display()
                );
            }
            ensure!(
                inside || !line.starts_with("<!-- not run") || REASONS.contains(&line),
                "{}: {line} is no reason that this test knows",
                page.display()
            );
            before = line;
        }
    }
    Ok(())
}

/// docs/session.txt was recorded, and is not run: what it types must still be there.
#[test]
fn the_commands_of_the_recorded_session_exist() -> Result<()> {
    let place = Place::new()?;
    let session = fs::read_to_string(place.root.join("docs/session.txt"))?;
    let mut names = BTreeSet::new();
    for line in session.lines() {
        if let Some(command) = line.trim_start().strip_prefix("$ cargo xtask ") {
            let arguments: Vec<&str> = command.split_whitespace().collect();
            place.xtask(&[arguments.as_slice(), &["--help"]].concat())?;
            names.extend(arguments.first().copied());
        }
        // Files that are edited in it.
        if let Some(edit) = line.trim_start().strip_prefix("$ sed -i ") {
            let file = edit.split_whitespace().last().context("no file")?;
            ensure!(place.root.join(file).is_file(), "{file} is gone");
        }
    }
    let expected = ["click", "dev", "down", "up"];
    ensure!(
        expected.iter().all(|name| names.contains(name)),
        "the session has {names:?}"
    );
    Ok(())
}

fn pages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut pages: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
        .map(|name| root.join(name))
        .into();
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
