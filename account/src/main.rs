//! The program that Pulumi runs; with `template SUBJECT`, the same for CloudFormation.

use account::{AccountSettings, github, template};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, rest)) if command == "template" => print(rest),
        _ => pulumi_program::run(account::stack),
    }
}

fn print(arguments: &[String]) -> ExitCode {
    let has = |option: &str| arguments.iter().any(|argument| argument == option);
    let settings = AccountSettings {
        subject: arguments.first().cloned().unwrap_or_default(),
        github_provider: !has("--existing-provider"),
        api_gateway_logs: has("--api-gateway-logs"),
    };
    if let Err(error) = github::check(&settings.subject) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    println!("{:#}", template::of(&settings));
    ExitCode::SUCCESS
}
