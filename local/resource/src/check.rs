//! Checks inputs before they are used: fills in what the program leaves open, and refuses what AWS
//! would refuse.

use crate::naming::{self, Proposal};
use crate::package::{Declared, ProviderPackage};
use crate::resource::{New, Refusal};
use crate::settings::{ProviderSettings, wrong_region};
use crate::value::{Property, PropertyMap, to_json};
use pulumi_gestalt_proto::pulumi::pulumirpc::CheckFailure;

/// The inputs of a resource, completed, and everything that is wrong with them.
pub(crate) fn check(
    package: &ProviderPackage,
    declared: Declared<'_>,
    settings: &ProviderSettings,
    new: &New,
    proposal: &Proposal,
    old: &PropertyMap,
    mut inputs: PropertyMap,
) -> (PropertyMap, Vec<Refusal>) {
    let mut refusals = Vec::new();
    if let Err(refusal) = naming::name(declared, new, proposal, old, &mut inputs) {
        refusals.push(refusal);
    }
    let taggable = declared.schema.input_properties.contains_key("tags");
    if taggable && !settings.default_tags.is_empty() {
        // As the real provider does it: default tags are inputs, and a change of them shows.
        let tags = settings.tags(inputs.get("tags"));
        inputs.insert("tags".to_owned(), tags);
    }
    // Inputs that a read wrote into the state, and that the program leaves as they are
    // (`ignoreChanges`), come back here. The program has not set them, so they are no reason to
    // refuse it.
    let mut set = inputs.clone();
    set.retain(|name, value| {
        declared.schema.input_properties.contains_key(name) || old.get(name) != Some(value)
    });
    refusals.extend(package.schema().check(declared.schema, &set));
    if let Some(region) = inputs.get("region").and_then(Property::as_str) {
        refusals.extend(wrong_region(region).map(|reason| Refusal::new("region", reason)));
    }
    // A type's own rules speak of whole inputs of the right shape.
    if refusals.is_empty() && !inputs.values().any(Property::has_unknowns) {
        refusals = declared.of.validate(&to_json(&inputs));
    }
    (inputs, refusals)
}

/// Why a type is not known, and what is.
pub(crate) fn unknown_type(package: &ProviderPackage, token: &str) -> String {
    let known: Vec<&str> = package.tokens().collect();
    let hint = match crate::schema::nearest(token, package.tokens()) {
        Some(nearest) => format!("did you mean {nearest}? It"),
        None => "it".to_owned(),
    };
    format!(
        "the embedded cloud does not know {token}: {hint} knows {}",
        known.join(", ")
    )
}

/// Refusals for the engine.
///
/// It prints a failure's property together with the property's value, which shows `{<nil>}` for
/// anything but a plain input, and too much for a secret. In these cases the reason names the path
/// instead.
pub(crate) fn failures(refusals: Vec<Refusal>, inputs: &PropertyMap) -> Vec<CheckFailure> {
    refusals
        .into_iter()
        .map(|Refusal { property, reason }| match inputs.get(&property) {
            Some(Property::Bool(_) | Property::Number(_) | Property::String(_)) => {
                CheckFailure { property, reason }
            }
            _ if property.is_empty() => CheckFailure { property, reason },
            _ => CheckFailure {
                property: String::new(),
                reason: format!("{property}: {reason}"),
            },
        })
        .collect()
}
