//! The code of a function, shown in one line.

use crate::preview::Step;
use crate::value;

/// What the engine calls the archive of a function.
pub const CODE: &str = "code";

/// The line about a function whose code changes: `2.2 MB, was built from other sources`.
pub fn of(step: &Step, size: &dyn Fn(&str) -> Option<u64>) -> Option<String> {
    if step.kind != "aws:lambda/function:Function" {
        return None;
    }
    let new = value::asset(step.new_input(CODE))?;
    let bytes = new
        .path
        .and_then(size)
        .map(|bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    let what = match value::asset(step.old_input(CODE)) {
        None => "is new",
        Some(old) if old.hash == new.hash => return None,
        Some(_) => "was built from other sources",
    };
    Some(match bytes {
        Some(bytes) => format!("{bytes}, {what}"),
        None => what.to_owned(),
    })
}
