//! The engine's events, as steps from an old to a new state.
//!
//! `pulumi preview --json` and `pulumi refresh --preview-only --json` print one event a line when
//! `PULUMI_ENABLE_STREAMING_JSON_PREVIEW` is set, with every resource, also unchanged ones. Without
//! it their output lacks the result of a refresh.

use pulumi_protocol::{STACK_TYPE, urn};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::changes::{self, Change};

/// What the engine would do.
#[derive(Debug, Default)]
pub struct Preview {
    /// One for each resource, in the order of their URNs.
    pub steps: Vec<Step>,
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
}

/// What becomes of a resource.
#[derive(Debug)]
pub struct Step {
    pub op: Op,
    pub urn: String,
    /// Such as `aws:s3/bucket:Bucket`.
    pub kind: String,
    pub old: Option<ResourceState>,
    pub new: Option<ResourceState>,
    /// The properties for which it is replaced.
    pub replaced_for: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Same,
    Create,
    Update,
    Replace,
    Delete,
    /// It is no longer in the state, and stays where it is.
    Forget,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceState {
    #[serde(default)]
    pub custom: bool,
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub protect: bool,
    #[serde(default)]
    pub retain_on_delete: bool,
    #[serde(default)]
    pub inputs: Value,
    #[serde(default)]
    pub outputs: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    diagnostic_event: Option<Diagnostic>,
    resource_pre_event: Option<OfResource>,
    res_outputs_event: Option<OfResource>,
    error_event: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Diagnostic {
    #[serde(default)]
    message: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    ephemeral: bool,
}

#[derive(Deserialize)]
struct OfResource {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    op: String,
    urn: String,
    #[serde(rename = "type")]
    kind: String,
    old: Option<ResourceState>,
    new: Option<ResourceState>,
    #[serde(default)]
    keys: Option<Vec<String>>,
}

/// The output is no list of the engine's events.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the preview is no event of the engine: {reason}")]
pub struct NotAnEvent {
    line: usize,
    reason: serde_json::Error,
}

impl Preview {
    /// Reads the events, an object of JSON in each line.
    ///
    /// # Errors
    /// When a line is none.
    pub fn parse(lines: &str) -> Result<Self, NotAnEvent> {
        let mut preview = Self::default();
        let mut places = BTreeMap::new();
        for (index, line) in lines.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let event: Event = serde_json::from_str(line).map_err(|reason| NotAnEvent {
                line: index + 1,
                reason,
            })?;
            preview.take(event, &mut places);
        }
        // The engine meets them in another order each time, and two reviews of the same are the same.
        preview.steps.sort_by(|one, other| one.urn.cmp(&other.urn));
        Ok(preview)
    }

    fn take(&mut self, event: Event, places: &mut BTreeMap<String, usize>) {
        if let Some(said) = event.diagnostic_event
            && !said.ephemeral
        {
            let text = plain(&said.message);
            match said.severity.as_str() {
                "error" => self.errors.push(text),
                "warning" => self.warnings.push(text),
                _ => {}
            }
        }
        if let Some(failure) = event.error_event {
            self.errors.push(plain(&failure.error));
        }
        let met = event.resource_pre_event.or(event.res_outputs_event);
        let Some(metadata) = met.map(|event| event.metadata) else {
            return;
        };
        let Some(op) = Op::of(&metadata.op) else {
            return;
        };
        let step = Step {
            op,
            kind: metadata.kind,
            old: metadata.old,
            new: metadata.new,
            replaced_for: metadata.keys.unwrap_or_default(),
            urn: metadata.urn.clone(),
        };
        match places.get(&metadata.urn) {
            // The later event knows more: what a refresh has found, and outputs.
            Some(&place) => {
                if let Some(known) = self.steps.get_mut(place) {
                    known.learn(step);
                }
            }
            None => {
                places.insert(metadata.urn, self.steps.len());
                self.steps.push(step);
            }
        }
    }

    /// The steps that change something.
    pub fn changed(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.op != Op::Same)
    }

    /// The steps of resources of a type.
    pub fn of_type<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Step> {
        self.steps.iter().filter(move |step| step.kind == kind)
    }
}

impl Op {
    /// The engine's names for what it does; a replacement is three steps, of which the middle one
    /// has both states.
    fn of(name: &str) -> Option<Self> {
        match name {
            "same" | "refresh" | "read" => Some(Self::Same),
            "create" | "import" => Some(Self::Create),
            "update" => Some(Self::Update),
            "replace" | "import-replacement" | "read-replacement" => Some(Self::Replace),
            "delete" => Some(Self::Delete),
            "discard" | "read-discard" => Some(Self::Forget),
            _ => None,
        }
    }
}

impl Step {
    fn learn(&mut self, later: Self) {
        if self.op == Op::Same || later.op != Op::Same {
            self.op = later.op;
        }
        self.old = later.old.or(self.old.take());
        self.new = later.new.or(self.new.take());
        if !later.replaced_for.is_empty() {
            self.replaced_for = later.replaced_for;
        }
    }

    /// The name that the program gives it.
    pub fn name(&self) -> &str {
        urn::parse(&self.urn).map_or(&self.urn, |parts| parts.name)
    }

    /// The type without package and module, and the name: `Bucket mysfits-clicks`.
    pub fn label(&self) -> String {
        let kind = self.kind.rsplit(':').next().unwrap_or(&self.kind);
        format!("{kind} {}", self.name())
    }

    /// The part of the stack that it belongs to: its outermost component.
    pub fn part(&self) -> &str {
        match urn::parse(&self.urn).and_then(|parts| parts.outermost_type()) {
            Some(outermost) => outermost.rsplit(':').next().unwrap_or(outermost),
            None if self.is_stack() => "outputs",
            None => "stack",
        }
    }

    pub fn is_stack(&self) -> bool {
        self.kind == STACK_TYPE
    }

    /// An input before; null when there was none.
    pub fn old_input(&self, name: &str) -> &Value {
        self.old
            .as_ref()
            .map_or(&Value::Null, |state| &state.inputs[name])
    }

    /// An input afterwards; null when there is none.
    pub fn new_input(&self, name: &str) -> &Value {
        let gone = matches!(self.op, Op::Delete | Op::Forget);
        let state = self.new.as_ref().filter(|_| !gone);
        state.map_or(&Value::Null, |state| &state.inputs[name])
    }

    /// What is known of a property now: what AWS says, or else what was asked for.
    pub fn current(&self, name: &str) -> &Value {
        let state = self.old.as_ref().or(self.new.as_ref());
        state.map_or(&Value::Null, |state| match &state.outputs[name] {
            Value::Null => &state.inputs[name],
            known => known,
        })
    }

    /// Every property that changes: inputs, or what was found to be otherwise where those are the
    /// same.
    pub fn changes(&self) -> Vec<Change> {
        let (Some(old), Some(new)) = (&self.old, &self.new) else {
            return Vec::new();
        };
        if matches!(self.op, Op::Same | Op::Delete | Op::Forget) {
            return Vec::new();
        }
        let inputs = changes::between(&old.inputs, &new.inputs);
        match inputs.is_empty() {
            true => changes::between(&old.outputs, &new.outputs),
            false => inputs,
        }
    }
}

/// The text without the engine's marks for colours, such as `<{%reset%}>`.
fn plain(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once("<{%") {
        plain += before;
        rest = after.split_once("%}>").map_or("", |(_, rest)| rest);
    }
    plain += rest;
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(urn: &str, kind: &str) -> Step {
        Step {
            op: Op::Same,
            urn: urn.to_owned(),
            kind: kind.to_owned(),
            old: None,
            new: None,
            replaced_for: Vec::new(),
        }
    }

    #[test]
    fn parts_and_names_are_in_the_urn() {
        let kind = "aws:s3/bucketObjectv2:BucketObjectv2";
        let object = step(
            &format!(
                "urn:pulumi:dev::mysfits::mysfits:index:Site$mysfits:index:Files${kind}::a::b"
            ),
            kind,
        );
        assert_eq!(object.part(), "Site");
        assert_eq!(object.label(), "BucketObjectv2 a::b");
        let topic = step(
            "urn:pulumi:dev::mysfits::aws:sns/topic:Topic::t",
            "aws:sns/topic:Topic",
        );
        assert_eq!(topic.part(), "stack");
    }

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("<{%reset%}>a <{%bold%}>b<{%reset%}>\n"), "a b");
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        let error = Preview::parse("{}\nerror: no stack\n")
            .err()
            .map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.starts_with("line 2")));
    }
}
