//! The Pulumi program: `pulumi up` runs it.

use pulumi_program::{Output, Program};

fn main() -> std::process::ExitCode {
    pulumi_program::run(stack)
}

fn stack(program: &Program) -> anyhow::Result<()> {
    let greeting = format!("stack {} is described in Rust", program.stack());
    program.export("greeting", &Output::new(greeting));
    Ok(())
}
