//! `cargo build` of this workspace's programs, with a sign of life at least every few seconds.

use crate::elapsed::elapsed;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Where the output is no terminal, Cargo says nothing while it compiles a large crate.
const SILENCE: Duration = Duration::from_secs(4);

/// Builds binaries of the workspace in `root`, in Cargo's profile `profile`; gives the path of
/// each.
///
/// They are selected by name in the whole workspace: so they share one choice of features, and
/// every dependency is compiled once for all programs and tests.
///
/// # Errors When Cargo cannot be started or read. When something does not compile, the inner result
/// is an error, and Cargo has shown the reason already.
pub fn programs(
    root: &Path,
    profile: &str,
    names: &[&str],
) -> io::Result<Result<HashMap<String, PathBuf>, ExitStatus>> {
    let terminal = io::stderr().is_terminal();
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(root)
        .args(["build", "--message-format=json-render-diagnostics"])
        .args(["--profile", profile])
        .args(names.iter().flat_map(|name| ["--bin", name]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if terminal {
        cargo
            .args(["--color", "always"])
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", "80");
    }
    forget_own_package(&mut cargo);
    let mut child = cargo.spawn()?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let executables = std::thread::scope(|scope| {
        let shown = scope.spawn(|| match (stderr, terminal) {
            (Some(stderr), true) => show(stderr),
            (Some(stderr), false) => show_lines(stderr),
            (None, _) => Ok(()),
        });
        let executables = stdout.map_or_else(|| Ok(HashMap::new()), read_executables);
        match shown.join() {
            Ok(shown) => shown.and(executables),
            Err(_) => executables,
        }
    })?;
    let status = child.wait()?;
    Ok(if status.success() {
        Ok(executables)
    } else {
        Err(status)
    })
}

/// Removes what the Cargo around this process told it about its own package, which would make
/// build scripts run again.
pub fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_own_package(name)) {
        command.env_remove(name);
    }
}

fn is_of_own_package(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name.as_ref())
}

/// Passes on Cargo's output, one line or progress line at a time, but not the line that says that
/// there was nothing to do.
fn show(mut cargo: impl Read) -> io::Result<()> {
    let mut pending = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = cargo.read(&mut buffer)?;
        pending.extend_from_slice(&buffer[..count]);
        let end = match count {
            0 => pending.len(),
            _ => match pending.iter().rposition(|byte| b"\r\n".contains(byte)) {
                Some(last) => last + 1,
                None => continue,
            },
        };
        let mut stderr = io::stderr().lock();
        for line in pending[..end].split_inclusive(|byte| b"\r\n".contains(byte)) {
            if !String::from_utf8_lossy(line).contains("Finished") {
                stderr.write_all(line)?;
            }
        }
        stderr.flush()?;
        pending.drain(..end);
        if count == 0 {
            return Ok(());
        }
    }
}

/// The same in plain lines, with one of our own when Cargo is silent for long.
fn show_lines(cargo: impl Read + Send) -> io::Result<()> {
    let started = Instant::now();
    let (sender, lines) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for line in BufReader::new(cargo).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut compiled = 0_u32;
        let mut last = String::new();
        loop {
            match lines.recv_timeout(SILENCE) {
                Ok(line) if line.trim_start().starts_with("Finished") => {}
                Ok(line) => {
                    if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
                        compiled += 1;
                        name.clone_into(&mut last);
                    }
                    eprintln!("{line}");
                }
                Err(RecvTimeoutError::Timeout) if compiled > 0 => eprintln!(
                    "    … still compiling after {}: {compiled} crates begun, {last} the last",
                    elapsed(started.elapsed())
                ),
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("    … Cargo is at it since {}", elapsed(started.elapsed()));
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    })
}

/// The binaries in Cargo's messages, one JSON object a line. A JSON parser would be the first
/// dependency of this crate; Cargo writes these two fields in this form.
fn read_executables(cargo: impl Read) -> io::Result<HashMap<String, PathBuf>> {
    let mut executables = HashMap::new();
    for line in BufReader::new(cargo).lines() {
        let line = line?;
        if let Some(path) = text_of(&line, "\"executable\":\"") {
            let path = PathBuf::from(path);
            if let Some(name) = path.file_stem() {
                executables.insert(name.to_string_lossy().into_owned(), path);
            }
        }
    }
    Ok(executables)
}

/// The string that follows `field`, with JSON's escapes for a quote and a backslash undone.
fn text_of(line: &str, field: &str) -> Option<String> {
    let start = line.find(field)? + field.len();
    let mut text = String::new();
    let mut characters = line[start..].chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(characters.next()?),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_cargos_messages() -> io::Result<()> {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"a"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","executable":"/a \"b\"/debug/xtask","fresh":true}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n"
        );
        let executables = read_executables(messages.as_bytes())?;
        assert_eq!(executables.len(), 1);
        assert_eq!(executables["xtask"], Path::new("/a \"b\"/debug/xtask"));
        Ok(())
    }
}
