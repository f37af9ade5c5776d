//! A panic of the program ends it with one line: what happened, and where in the source.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::thread;

static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the messages of this thread's panics instead of printing them. Those of other threads
/// are printed: whether the program goes on without them is its own decision.
pub(crate) fn keep_here() {
    let here = thread::current().id();
    panic::set_hook(Box::new(move |panic| {
        let current = thread::current();
        if current.id() != here {
            let name = current.name().unwrap_or("without a name");
            eprintln!("{}", describe(&format!("the thread {name}"), panic));
        } else if panic.payload_as_str().is_some_and(is_the_end) {
            print_all();
        } else {
            keep(describe("the program", panic));
            if cfg!(panic = "abort") {
                print_all();
            }
        }
    }));
}

/// Ends the program with this message, from where nothing can be returned.
pub(crate) fn end(message: String) -> ! {
    keep(message);
    panic::resume_unwind(Box::new(()))
}

/// The message of the panic that ended the program; those before were caught.
pub(crate) fn message() -> String {
    let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
    messages
        .pop()
        .unwrap_or_else(|| "the program ended without a result".to_owned())
}

fn keep(message: String) {
    let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
    messages.push(message);
}

/// For a process that Rust is about to abort: nobody else is going to show them.
fn print_all() {
    let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
    for message in messages.drain(..) {
        eprintln!("{message}");
    }
}

/// With what Rust panics last when a panic cannot unwind.
fn is_the_end(reason: &str) -> bool {
    [
        "panic in a destructor during cleanup",
        "panic in a function that cannot unwind",
    ]
    .contains(&reason)
}

fn describe(who: &str, panic: &PanicHookInfo<'_>) -> String {
    let reason = without_backtrace(panic.payload_as_str().unwrap_or("no message"));
    match panic.location() {
        Some(at) => format!("{who} panicked at {}:{}: {reason}", at.file(), at.line()),
        None => format!("{who} panicked: {reason}"),
    }
}

/// An error's `Debug` form, which `unwrap` shows, ends with a backtrace where one was asked for.
pub(crate) fn without_backtrace(message: &str) -> &str {
    let end = message
        .find("\n\nStack backtrace:")
        .unwrap_or(message.len());
    message[..end].trim_end()
}
