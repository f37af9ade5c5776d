//! One run of a program: its Lambda packaged, its binary built, its exit code understood.

use crate::engine::{Engine, events};
use crate::output::Output;
use crate::proto::RunRequest;
use anyhow::{Context, Result};
use pulumi_package::LambdaBuild;
use pulumi_package::cargo::{Build, Progress};
use pulumi_package::group::{Group, Stopped};
use pulumi_package::project::{Program, Project};
use pulumi_protocol::{FAILED_AND_REPORTED, UNFINISHED_VARIABLE};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// What a run needs.
struct Built {
    program: PathBuf,
    /// What the program gets to know about its function's package.
    package: Option<String>,
}

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
    let built = match build(project, request, engine, stop).await {
        Ok(built) => built,
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
    let binary = &built.program;
    let mut command = Command::new(binary);
    command
        // A workspace that packages nothing leaves the variable to somebody who has.
        .envs(
            built
                .package
                .map(|package| (pulumi_package::VARIABLE, package)),
        )
        .args(&request.args)
        .current_dir(&request.pwd)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .envs(environment(request, engine_address).map_err(Failure::Build)?)
        // Programs that do not know of it leave the file empty.
        .env(UNFINISHED_VARIABLE, unfinished.path());
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
        Some(code) if code == i32::from(FAILED_AND_REPORTED) => Err(Failure::Reported),
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
) -> Result<Built> {
    let package = LambdaBuild::configured(project, |key| request.config.get(key).cloned())?;
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
                Some(_) => package.build(project, &progress, &stop).await,
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
    let (archive, program) = both(lambda, program)?;
    let told = || package.told(&archive, Path::new(&request.pwd));
    Ok(Built {
        program,
        package: project.lambda.as_ref().map(|_| told()),
    })
}

/// When both failed, one was stopped because of the other; a stopped build says so last.
fn both(lambda: Result<PathBuf>, program: Result<PathBuf>) -> Result<(PathBuf, PathBuf)> {
    match (lambda, program) {
        (Ok(lambda), Ok(program)) => Ok((lambda, program)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(lambda), Err(program)) if was_stopped(&lambda) => Err(program),
        (Err(lambda), Err(_)) => Err(lambda),
    }
}

fn was_stopped(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Stopped>().is_some()
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
        pinned: None,
    };
    build.run(progress, stop).await
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
