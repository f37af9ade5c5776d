//! `cargo xtask`, from an empty target folder on: compiles the program of the commands, and the
//! programs of the stack when the command needs them, and then runs the command.

use door::cli::Cli;
use door::{compile, elapsed};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// The program of the commands.
const COMMANDS: &str = "xtask";

/// The programs of the stack: the Pulumi program, the embedded cloud, the language host.
const STACK: [&str; 3] = ["infra", "mysfits-local", "pulumi-language-rust"];

/// The commands that run the stack, or what is beside it.
const OF_THE_STACK: [&str; 10] = [
    "up", "deploy", "dev", "watch", "start", "env", "click", "open", "down", "destroy",
];

/// How this program calls itself to build the Pulumi CLI. No command of `cargo xtask` has it.
const BUILD_CLI: &str = "--build-the-pulumi-cli";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let result = match arguments.first() {
        Some(first) if first == BUILD_CLI => build_cli(),
        _ => enter(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn enter(arguments: &[OsString]) -> Result<ExitCode> {
    let started = Instant::now();
    let root = root()?;
    let of_the_stack = arguments
        .first()
        .is_some_and(|first| OF_THE_STACK.iter().any(|command| first == command));
    let mut names = vec![COMMANDS];
    if of_the_stack {
        names.extend(STACK);
        start_cli(&root)?;
    }
    match arguments.first().and_then(|first| first.to_str()) {
        // The command itself shows its other parts.
        Some("up" | "deploy") => eprintln!("[1/4] the programs"),
        _ if !is_compiled(&root) => eprintln!("compiling cargo xtask: a minute, the first time"),
        _ => {}
    }
    let Ok(programs) = compile::programs(&root, "dev", &names)? else {
        // Cargo has said why.
        return Ok(ExitCode::FAILURE);
    };
    let took = started.elapsed();
    if took.as_secs() >= 5 {
        eprintln!("compiled in {}", elapsed::elapsed(took));
    }
    let program = programs
        .get(COMMANDS)
        .ok_or("Cargo did not say where it put xtask")?;
    let mut command = Command::new(program);
    command.args(arguments);
    for name in STACK {
        if let Some(path) = programs.get(name) {
            // So that Cargo need not be asked a second time: see binaries.rs in xtask.
            command.env(door::built_variable(name), path);
        }
    }
    Err(command.exec().into())
}

/// Whether the program of the commands was compiled before, as far as can be seen at once.
fn is_compiled(root: &Path) -> bool {
    std::env::var_os("CARGO_TARGET_DIR").is_some()
        || root.join("target/debug").join(COMMANDS).is_file()
}

/// Has the Pulumi CLI built beside the programs when there is none. Ctrl-C ends it too.
fn start_cli(root: &Path) -> Result<()> {
    let cli = Cli::of(root, &cache()?)?;
    if cli.find(Path::new("")).is_none() {
        eprintln!("building the Pulumi CLI beside them, since there is none on PATH: once");
        Command::new(std::env::current_exe()?)
            .arg(BUILD_CLI)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // The command that needs the CLI tries again, and reports a failure.
            .stderr(Stdio::null())
            .spawn()?;
    }
    Ok(())
}

fn build_cli() -> Result<ExitCode> {
    Cli::of(&root()?, &cache()?)?.find_or_build(Path::new(""), &|_| ())?;
    Ok(ExitCode::SUCCESS)
}

/// `mysfits` in the user's cache.
fn cache() -> Result<PathBuf> {
    door::cache().ok_or_else(|| "neither XDG_CACHE_HOME nor HOME is set".into())
}

/// The checkout that Cargo ran this program for.
fn root() -> Result<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = package.map_or_else(std::env::current_dir, Ok)?;
    let root = start
        .ancestors()
        .find(|folder| folder.join("Pulumi.yaml").is_file());
    let root = root.ok_or_else(|| format!("{} is not in a checkout", start.display()))?;
    Ok(root.to_owned())
}
