//! Files of the home that a full disk has cut off: named before a command fails because of them,
//! with the command that fixes them.

use crate::checkout::Checkout;
use anyhow::{Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// With less than this a deployment does not get to its end.
const NEEDED: u64 = 8 * 1024 * 1024;

/// Refuses to begin what a full disk, or one that was full, would break off.
pub fn check(checkout: &Checkout) -> Result<()> {
    match problem(checkout) {
        Some(problem) => bail!(problem),
        None => Ok(()),
    }
}

/// An error with what is the matter with the disk, if anything is.
pub fn explain(checkout: &Checkout, error: anyhow::Error) -> anyhow::Error {
    match problem(checkout) {
        Some(problem) => error.context(problem),
        None => error,
    }
}

fn problem(checkout: &Checkout) -> Option<String> {
    free(&checkout.home)
        .and_then(|free| full(&checkout.home, free))
        .or_else(|| unwritten(checkout))
}

/// How many bytes can still be written in a folder, if that is known.
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

fn full(home: &Path, free: u64) -> Option<String> {
    (free < NEEDED).then(|| {
        format!(
            "the disk that holds {home} is full: {free} bytes are free, and {NEEDED} are needed. \
             Make room on it, then run the command again. Nothing is lost meanwhile: the embedded \
             cloud refuses records until there is room. `du -xh {home_quoted} | sort -h | tail` \
             shows what takes the room",
            home = home.display(),
            home_quoted = quoted(home),
        )
    })
}

/// Files of the CLI that are not what it writes: it stops at them with `unexpected end of JSON
/// input`, and names none.
fn unwritten(checkout: &Checkout) -> Option<String> {
    let mut files = Vec::new();
    let state = checkout.backend().join(".pulumi");
    let folders = [
        checkout.pulumi_home(),
        state.join("stacks"),
        state.join("locks"),
    ];
    for folder in folders {
        json_files(&folder, &mut files);
    }
    files.retain(|file| !is_json(file));
    files.sort();
    let commands: Vec<String> = files
        .iter()
        .map(|file| {
            let backup = PathBuf::from(format!("{}.bak", file.display()));
            match file.starts_with(state.join("stacks")) && is_json(&backup) {
                // The CLI keeps the state before the last one beside it.
                true => format!("    cp {} {}", quoted(&backup), quoted(file)),
                false => format!("    rm {}", quoted(file)),
            }
        })
        .collect();
    (!commands.is_empty()).then(|| {
        format!(
            "files of the Pulumi CLI were not written to their end, as happens on a full disk. \
             These commands fix that; then run the command again:\n{}",
            commands.join("\n")
        )
    })
}

fn json_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        match entry.file_type() {
            // What plugins keep is theirs.
            Ok(kind) if kind.is_dir() && entry.file_name() != "plugins" => {
                json_files(&path, files);
            }
            Ok(kind) if kind.is_file() && path.extension().is_some_and(|end| end == "json") => {
                files.push(path);
            }
            _ => {}
        }
    }
}

fn is_json(file: &Path) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok()
}

/// A path as a word of a POSIX shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::ensure;

    #[test]
    fn a_full_disk_is_named_with_what_is_needed() -> Result<()> {
        let home = Path::new("/some/home");
        ensure!(full(home, NEEDED).is_none());
        let said = full(home, 4096).unwrap_or_default();
        ensure!(said.contains("/some/home is full: 4096 bytes"), "{said}");
        Ok(())
    }

    #[test]
    fn files_that_were_cut_off_are_named_with_the_command_that_fixes_them() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let checkout = Checkout {
            root: folder.path().to_owned(),
            home: folder.path().join("it's a home"),
        };
        fs::create_dir_all(checkout.pulumi_home())?;
        let credentials = checkout.pulumi_home().join("credentials.json");
        fs::write(&credentials, "{}")?;
        let stack = checkout.stack("local");
        fs::create_dir_all(stack.parent().unwrap_or(&stack))?;
        fs::write(&stack, r#"{"version": 3}"#)?;
        check(&checkout)?;

        fs::write(&credentials, "")?;
        fs::write(&stack, r#"{"version": "#)?;
        let said = unwritten(&checkout).unwrap_or_default();
        ensure!(said.matches("\n    rm '").count() == 2, "{said}");
        ensure!(
            said.contains(r"it'\''s a home/pulumi-home/credentials.json'"),
            "{said}"
        );
        fs::write(stack.with_extension("json.bak"), "{}")?;
        let said = unwritten(&checkout).unwrap_or_default();
        ensure!(said.contains("local.json.bak' '"), "{said}");

        // What it says fixes it.
        for line in said.lines().filter(|line| line.starts_with("    ")) {
            let mut shell = std::process::Command::new("sh");
            ensure!(shell.args(["-c", line]).status()?.success(), "{line}");
        }
        check(&checkout)
    }
}
