//! What visitors of the site and clients of the API see: answers, files, how long they are cached,
//! and addresses.

use std::collections::BTreeMap;

use crate::Finding;
use crate::access;
use crate::changes::Change;
use crate::preview::{Op, Preview, Step};
use crate::value;

const OBJECT: &str = "aws:s3/bucketObjectv2:BucketObjectv2";

/// Types of which everything that changes is seen by a client, with what they are for one.
const ANSWERS: [(&str, &str); 9] = [
    (
        "aws:apigateway/integrationResponse:IntegrationResponse",
        "an answer of the API",
    ),
    (
        "aws:apigateway/methodResponse:MethodResponse",
        "an answer of the API",
    ),
    (
        "aws:apigateway/response:Response",
        "an answer of the API to what it refuses",
    ),
    ("aws:apigateway/model:Model", "what the API takes"),
    ("aws:apigateway/resource:Resource", "a path of the API"),
    (
        "aws:cloudfront/cachePolicy:CachePolicy",
        "how long the site is cached",
    ),
    (
        "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
        "headers of the site",
    ),
    ("aws:cloudfront/distribution:Distribution", "the site"),
    ("aws:cloudfront/function:Function", "the site"),
];

/// What is seen of a change.
pub fn of(preview: &Preview) -> Vec<Finding> {
    let mut findings = addresses(preview);
    findings.extend(together(preview.changed().flat_map(answer)));
    findings.extend(files(preview));
    findings
}

/// What is said of several resources alike is said once.
fn together(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::new();
    for finding in findings {
        match merged.iter_mut().find(|known| known.says == finding.says) {
            Some(known) => known.on = format!("{}, {}", known.on, finding.on),
            None => merged.push(finding),
        }
    }
    merged
}

/// Whether this section shows the changes of a type.
pub fn tells(kind: &str) -> bool {
    kind == OBJECT || ANSWERS.iter().any(|(name, _)| *name == kind)
}

/// The outputs of the stack that are addresses.
fn addresses(preview: &Preview) -> Vec<Finding> {
    let stacks = preview.steps.iter().filter(|step| step.is_stack());
    let changes = stacks.flat_map(|step| {
        let outputs = |state: &Option<crate::preview::ResourceState>| {
            state
                .as_ref()
                .map(|state| state.outputs.clone())
                .unwrap_or_default()
        };
        match step.op {
            // There was nothing that anybody could know the address of.
            Op::Create => Vec::new(),
            Op::Delete => crate::changes::between(&outputs(&step.old), &serde_json::Value::Null),
            _ => crate::changes::between(&outputs(&step.old), &outputs(&step.new)),
        }
    });
    let is_address = |change: &Change| {
        let name = change.path.to_lowercase();
        name.ends_with("url") || name.ends_with("endpoint") || name.contains("cloneurl")
    };
    let addresses = changes.filter(is_address);
    addresses
        .map(|change| Finding::new("Address", change.to_string()))
        .collect()
}

fn answer(step: &Step) -> Vec<Finding> {
    let Some((_, what)) = ANSWERS.iter().find(|(kind, _)| *kind == step.kind) else {
        return Vec::new();
    };
    let told = |says: &str| vec![Finding::new(step.label(), format!("{what} {says}"))];
    match step.op {
        Op::Same => Vec::new(),
        Op::Create => told("is new"),
        Op::Delete | Op::Forget => told("is gone"),
        Op::Update | Op::Replace => {
            let changes = access::untold(step);
            let said = changes.iter().filter(|change| !is_reference(change));
            said.map(|change| Finding::new(step.label(), change.to_string()))
                .collect()
        }
    }
}

/// An id of another resource, which no client sees.
fn is_reference(change: &Change) -> bool {
    let name = change.path.rsplit('.').next().unwrap_or_default();
    ["restApi", "resourceId", "parentId"].contains(&name) || name.ends_with("Id")
}

/// The files of a bucket: which are new, other or gone, and what else is said of them.
fn files(preview: &Preview) -> Vec<Finding> {
    let mut by_verb: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    let mut findings = Vec::new();
    for step in preview.changed().filter(|step| step.kind == OBJECT) {
        let key = value::show(step.current("key"))
            .trim_matches('"')
            .to_owned();
        let verb = match step.op {
            Op::Create => "new",
            Op::Delete | Op::Forget => "gone",
            _ => {
                let (content, others): (Vec<Change>, Vec<Change>) =
                    step.changes().into_iter().partition(is_content);
                for change in others.iter().filter(|change| change.path != "bucket") {
                    findings.push(Finding::new(&key, change.to_string()));
                }
                // The settings of the site are a document of which each line is for itself.
                let lines = content.iter().filter(|change| change.path.contains('.'));
                let lines: Vec<&Change> = lines.collect();
                for line in &lines {
                    findings.push(Finding::new(&key, line.to_string()));
                }
                match content.len() > lines.len() {
                    true => "changed",
                    false => continue,
                }
            }
        };
        by_verb.entry((step.part(), verb)).or_default().push(key);
    }
    let groups = by_verb.into_iter().map(|((part, verb), keys)| {
        let count = match keys.len() {
            1 => "1 file".to_owned(),
            many => format!("{many} files"),
        };
        Finding::new(
            format!("Files of {part}"),
            format!("{count} {verb}: {}", keys.join(", ")),
        )
    });
    groups.chain(findings).collect()
}

fn is_content(change: &Change) -> bool {
    let top = change.path.split(['.', '[']).next().unwrap_or_default();
    ["content", "contentBase64", "source", "sourceHash", "etag"].contains(&top)
}
