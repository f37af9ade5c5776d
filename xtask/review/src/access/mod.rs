//! Who may do what, and what is open to the public.

mod grants;
mod public;

use crate::Finding;
use crate::preview::{Preview, Step};

pub use public::untold;

/// What is allowed, or is allowed no more; what is open, or is so no more.
pub fn of(preview: &Preview) -> Vec<Finding> {
    let mut findings = grants::of(preview);
    findings.extend(public::of(preview));
    findings
}

/// Whether this section shows a change of a step.
pub fn tells(step: &Step, path: &str) -> bool {
    grants::tells(&step.kind, path) || public::tells(&step.kind, path)
}
