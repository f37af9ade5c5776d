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
mod engine;
mod exit;
mod files;
mod github;
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
mod watched;
mod wrappers;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use commands::Command;
use std::process::ExitCode;

/// The mysfits click stream, on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What a slip of the fingers must not lead to: records are sent again, or lost.
const NEVER_SUGGESTED: [&str; 3] = ["replay", "down", "destroy"];

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => harmless(error).exit(),
    };
    match arguments.command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}

/// The error for an unknown command, without the suggestions that would do harm.
fn harmless(mut error: clap::Error) -> clap::Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let suggested = match error.remove(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::Strings(names)) => names,
        Some(ContextValue::String(name)) => vec![name],
        _ => Vec::new(),
    };
    let kept: Vec<String> = suggested
        .into_iter()
        .filter(|name| !NEVER_SUGGESTED.contains(&name.as_str()))
        .collect();
    if !kept.is_empty() {
        error.insert(
            ContextKind::SuggestedSubcommand,
            ContextValue::Strings(kept),
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_suggested_that_sends_or_deletes() {
        for (typed, suggested) in [
            ("relay", false),
            ("replai", false),
            ("dwn", false),
            ("destro", false),
            ("statu", true),
            ("clic", true),
        ] {
            let error = match Arguments::try_parse_from(["cargo xtask", typed]) {
                Ok(_) => panic!("{typed} is a command"),
                Err(error) => harmless(error),
            };
            let text = error.to_string();
            assert!(text.contains("unrecognized subcommand"), "{text}");
            assert!(!suggested || text.contains("similar"), "{typed}: {text}");
            for name in NEVER_SUGGESTED {
                assert!(!text.contains(&format!("'{name}'")), "{typed}: {text}");
            }
        }
    }

    #[test]
    fn other_names_of_commands_are_known() {
        for name in ["deploy", "destroy"] {
            assert!(Arguments::try_parse_from(["cargo xtask", name]).is_ok());
        }
    }
}
