//! What an approval of a review covers: a digest of everything that the engine would do.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::preview::{Op, Preview};

/// The digest, in hexadecimal digits: the same for two previews that would do the same. A secret
/// counts as the same whatever it is, since its value is not in a preview.
pub fn of(preview: &Preview) -> String {
    let mut steps: Vec<String> = preview
        .changed()
        .map(|step| {
            let whole = |value: Option<&Value>| value.cloned().unwrap_or_default();
            let changes: Vec<Value> = match step.op {
                Op::Create => vec![whole(step.new.as_ref().map(|state| &state.inputs))],
                Op::Delete | Op::Forget => Vec::new(),
                _ => {
                    let changes = step.changes().into_iter();
                    changes
                        .map(|change| {
                            json!([change.path, content(change.old), content(change.new)])
                        })
                        .collect()
                }
            };
            json!([format!("{:?}", step.op), step.urn, changes]).to_string()
        })
        .collect();
    // The engine meets resources in another order each time.
    steps.sort();
    let digest = Sha256::digest(steps.join("\n"));
    hex::encode(&digest[..BYTES])
}

/// As much as a person copies, and nobody makes another change for.
const BYTES: usize = 16;

/// A file is its content, wherever it was built.
fn content(value: Value) -> Value {
    match crate::value::asset(&value) {
        Some(file) => json!(file.hash),
        None => value,
    }
}
