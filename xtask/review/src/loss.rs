//! What is lost: resources that hold data and are deleted or replaced, and data that is kept for
//! less time than before.

use serde::Serialize;
use serde_json::Value;

use crate::changes::Change;
use crate::preview::{Op, Preview, Step};
use crate::value;

/// Data that would be gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// The resource, such as `Bucket mysfits-clicks`.
    pub on: String,
    /// What AWS calls it.
    pub id: String,
    pub how: How,
    /// What it holds.
    pub what: String,
    /// The properties for which it is replaced or shortened.
    pub because: Vec<Change>,
    /// What stops it, where something does.
    pub held_by: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    Deleted,
    Replaced,
    KeptForLess,
}

/// The types that hold what no deployment brings back, and what that is.
const HOLDERS: [(&str, &str); 8] = [
    (
        "aws:s3/bucket:Bucket",
        "every object and every old version of one",
    ),
    (
        "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
        "records that are accepted and not yet delivered",
    ),
    ("aws:cloudwatch/logGroup:LogGroup", "its logs"),
    ("aws:codecommit/repository:Repository", "every commit in it"),
    (
        "aws:athena/workgroup:Workgroup",
        "results and history of its queries",
    ),
    (
        "aws:kms/key:Key",
        "whatever only this key decrypts, after its waiting period",
    ),
    ("aws:dynamodb/table:Table", "every item"),
    ("aws:sqs/queue:Queue", "messages that are not yet received"),
];

/// What a preview would lose.
pub fn of(preview: &Preview) -> Vec<Loss> {
    let gone = preview.changed().filter_map(gone);
    let shortened = preview
        .changed()
        .filter_map(|step| shortened(preview, step));
    gone.chain(shortened).collect()
}

/// A holder of data that is deleted, alone or for its successor.
fn gone(step: &Step) -> Option<Loss> {
    let (_, what) = HOLDERS.iter().find(|(kind, _)| *kind == step.kind)?;
    let how = match step.op {
        Op::Delete => How::Deleted,
        Op::Replace => How::Replaced,
        _ => return None,
    };
    let old = step.old.as_ref()?;
    if old.retain_on_delete || old.inputs["skipDestroy"] == true {
        return None;
    }
    let of_replacement = |change: &Change| {
        let top = change.path.split(['.', '[']).next().unwrap_or_default();
        step.replaced_for
            .iter()
            .any(|key| key == top || *key == change.path)
    };
    let mut because = step.changes();
    if because.iter().any(of_replacement) {
        because.retain(of_replacement);
    }
    let bucket = step.kind == "aws:s3/bucket:Bucket";
    Some(Loss {
        on: step.label(),
        id: old.id.clone(),
        how,
        what: (*what).to_owned(),
        because,
        held_by: match old.protect {
            true => Some("it is protected: the update refuses"),
            // Pulumi asks what the state says, not what the program says now.
            false if bucket && old.inputs["forceDestroy"] != true => Some(
                "S3 refuses as long as there is an object in it, since forceDestroy is not set",
            ),
            false => None,
        },
    })
}

/// Data that is deleted earlier than before.
fn shortened(preview: &Preview, step: &Step) -> Option<Loss> {
    if !matches!(step.op, Op::Create | Op::Update | Op::Replace) {
        return None;
    }
    let (what, name) = match step.kind.as_str() {
        "aws:cloudwatch/logGroup:LogGroup" => ("logs that are older", "retentionInDays"),
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration" => {
            ("objects or old versions that are older", "rules")
        }
        "aws:s3/bucketVersioning:BucketVersioning" => (
            "what is deleted or overwritten from now on",
            "versioningConfiguration",
        ),
        _ => return None,
    };
    // What did not exist has nothing that could expire; a bucket may be older than its rules.
    if step.op == Op::Replace || (step.op == Op::Create && !is_on_what_was_there(preview, step)) {
        return None;
    }
    let (old, new) = (step.old_input(name), step.new_input(name));
    let less = match name {
        "retentionInDays" => days(new) < days(old),
        "rules" => soonest(new) < soonest(old) || any_sooner(old, new),
        _ => old["status"] == "Enabled" && new["status"] != "Enabled",
    };
    less.then(|| Loss {
        on: step.label(),
        id: step
            .old
            .as_ref()
            .map(|state| state.id.clone())
            .unwrap_or_default(),
        how: How::KeptForLess,
        what: what.to_owned(),
        because: step
            .changes()
            .into_iter()
            .filter(|change| change.path.starts_with(name))
            .collect(),
        held_by: None,
    })
}

/// Whether it is a lifecycle that is new on a bucket that is not.
fn is_on_what_was_there(preview: &Preview, step: &Step) -> bool {
    let bucket = step.new_input("bucket");
    let is_new = |other: &Step| {
        matches!(other.op, Op::Create | Op::Replace) && other.new_input("bucket") == bucket
    };
    step.kind.contains("bucketLifecycleConfiguration")
        && !value::is_unknown(bucket)
        && !preview.of_type("aws:s3/bucket:Bucket").any(is_new)
}

/// Days that something is kept; nothing and 0 are forever. What is unknown may be short.
fn days(value: &Value) -> u64 {
    match value.as_f64() {
        Some(days) if days > 0.0 => days as u64,
        _ if value::is_unknown(value) => 0,
        _ => u64::MAX,
    }
}

/// The days after which the first rule deletes something.
fn soonest(rules: &Value) -> u64 {
    let rules = rules.as_array().map(Vec::as_slice).unwrap_or_default();
    let expiries = rules.iter().flat_map(expiries);
    expiries.min().unwrap_or(u64::MAX)
}

fn expiries(rule: &Value) -> [u64; 2] {
    match rule["status"] == "Enabled" {
        true => [
            days(&rule["expiration"]["days"]),
            days(&rule["noncurrentVersionExpiration"]["noncurrentDays"]),
        ],
        false => [u64::MAX; 2],
    }
}

/// Whether a rule of the same name deletes earlier, or a rule is new that deletes.
fn any_sooner(old: &Value, new: &Value) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let before = list(old);
    list(new).iter().any(|rule| {
        let same = before.iter().find(|one| one["id"] == rule["id"]);
        let before = same.map_or([u64::MAX; 2], expiries);
        expiries(rule)
            .iter()
            .zip(before)
            .any(|(now, before)| *now < before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forever_is_longer_than_any_number_of_days() {
        assert!(days(&json!(30)) < days(&json!(90)));
        assert!(days(&json!(3650)) < days(&Value::Null));
        assert_eq!(days(&json!(0)), days(&Value::Null));
    }

    #[test]
    fn a_rule_is_compared_with_the_one_of_its_name() {
        let rule = |id: &str, days: u64| json!({ "id": id, "status": "Enabled", "expiration": { "days": days } });
        let old = json!([rule("a", 10), rule("b", 100)]);
        assert!(any_sooner(&old, &json!([rule("a", 10), rule("b", 50)])));
        assert!(any_sooner(
            &old,
            &json!([rule("a", 10), rule("b", 100), rule("c", 200)])
        ));
        assert!(!any_sooner(&old, &json!([rule("b", 100), rule("a", 20)])));
    }
}
