//! `cargo xtask bench setup`: from a fresh clone with empty caches to the outputs of stack `local`,
//! with a Pulumi CLI on PATH and without one.

use crate::cache;
use crate::checkout::Checkout;
use crate::progress;
use anyhow::{Context, Result, bail, ensure};
use door::cli::Cli;
use door::elapsed::elapsed;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// The unit of the times in /proc/self/stat: USER_HZ, which is 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// What one command took.
struct Took {
    wall: Duration,
    /// Of the command and of all processes that it started, except for those that still run after
    /// it.
    cpu: Duration,
}

pub async fn run(root: &Path) -> Result<()> {
    // The Pulumi CLI is built by a process that its parent does not wait for. When the parent ends,
    // the process becomes a child of this one, which can count its time then.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .context("this system cannot count the time of detached processes")?;
    let checkout = Checkout::find()?;
    let cli = Cli::of(root, &cache::folder()?)?
        .find(&checkout.bin())
        .context("a Pulumi CLI is needed for the first row: run `cargo xtask up` once")?;
    println!(
        "A clone with empty caches, until the outputs are there. Rust, and Go for the second row, \
         are installed before; what is downloaded counts.\n\n\
         | Pulumi CLI | command | wall | CPU |\n| --- | --- | --- | --- |"
    );
    let on_path = cli.path.parent().map(Path::to_owned);
    measure(root, "on PATH", on_path.as_deref()).await?;
    measure(root, "built from its sources", None).await
}

async fn measure(root: &Path, name: &str, cli: Option<&Path>) -> Result<()> {
    let place = tempfile::tempdir()?;
    let clone = place.path().join("mysfits");
    let cloned = Command::new("git")
        .args(["clone", "--quiet", "--no-hardlinks"])
        .arg(root)
        .arg(&clone)
        .status()
        .await?;
    ensure!(cloned.success(), "git cannot clone {}", root.display());
    for command in ["up", "up", "down"] {
        let step = progress::step(format!("cargo xtask {command}, CLI {name}"));
        let took = run_once(place.path(), &clone, cli, command).await?;
        step.done();
        println!(
            "| {name} | `cargo xtask {command}` | {} | {} |",
            elapsed(took.wall),
            elapsed(took.cpu)
        );
    }
    Ok(())
}

async fn run_once(place: &Path, clone: &Path, cli: Option<&Path>, command: &str) -> Result<Took> {
    let log = place.join("log");
    let file = fs::File::options().create(true).append(true).open(&log)?;
    let mut xtask = Command::new("cargo");
    door::compile::forget_own_package(xtask.as_std_mut());
    xtask
        .args(["xtask", command])
        .current_dir(clone)
        .env("PATH", path(cli)?)
        .env("XDG_CACHE_HOME", place.join("cache"))
        .env("CARGO_HOME", cargo_home(place)?)
        .env("GOCACHE", place.join("go-build"))
        .env("GOMODCACHE", place.join("go-mod"))
        // Go makes its modules read-only, and the folder could not be deleted afterwards.
        .env("GOFLAGS", "-modcacherw")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("MYSFITS_HOME")
        .stdin(std::process::Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file);
    let (started, before) = (Instant::now(), children_cpu()?);
    let status = xtask.status().await?;
    if !status.success() {
        let log = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(20)..];
        bail!("cargo xtask {command} failed:\n{}", last.join("\n"));
    }
    let wall = started.elapsed();
    reap();
    Ok(Took {
        wall,
        cpu: children_cpu()? - before,
    })
}

/// Reaps detached processes that have ended: the system counts their time only then.
fn reap() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}

/// An empty home of Cargo's, but for the settings by which this machine reaches the registry.
fn cargo_home(place: &Path) -> Result<PathBuf> {
    let home = place.join("cargo");
    fs::create_dir_all(&home)?;
    let own = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    if let Some(own) = own {
        for name in ["config.toml", "credentials.toml"] {
            if own.join(name).is_file() {
                fs::copy(own.join(name), home.join(name))?;
            }
        }
    }
    Ok(home)
}

/// PATH with this CLI first, or without any.
fn path(cli: Option<&Path>) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path).filter(|folder| !folder.join("pulumi").exists());
    let folders = cli.map(Path::to_owned).into_iter().chain(others);
    Ok(std::env::join_paths(folders)?)
}

/// The processor time of all children that were waited for.
fn children_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("/proc is not mounted")?;
    // The second field is a name in brackets, which may hold spaces.
    let fields = stat.rsplit_once(')').context("no process")?.1;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |index: usize| -> Result<u32> {
        let field = fields.get(index).context("a field is missing")?;
        Ok(field.parse()?)
    };
    // cutime and cstime, fields 16 and 17 of proc(5).
    Ok(TICK * (ticks(13)? + ticks(14)?))
}
