//! The embedded cloud as a program: runs in the foreground until SIGTERM or SIGINT.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use cloud_lambda::launcher;
use mysfits_local::log;
use mysfits_local::server::{Ports, Server, ServerConfig};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// The embedded cloud of this project.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the cloud; prints `ready` when all its ports answer
    Serve {
        /// The folder of all its data, created when it is missing [default: $MYSFITS_HOME/data]
        #[arg(long)]
        home: Option<PathBuf>,
        /// The first of 16 ports on 127.0.0.1; 0 takes any that are free
        #[arg(long, env = "MYSFITS_PORT")]
        port: u16,
    },
    /// Becomes a function, for a running cloud
    #[command(name = launcher::SUBCOMMAND, hide = true)]
    Launch,
}

/// This program, even when a build has put another in the place of its file since the start.
const THIS_PROGRAM: &str = "/proc/self/exe";

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve { home, port } => {
            log::init();
            data_folder(home).and_then(|home| serve(home, port))
        }
        Command::Launch => launcher::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A failed write must not turn the exit code into that of a panic.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn data_folder(home: Option<PathBuf>) -> Result<PathBuf> {
    let default = || Some(PathBuf::from(std::env::var_os("MYSFITS_HOME")?).join("data"));
    home.or_else(default)
        .context("no data folder: set MYSFITS_HOME, or give one with --home")
}

#[tokio::main]
async fn serve(home: PathBuf, port: u16) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let ports = match port {
        0 => Ports::Any,
        first => Ports::From(first),
    };
    let server = Server::start(ServerConfig {
        ports,
        launcher: Some(PathBuf::from(THIS_PROGRAM)),
        ..ServerConfig::new(home)
    })
    .await?;
    tracing::info!(endpoints = ?server.endpoints(), "ready");
    announce()?;

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = server.stopping() => {
            // What is under way is finished as far as it can be.
            server.stop().await;
            anyhow::bail!("the cloud stopped by itself: see the log");
        }
    }
    tracing::info!("stopping");
    tokio::select! {
        () = server.stop() => {}
        // A second signal means that the user does not want to wait.
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// The one line of standard output. The program that started the cloud waits for it.
fn announce() -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "ready")?;
    output.flush()?;
    Ok(())
}
