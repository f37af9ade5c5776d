//! Every other change, by part of the stack: what no other section shows, property by property.

use serde::Serialize;

use crate::access;
use crate::package;
use crate::preview::{Op, Preview, Step};
use crate::seen;

/// A part of the stack and what changes in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    pub name: String,
    pub rows: Vec<Row>,
}

/// A resource that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub on: String,
    /// Such as `created`.
    pub what: &'static str,
    /// Each changed property as old → new.
    pub changes: Vec<String>,
}

pub fn of(preview: &Preview, size: &dyn Fn(&str) -> Option<u64>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for step in preview.changed() {
        let Some(row) = row(step, size) else {
            continue;
        };
        match parts.iter_mut().find(|part| part.name == step.part()) {
            Some(part) => part.rows.push(row),
            None => parts.push(Part {
                name: step.part().to_owned(),
                rows: vec![row],
            }),
        }
    }
    parts
}

fn row(step: &Step, size: &dyn Fn(&str) -> Option<u64>) -> Option<Row> {
    let custom = [&step.new, &step.old]
        .into_iter()
        .flatten()
        .any(|state| state.custom);
    // A component has nothing of its own, and each output of the stack comes from a resource.
    if !custom {
        return None;
    }
    let what = match step.op {
        Op::Same => return None,
        Op::Create => "created",
        Op::Update => "changed",
        Op::Replace => "replaced",
        Op::Delete => "deleted",
        Op::Forget => "left where it is, and forgotten",
    };
    let told_elsewhere =
        |path: &str| access::tells(step, path) || seen::tells(&step.kind) || path == package::CODE;
    let mut changes = Vec::new();
    if let Some(line) = package::of(step, size) {
        changes.push(line);
    }
    let others = step.changes();
    let others = others.iter().filter(|change| !told_elsewhere(&change.path));
    changes.extend(others.map(ToString::to_string));
    // An update that other sections show completely needs no row, and files have their own lines.
    let is_told = changes.is_empty() && (step.op == Op::Update || seen::tells(&step.kind));
    (!is_told).then(|| Row {
        on: step.label(),
        what,
        changes,
    })
}
