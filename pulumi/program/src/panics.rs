//! A panic of the program ends it with one line: what happened, and where in the source.

use std::panic::{self, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::thread;

static MESSAGE: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the message of this thread's first panic instead of printing it; other threads' panics
/// are none of ours.
pub(crate) fn keep_here() {
    let here = thread::current().id();
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() != here {
            return others(panic);
        }
        let mut message = MESSAGE.lock().unwrap_or_else(PoisonError::into_inner);
        message.get_or_insert_with(|| describe(panic));
    }));
}

/// The message that was kept.
pub(crate) fn message() -> String {
    MESSAGE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_else(|| "the program ended without a result".to_owned())
}

fn describe(panic: &PanicHookInfo<'_>) -> String {
    let reason = panic.payload_as_str().unwrap_or("no message");
    match panic.location() {
        Some(at) => format!(
            "the program panicked at {}:{}: {reason}",
            at.file(),
            at.line()
        ),
        None => format!("the program panicked: {reason}"),
    }
}
