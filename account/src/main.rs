//! The program that Pulumi runs.

fn main() -> std::process::ExitCode {
    pulumi_program::run(account::stack)
}
