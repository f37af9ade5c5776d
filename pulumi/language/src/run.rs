//! One run of a program: its Lambda packaged, its binary built, its exit code understood.

use crate::cargo::{Build, Progress};
use crate::engine::{Engine, events};
use crate::group::Group;
use crate::output::Output;
use crate::package::{self, Architecture};
use crate::project::{Program, Project};
use crate::proto::RunRequest;
use anyhow::{Context, Result, anyhow};
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// A program ends so when it failed and has told the engine why.
const ALREADY_REPORTED: i32 = 32;

/// Names a file in which a program says that it is not complete; see `unfinished` in
/// `pulumi_program`. Programs that do not know of it leave the file empty.
const UNFINISHED: &str = "PULUMI_RUST_UNFINISHED";

/// How a run ended, other than well.
#[derive(Debug)]
pub enum Failure {
    /// The engine knows the reason: the program told it, or the engine itself stopped the run.
    Reported,
    /// It never came to run the program.
    Build(anyhow::Error),
    /// The program ended without telling the engine why.
    Program(String),
}

/// Builds and runs the program of a request.
pub async fn run(
    project: &Project,
    request: &RunRequest,
    engine: &Engine,
    engine_address: &str,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let binary = match build(project, request, engine, stop).await {
        Ok(binary) => binary,
        Err(_) if stop.is_cancelled() => return Err(Failure::Reported),
        Err(error) => return Err(Failure::Build(error)),
    };
    if request.attach_debugger {
        engine
            .warning("--attach-debugger is not for programs in Rust: this one runs without")
            .await;
    }
    let unfinished = tempfile::NamedTempFile::new()
        .context("a temporary file cannot be created")
        .map_err(Failure::Build)?;
    let mut command = Command::new(&binary);
    command
        .args(&request.args)
        .current_dir(&request.pwd)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .envs(environment(request, engine_address).map_err(Failure::Build)?)
        .env(UNFINISHED, unfinished.path());
    let mut group = Group::spawn(&mut command).map_err(Failure::Build)?;
    let output = Output::of(&mut group.child);
    let status = group.wait(stop).await;
    output.end().await;
    let status = match status {
        Ok(status) => status,
        Err(_) if stop.is_cancelled() => return Err(Failure::Reported),
        Err(error) => return Err(Failure::Program(format!("{error:#}"))),
    };
    match status.code() {
        // Even a file that is gone says nothing against the program.
        Some(0) if std::fs::read(unfinished.path()).is_ok_and(|text| !text.is_empty()) => {
            Err(Failure::Program(format!(
                "the program {} ended with exit code 0 before it was complete: does it call \
                 `std::process::exit`? What it has not registered was left as it is",
                binary.display()
            )))
        }
        Some(0) => Ok(()),
        Some(ALREADY_REPORTED) => Err(Failure::Reported),
        _ => Err(Failure::Program(format!(
            "the program {} failed ({status})",
            binary.display()
        ))),
    }
}

/// The function's archive and the program are built side by side. The first that fails stops the
/// other.
async fn build(
    project: &Project,
    request: &RunRequest,
    engine: &Engine,
    stop: &CancellationToken,
) -> Result<PathBuf> {
    let architecture = architecture(project, request)?;
    let (sender, receiver) = events();
    let progress = Progress::Events(sender);
    let stop = stop.child_token();
    let builds = async {
        let stop_on_failure = |result: Result<PathBuf>| {
            if result.is_err() {
                stop.cancel();
            }
            result
        };
        let lambda = async {
            let lambda = match &project.lambda {
                Some(_) => package::package(project, architecture, &progress, &stop).await,
                None => Ok(PathBuf::new()),
            };
            stop_on_failure(lambda)
        };
        let program = async { stop_on_failure(build_program(project, &progress, &stop).await) };
        let results = tokio::join!(lambda, program);
        drop(progress);
        results
    };
    let ((lambda, program), ()) = tokio::join!(builds, engine.show(receiver));
    first_failure(lambda, program)
}

/// When both failed, one was stopped because of the other; a stopped build says so last.
fn first_failure(lambda: Result<PathBuf>, program: Result<PathBuf>) -> Result<PathBuf> {
    match (lambda, program) {
        (Ok(_), Ok(program)) => Ok(program),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(lambda), Err(program)) if was_stopped(&lambda) => Err(program),
        (Err(lambda), Err(_)) => Err(lambda),
    }
}

fn was_stopped(error: &anyhow::Error) -> bool {
    error.downcast_ref::<crate::group::Stopped>().is_some()
}

async fn build_program(
    project: &Project,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<PathBuf> {
    let binary = match &project.program {
        Program::Prebuilt(path) => return Ok(path.clone()),
        Program::Workspace(binary) => binary,
    };
    let build = Build {
        root: &project.root,
        binary,
        profile: None,
        target: None,
        environment: Vec::new(),
    };
    build.run(progress, stop).await
}

fn architecture(project: &Project, request: &RunRequest) -> Result<Architecture> {
    let Some(key) = &project.architecture_config else {
        return Ok(Architecture::default());
    };
    match request.config.get(key) {
        None => Ok(Architecture::default()),
        Some(value) => value
            .parse()
            .map_err(|error| anyhow!("the configuration value {key} is wrong: {error}")),
    }
}

/// The variables that Pulumi's SDKs read.
fn environment(request: &RunRequest, engine_address: &str) -> Result<Vec<(&'static str, String)>> {
    let root = request
        .info
        .as_ref()
        .map(|info| info.root_directory.clone())
        .unwrap_or_default();
    Ok(vec![
        ("PULUMI_MONITOR", request.monitor_address.clone()),
        ("PULUMI_ENGINE", engine_address.to_owned()),
        ("PULUMI_ORGANIZATION", request.organization.clone()),
        ("PULUMI_PROJECT", request.project.clone()),
        ("PULUMI_STACK", request.stack.clone()),
        ("PULUMI_ROOT_DIRECTORY", root),
        ("PULUMI_PWD", request.pwd.clone()),
        ("PULUMI_DRY_RUN", request.dry_run.to_string()),
        ("PULUMI_PARALLEL", request.parallel.to_string()),
        (
            "PULUMI_CONFIG",
            serde_json::to_string(&request.config).context("the configuration is no JSON")?,
        ),
        (
            "PULUMI_CONFIG_SECRET_KEYS",
            serde_json::to_string(&request.config_secret_keys)
                .context("the configuration is no JSON")?,
        ),
    ])
}
