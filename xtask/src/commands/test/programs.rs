//! Test programs: compiled by one Cargo, and run side by side.

use super::board::{Board, Count};
use crate::tools;
use anyhow::{Context, Result};
use door::elapsed::elapsed;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// What a test program needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestKind {
    /// Nothing but Cargo.
    InProcess,
    /// Pulumi's CLI, a browser, packages of other registries, builds of its own, or minutes. Cargo.toml
    /// of its package names it: `[package.metadata.tests]`, `end-to-end`, a test program or, as
    /// `PROGRAM::MODULE`, a part of one.
    EndToEnd,
}

/// Test programs that are compiled.
#[derive(Debug)]
pub struct Programs(Vec<Program>);

#[derive(Debug)]
struct Program {
    kind: TestKind,
    /// `mysfits_local: stream`
    name: String,
    executable: PathBuf,
    /// Where it runs.
    folder: PathBuf,
    /// Which of its tests.
    filters: Vec<String>,
}

impl Programs {
    /// Compiles all programs of some kinds; Cargo shows its progress itself. There are none when
    /// they do not compile, which counts as one failure.
    pub async fn compile(
        root: &Path,
        kinds: &[TestKind],
        board: &Board,
    ) -> Result<(Option<Self>, Count)> {
        let packages = packages(root).await?;
        let mut cargo = tools::cargo(root);
        cargo
            .args(["test", "--workspace", "--no-run"])
            .arg("--message-format=json-render-diagnostics");
        if !kinds.contains(&TestKind::EndToEnd) {
            let targets = packages.values().flat_map(|package| &package.in_process);
            let targets: BTreeSet<&String> = targets.collect();
            cargo.args(["--lib", "--bins"]);
            cargo.args(targets.into_iter().flat_map(|name| ["--test", name]));
        }
        let mut child = cargo
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cargo cannot be started")?;
        let mut programs: Vec<Program> = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                let Ok(Artifact::Compiled(artifact)) = serde_json::from_str(&line) else {
                    continue;
                };
                let package = packages.get(&artifact.package_id);
                programs.extend(
                    package
                        .map(|package| artifact.programs(package))
                        .into_iter()
                        .flatten(),
                );
            }
        }
        if !child.wait().await?.success() {
            board.say("the tests do not compile");
            return Ok((None, Count::FAILED));
        }
        programs.retain(|program| kinds.contains(&program.kind));
        Ok((Some(Self(programs)), Count::default()))
    }

    /// Runs the programs of a kind, as many at once as there are processors.
    pub async fn run(
        &self,
        kind: TestKind,
        path: Option<OsString>,
        board: &Board,
    ) -> Result<Count> {
        let at_once = std::thread::available_parallelism().map_or(2, NonZero::get);
        let mut programs: Vec<_> = self.0.iter().filter(|one| one.kind == kind).collect();
        // The largest takes longest, and the others are done beside it.
        programs.sort_by_key(|program| std::cmp::Reverse(program.size()));
        stream::iter(programs)
            .map(|program| program.run(path.as_ref(), board))
            .buffer_unordered(at_once)
            .try_fold(Count::default(), async |mut all, count| {
                all += count;
                Ok(all)
            })
            .await
    }
}

impl Program {
    fn size(&self) -> u64 {
        std::fs::metadata(&self.executable).map_or(0, |file| file.len())
    }

    async fn run(&self, path: Option<&OsString>, board: &Board) -> Result<Count> {
        board.showing(&self.name, self.run_now(path, board)).await
    }

    /// A failure is shown at once, and the output of the program when it has ended.
    async fn run_now(&self, path: Option<&OsString>, board: &Board) -> Result<Count> {
        let started = Instant::now();
        let mut command = Command::new(&self.executable);
        pulumi_package::cargo::forget_own_package(&mut command);
        command
            .args(&self.filters)
            .current_dir(&self.folder)
            // As Cargo tells it.
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .envs(path.map(|path| ("PATH", path)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", self.executable.display()))?;
        let mut errors = child.stderr.take();
        let mut written = String::new();
        let (told, _) = tokio::join!(self.listen(&mut child, board), async {
            match &mut errors {
                Some(errors) => errors.read_to_string(&mut written).await,
                None => Ok(0),
            }
        });
        let (mut count, printed) = told?;
        let status = child.wait().await?;
        if !status.success() {
            board.say(&format!("{printed}{written}{}: {status}", self.name));
            // A program that crashed has no summary.
            if count.failed == 0 {
                count += Count::FAILED;
            }
        }
        let took = elapsed(started.elapsed());
        board.say(&format!("    {}: {count}, {took}", self.name));
        Ok(count)
    }

    /// Reads the program's output: its summary, and all of it.
    async fn listen(&self, child: &mut Child, board: &Board) -> Result<(Count, String)> {
        let (mut count, mut printed) = (Count::default(), String::new());
        let Some(stdout) = child.stdout.take() else {
            return Ok((count, printed));
        };
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(result) = parse(&line) {
                count += result;
            } else if line.starts_with("test ") && line.ends_with("FAILED") {
                board.say(&format!("{}: {line}", self.name));
            }
            printed += &line;
            printed.push('\n');
        }
        Ok((count, printed))
    }
}

/// `test result: ok. 3 passed; 0 failed; …`
fn parse(line: &str) -> Option<Count> {
    let counts = line.strip_prefix("test result: ")?;
    let number = |what: &str| {
        counts
            .split([' ', '.', ';'])
            .collect::<Vec<_>>()
            .windows(2)
            .find(|pair| pair[1] == what)
            .and_then(|pair| pair[0].parse().ok())
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

/// A line of `cargo test --no-run --message-format=json`.
#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Artifact {
    #[serde(rename = "compiler-artifact")]
    Compiled(Compiled),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Compiled {
    package_id: String,
    manifest_path: PathBuf,
    target: Target,
    profile: CompiledFor,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct CompiledFor {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Compiled {
    /// The program as one of a kind, or with its tests divided between the kinds.
    fn programs(self, package: &TestedPackage) -> Vec<Program> {
        let (Some(executable), Some(folder)) = (
            self.executable.filter(|_| self.profile.test),
            self.manifest_path.parent(),
        ) else {
            return Vec::new();
        };
        let name = &self.target.name;
        let is_test = self.target.kind.iter().any(|kind| kind == "test");
        let program = |kind, filters| Program {
            kind,
            name: format!("{}: {name}", package.name),
            executable: executable.clone(),
            folder: folder.to_owned(),
            filters,
        };
        let modules = package.modules(name);
        if is_test && package.end_to_end.contains(name) {
            vec![program(TestKind::EndToEnd, Vec::new())]
        } else if is_test && !modules.is_empty() {
            let skipped = modules.iter().flat_map(|module| ["--skip", module]);
            let skipped = skipped.map(str::to_owned).collect();
            let modules = modules.iter().map(|module| (*module).to_owned()).collect();
            vec![
                program(TestKind::InProcess, skipped),
                program(TestKind::EndToEnd, modules),
            ]
        } else {
            vec![program(TestKind::InProcess, Vec::new())]
        }
    }
}

/// What a package says of its tests.
#[derive(Debug)]
struct TestedPackage {
    name: String,
    end_to_end: BTreeSet<String>,
    in_process: BTreeSet<String>,
}

impl TestedPackage {
    /// The modules of a program that need more than the rest of it, as filters of tests.
    fn modules(&self, program: &str) -> Vec<&str> {
        let entries = self.end_to_end.iter();
        entries
            .filter_map(|entry| entry.strip_prefix(program)?.strip_prefix("::"))
            .collect()
    }
}

/// The packages of the workspace, by their ids.
async fn packages(root: &Path) -> Result<BTreeMap<String, TestedPackage>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Described>,
    }
    #[derive(Deserialize)]
    struct Described {
        id: String,
        name: String,
        targets: Vec<Target>,
        metadata: Option<Own>,
    }
    #[derive(Deserialize)]
    struct Own {
        tests: Option<Tests>,
    }
    #[derive(Deserialize, Default)]
    struct Tests {
        #[serde(rename = "end-to-end", default)]
        end_to_end: BTreeSet<String>,
    }
    let mut cargo = tools::cargo(root);
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = cargo.output().await.context("cargo cannot be started")?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout).with_context(|| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        format!("cargo metadata: {}", said.trim())
    })?;
    let packages = metadata.packages.into_iter().map(|described| {
        let tests = described.metadata.and_then(|metadata| metadata.tests);
        let end_to_end = tests.unwrap_or_default().end_to_end;
        let programs = described.targets.into_iter();
        let programs = programs.filter(|target| target.kind.iter().any(|kind| kind == "test"));
        let names = programs.map(|target| target.name);
        let package = TestedPackage {
            name: described.name,
            in_process: names.filter(|name| !end_to_end.contains(name)).collect(),
            end_to_end,
        };
        (described.id, package)
    });
    Ok(packages.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_counted() {
        assert_eq!(
            parse(
                "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s"
            ),
            Some(Count {
                passed: 12,
                failed: 3
            })
        );
        assert_eq!(parse("test a_test ... ok"), None);
    }

    #[tokio::test]
    async fn a_package_says_which_of_its_tests_need_more_than_cargo() -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let packages = packages(folder.parent().context("no checkout")?).await?;
        let xtask = packages.values().find(|package| package.name == "xtask");
        let xtask = xtask.context("no xtask")?;
        assert!(xtask.end_to_end.contains("end_to_end"), "{xtask:?}");
        assert!(xtask.in_process.contains("house"), "{xtask:?}");
        let local = packages
            .values()
            .find(|package| package.name == "mysfits_local");
        let local = local.context("no mysfits_local")?;
        assert!(local.modules("aws").contains(&"tools::"), "{local:?}");
        assert!(local.in_process.contains("aws"), "{local:?}");
        Ok(())
    }
}
