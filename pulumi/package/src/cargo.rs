//! `cargo build` of one binary, which shows its progress.

use crate::group::Group;
use crate::inputs::Local;
use crate::look::{Environment, Look};
use crate::pinned::Pinned;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

/// A binary to build. Binaries are selected by name in the whole workspace, never by package:
/// Cargo would resolve other features then, and compile dependencies a second time.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    pub root: &'a Path,
    pub binary: &'a str,
    /// Cargo's profile; `dev` when there is none.
    pub profile: Option<&'a str>,
    /// The tools and the target of a build that is the same everywhere; the user's own Cargo and
    /// environment when there are none.
    pub pinned: Option<&'a Pinned>,
}

/// Where a build tells of its progress.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Cargo writes to this process's standard error itself.
    Terminal,
    /// As events.
    Events(UnboundedSender<Event>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What Cargo does now; the next status replaces it.
    Status(String),
    /// Something to keep: a compiler's message, or an error of Cargo's own.
    Message(String),
}

impl Build<'_> {
    /// Builds, and gives the path of the binary. Cargo is not asked when it is proven that it would
    /// find nothing to do.
    ///
    /// # Errors
    /// When the binary does not build, or when there is none of this name.
    pub async fn run(&self, progress: &Progress, stop: &CancellationToken) -> Result<PathBuf> {
        let environment = self.environment();
        let how = (self.profile, self.pinned.map(Pinned::arguments));
        let look = Look::begin(self.root, self.binary, how, &environment);
        if let Some(binary) = look.proven() {
            return Ok(binary);
        }
        let mut command = self.command(&environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        match progress {
            Progress::Terminal => {
                command.arg("--message-format=json-render-diagnostics");
            }
            Progress::Events(_) => {
                command.arg("--message-format=json").stderr(Stdio::piped());
            }
        }
        let mut group = Group::spawn(&mut command)
            .context("building needs Rust: install it from https://rustup.rs")?;
        let stdout = group.child.stdout.take().map(lines);
        let stderr = group.child.stderr.take().map(lines);
        let (compiled, kept, status) = tokio::join!(
            self.read_messages(stdout, progress),
            read_status(stderr, progress),
            group.wait(stop),
        );
        let (status, compiled) = (status?, compiled?);
        if !status.success() || compiled.anything {
            kept.into_iter().for_each(|line| progress.message(line));
        }
        if status.signal().is_some() {
            bail!("the build of `{}` was cut short ({status})", self.binary);
        }
        if !status.success() {
            bail!("`{}` does not build", self.binary);
        }
        let executable = compiled.executable.with_context(|| {
            format!(
                "no package of {} has a binary `{}`",
                self.root.display(),
                self.binary
            )
        })?;
        let local = compiled.local;
        if let Some(inputs) = local.inputs(self.root, &environment, &executable).await {
            look.end(executable.clone(), inputs);
        }
        Ok(executable)
    }

    /// The whole environment of the build.
    fn environment(&self) -> Environment {
        let mut environment = match self.pinned {
            Some(pinned) => pinned.environment().to_vec(),
            None => own_environment(),
        };
        environment.sort();
        environment
    }

    fn command(&self, environment: &Environment) -> Command {
        let mut command = match self.pinned {
            Some(pinned) => pinned.command(),
            None => own_cargo(self.root),
        };
        command.env_clear().envs(environment.iter().cloned());
        command
            .args(["--workspace", "--bin", self.binary])
            .arg("--manifest-path")
            .arg(self.root.join("Cargo.toml"))
            .args([
                "--color",
                color(std::io::IsTerminal::is_terminal(&std::io::stderr())),
            ]);
        if let Some(profile) = self.profile {
            command.args(["--profile", profile]);
        }
        command
    }

    /// The compiler's messages of a crate come before its artifact, and again on every later
    /// build although nothing is compiled: those repetitions are dropped.
    async fn read_messages(
        &self,
        stdout: Option<Lines<BufReader<impl AsyncRead + Unpin>>>,
        progress: &Progress,
    ) -> Result<Compiled> {
        let mut compiled = Compiled::default();
        let mut pending: HashMap<CrateId, Vec<String>> = HashMap::new();
        let Some(mut stdout) = stdout else {
            return Ok(compiled);
        };
        while let Some(line) = stdout.next_line().await? {
            match serde_json::from_str(&line) {
                Ok(Report::Message { id, message }) => {
                    let rendered = message.rendered.unwrap_or_default();
                    if message.level == "error" {
                        progress.message(rendered);
                    } else {
                        pending.entry(id).or_default().push(rendered);
                    }
                }
                Ok(Report::Artifact {
                    id,
                    manifest_path,
                    fresh,
                    executable,
                }) => {
                    let messages = pending.remove(&id).unwrap_or_default();
                    if !fresh {
                        compiled.anything = true;
                        messages.into_iter().for_each(|text| progress.message(text));
                    }
                    if id.target.name == self.binary && executable.is_some() {
                        compiled.executable = executable;
                    }
                    let source = id.target.src_path;
                    compiled
                        .local
                        .artifact(&id.package_id, manifest_path, source);
                }
                Ok(Report::Script {
                    package_id,
                    out_dir,
                }) => compiled.local.script(&package_id, out_dir),
                // A build script or a macro may write to standard output too.
                Ok(Report::Other) | Err(_) => {}
            }
        }
        let failed = pending.into_values().flatten();
        failed.for_each(|text| progress.message(text));
        Ok(compiled)
    }
}

impl Progress {
    pub(crate) fn message(&self, text: String) {
        match self {
            Self::Events(events) => drop(events.send(Event::Message(text))),
            Self::Terminal => self.print(&text),
        }
    }

    pub(crate) fn status(&self, text: &str) {
        match self {
            Self::Events(events) => drop(events.send(Event::Status(text.to_owned()))),
            Self::Terminal => self.print(text),
        }
    }

    /// A standard error that is closed has nobody who would read it.
    fn print(&self, text: &str) {
        writeln!(std::io::stderr(), "{}", text.trim_end()).ok();
    }
}

fn own_cargo(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.arg("build").current_dir(root);
    command
}

/// Variables that differ from one command to the next: the shell sets the first four, and the
/// engine the others, to tell its plugins where to send traces. They are removed, so that no build
/// depends on them.
const OF_A_COMMAND: [&str; 8] = [
    "OLDPWD",
    "PWD",
    "SHLVL",
    "_",
    "PULUMI_LOG_OTLP_ENDPOINT",
    "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT",
    "TRACEPARENT",
    "TRACESTATE",
];

pub(crate) fn own_environment() -> Environment {
    std::env::vars_os()
        .filter(|(name, _)| !is_of_own_package(name))
        .filter(|(name, _)| OF_A_COMMAND.iter().all(|other| name != other))
        .collect()
}

/// Removes the variables that `cargo run` sets for the program that it runs: build scripts that
/// read them would be run again, and all that depends on them compiled again, in every other
/// shell.
pub fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_own_package(name)) {
        command.env_remove(name);
    }
}

fn is_of_own_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name.as_ref())
}

#[derive(Debug, Default)]
struct Compiled {
    executable: Option<PathBuf>,
    anything: bool,
    local: Local,
}

/// A line of `cargo build --message-format=json`.
#[derive(Debug, Deserialize)]
#[serde(tag = "reason")]
enum Report {
    #[serde(rename = "compiler-message")]
    Message {
        #[serde(flatten)]
        id: CrateId,
        message: Diagnostic,
    },
    #[serde(rename = "compiler-artifact")]
    Artifact {
        #[serde(flatten)]
        id: CrateId,
        manifest_path: Option<PathBuf>,
        fresh: bool,
        executable: Option<PathBuf>,
    },
    #[serde(rename = "build-script-executed")]
    Script {
        package_id: String,
        out_dir: PathBuf,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, PartialEq, Eq, Hash, Deserialize)]
struct CrateId {
    package_id: String,
    target: Target,
}

#[derive(Debug, PartialEq, Eq, Hash, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    src_path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

/// Shows what Cargo does, and gives back its other output.
async fn read_status(
    stderr: Option<Lines<BufReader<impl AsyncRead + Unpin>>>,
    progress: &Progress,
) -> Vec<String> {
    let mut kept = Vec::new();
    let Some(mut stderr) = stderr else {
        return kept;
    };
    while let Ok(Some(line)) = stderr.next_line().await {
        if is_status(&line) {
            if is_news(line.trim()) {
                progress.status(line.trim());
            }
        } else {
            kept.push(line);
        }
    }
    kept
}

/// Cargo sets the verb of a status line flush right in twelve columns; no message of its own
/// starts so.
fn is_status(line: &str) -> bool {
    let verb = line.trim_start();
    let indent = line.len() - verb.len();
    let width = verb.find(' ').unwrap_or(verb.len());
    indent > 0 && indent + width == 12 && verb.starts_with(char::is_uppercase)
}

/// Two builds side by side take turns at Cargo's package cache, and that a build is finished is
/// what comes next.
fn is_news(status: &str) -> bool {
    !status.starts_with("Finished") && !status.ends_with("file lock on package cache")
}

fn lines<R: AsyncRead>(stream: R) -> Lines<BufReader<R>> {
    BufReader::new(stream).lines()
}

fn color(terminal: bool) -> &'static str {
    if terminal { "always" } else { "never" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_told_from_a_message() {
        assert!(is_status("   Compiling infra v0.1.0 (/home/me/infra)"));
        assert!(is_status(
            "    Blocking waiting for file lock on build directory"
        ));
        assert!(is_status(" Downloading crates ..."));
        assert!(!is_status("error: could not compile `infra`"));
        assert!(!is_status("  Unable to update registry"));
        assert!(!is_status("Caused by:"));
        assert!(!is_status(""));
    }
}
