//! `cargo xtask`: the one door for people.

mod automatic_logs;
mod aws;
mod binaries;
mod browser;
mod cache;
mod checkout;
mod cloud;
mod commands;
mod disk;
mod files;
mod http;
mod memory;
mod plugins;
mod ports;
mod progress;
mod pulumi;
mod secrets;
mod session;
mod since;
mod stack;
mod tools;
mod variables;

use clap::Parser;
use commands::Command;
use std::process::ExitCode;

/// The mysfits click stream, on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
