//! Runs a program: checks its environment, waits for all of its work, and never ends with a
//! backtrace.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use anyhow::Result;
use pulumi_gestalt_rust_integration::report;
use pulumi_protocol::FAILED_AND_REPORTED;

use crate::environment::Environment;
use crate::panics::{self, without_backtrace};
use crate::program::Program;
use crate::unfinished::Unfinished;

/// An output is computed inside of the outputs that are computed from it, so that a chain of some
/// hundred `map`s needs a larger stack than usual. Only the used part of the stack takes memory.
const STACK: usize = 256 * 1024 * 1024;

/// How a program ended.
enum End {
    Complete,
    Failed(anyhow::Error),
    Panicked,
    /// What failed was reported, and all that does not depend on it was done.
    Reported,
    /// By Ctrl-C, or a language host that passes it on: the user knows.
    Interrupted,
}

/// Runs a Pulumi program: describes the stack with `stack`, then registers everything.
///
/// Every failure is shown once, where the engine shows it: an error that `stack` returns, a panic
/// (as its message with file and line), a resource that the engine or a provider refuses. The exit
/// code is then 32, by which a language host knows that the errors have been shown; the same after
/// Ctrl-C, without a message. A failed program ends here, and nothing after this call in `main`
/// runs: with a successful end the engine would take the program for complete, and delete
/// everything that it had not registered.
///
/// A program that was not started by Pulumi says how to start it.
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// fn main() {
///     pulumi_program::run(|_| Ok(()));
/// }
/// ```
#[must_use = "it is what `main` returns: without it a program that fails is taken for complete"]
pub fn run(stack: impl FnOnce(&Program) -> Result<()> + Send + 'static) -> ExitCode {
    let environment = match Environment::read() {
        Ok(environment) => environment,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let engine = environment.engine.clone();
    let unfinished = Unfinished::begin();
    let report = |message: &str| -> ! {
        let message = match without_backtrace(message) {
            "" => "the program failed without a message",
            message => message,
        };
        report::error(&engine, message);
        failed()
    };

    // The program has a thread of its own for its stack, and so that Ctrl-C need not wait for it.
    let (sender, ends) = mpsc::channel();
    let interrupted = sender.clone();
    thread::spawn(move || {
        if wait_for_interrupt().is_ok() {
            drop(interrupted.send(End::Interrupted));
        }
    });
    let thread = thread::Builder::new()
        .name("pulumi".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            panics::keep_here();
            let end = catch_unwind(AssertUnwindSafe(|| deploy(stack, environment)));
            let end = match end {
                Ok(Ok(true)) => End::Complete,
                Ok(Ok(false)) => End::Reported,
                Ok(Err(error)) => End::Failed(error),
                Err(_) => End::Panicked,
            };
            drop(sender.send(end));
        });
    if let Err(error) = thread {
        report(&format!("the program's thread did not start: {error}"));
    }
    match ends.recv() {
        Ok(End::Complete) => {
            unfinished.end();
            ExitCode::SUCCESS
        }
        Ok(End::Reported | End::Interrupted) => failed(),
        Ok(End::Failed(error)) => report(&format!("{error:#}")),
        Ok(End::Panicked) | Err(_) => report(&panics::message()),
    }
}

fn failed() -> ! {
    std::process::exit(FAILED_AND_REPORTED.into())
}

fn wait_for_interrupt() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(tokio::signal::ctrl_c())
}

/// Whether all went well; what did not has been told.
fn deploy(stack: impl FnOnce(&Program) -> Result<()>, environment: Environment) -> Result<bool> {
    let program = Program::connect(environment)?;
    stack(&program)?;
    program.finish()
}
