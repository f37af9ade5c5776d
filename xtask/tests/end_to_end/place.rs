//! A checkout with an embedded cloud of its own.

use crate::copy::Copy;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

/// A checkout, and a home in a temporary folder. Dropping it stops the cloud.
pub struct Place {
    pub root: PathBuf,
    pub home: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    /// What git said before anything was run.
    status: String,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    /// This checkout, with a home in a temporary folder and ports that no other test has.
    pub fn new() -> Result<Self> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.parent().context("no checkout")?;
        let folder = tempfile::tempdir()?;
        // A path with a space is nothing special, nor is one that an URL would have to quote.
        let home = folder.path().join("a home #1, 100%25?");
        Ok(Self {
            root: root.to_owned(),
            environment: vec![
                ("MYSFITS_HOME", home.clone().into()),
                ("MYSFITS_PORT", free_ports()?.to_string().into()),
            ],
            home,
            status: git_status(root)?,
            _folder: Some(folder),
        })
    }

    /// Another checkout, with the home and the ports that it chooses itself.
    pub fn of_copy(copy: &Copy) -> Result<Self> {
        let mut environment: Vec<(&str, OsString)> = Vec::new();
        if std::env::var_os("CARGO_TARGET_DIR").is_some() {
            environment.push(("CARGO_TARGET_DIR", copy.root.join("target").into()));
        }
        Ok(Self {
            root: copy.root.clone(),
            home: copy.root.join(".local"),
            environment,
            status: git_status(&copy.root)?,
            _folder: None,
        })
    }

    /// `cargo xtask …`, which must succeed; gives what it printed.
    pub fn xtask(&self, arguments: &[&str]) -> Result<String> {
        let output = self.try_xtask(arguments)?;
        succeed(&format!("cargo xtask {}", arguments.join(" ")), output)
    }

    pub fn try_xtask(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(arguments).output()?)
    }

    /// `cargo xtask …`, not started yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        self.enter(&mut command);
        command.args(arguments);
        command
    }

    /// A line for `sh` after `eval "$(cargo xtask env)"`, which must succeed; gives what it
    /// printed.
    pub fn shell(&self, script: &str) -> Result<String> {
        succeed(script, self.try_shell(script)?)
    }

    pub fn try_shell(&self, script: &str) -> Result<Output> {
        Ok(self.shell_command(script).output()?)
    }

    /// The same, started: its standard output can be read.
    pub fn start_shell(&self, script: &str) -> Result<Child> {
        let mut command = self.shell_command(script);
        Ok(command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?)
    }

    /// The same, not started yet.
    pub fn prepared(&self, script: &str) -> Command {
        self.shell_command(script)
    }

    fn shell_command(&self, script: &str) -> Command {
        let xtask = env!("CARGO_BIN_EXE_xtask");
        let script =
            format!("variables=$(\"{xtask}\" env) || exit 99\neval \"$variables\"\n{script}");
        let mut command = Command::new("sh");
        self.enter(&mut command);
        command.args(["-c", &script]);
        command
    }

    pub fn enter(&self, command: &mut Command) {
        command
            .current_dir(&self.root)
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("MYSFITS_HOME")
            .env_remove("MYSFITS_PORT")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // What a developer's shell may hold must not matter.
            .env("AWS_PROFILE", "somebody")
            .env("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
    }

    /// The address of AWS's protocols.
    pub fn aws(&self) -> Result<String> {
        self.shell("printf %s \"$AWS_ENDPOINT_URL\"")
    }

    /// The outputs of stack `local`.
    pub fn outputs(&self) -> Result<Value> {
        self.outputs_of("local")
    }

    pub fn outputs_of(&self, stack: &str) -> Result<Value> {
        let outputs = self.shell(&format!("pulumi stack output --json --stack {stack}"))?;
        Ok(serde_json::from_str(&outputs)?)
    }

    /// The resources in the state of stack `local`.
    pub fn resources(&self) -> Result<Vec<Value>> {
        self.resources_of("local")
    }

    pub fn resources_of(&self, stack: &str) -> Result<Vec<Value>> {
        let state = self.shell(&format!("pulumi stack export --stack {stack}"))?;
        let state: Value = serde_json::from_str(&state)?;
        let resources = state["deployment"]["resources"].as_array();
        Ok(resources.cloned().unwrap_or_default())
    }

    /// The cloud's process, as its home remembers it.
    pub fn cloud(&self) -> Result<Option<i32>> {
        match std::fs::read_to_string(self.home.join("cloud.pid")) {
            Ok(pid) => Ok(Some(pid.trim().parse()?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Fails when git sees a change that was not there before.
    pub fn assert_clean(&self) -> Result<()> {
        assert_eq!(
            git_status(&self.root)?,
            self.status,
            "the git tree is dirty"
        );
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let pid = self.cloud().ok().flatten();
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
        }
    }
}

/// Runs a program, which must succeed; gives what it printed.
pub fn run(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    succeed(&format!("{command:?}"), output)
}

fn git_status(root: &Path) -> Result<String> {
    run(Command::new("git")
        .args(["status", "--porcelain"])
        .current_dir(root))
}

fn succeed(what: &str, output: Output) -> Result<String> {
    if !output.status.success() {
        bail!(
            "{what}: {}\n{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Sixteen ports in a row that nobody uses and no other test has: below those that Linux hands
/// out to clients, and elsewhere in each test process.
fn free_ports() -> Result<u16> {
    static TAKEN: Mutex<u32> = Mutex::new(0);
    const BLOCKS: u32 = 700;
    let mut taken = TAKEN.lock().unwrap();
    while *taken < BLOCKS {
        let block = (std::process::id() * 37 + *taken) % BLOCKS;
        let first = u16::try_from(20_000 + block * 16)?;
        *taken += 1;
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (first..first + 16).all(free) {
            return Ok(first);
        }
    }
    bail!("no sixteen ports in a row are free")
}
