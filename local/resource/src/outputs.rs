//! The outputs of a resource as the engine gets them: its inputs, and what the cloud computed.

use crate::package::Declared;
use crate::resource::{Properties, Resource};
use crate::settings::ProviderSettings;
use crate::value::{Property, PropertyMap, from_json, secret_like};

/// The outputs of a resource that is deployed. What was secret on its way in is secret on its
/// way out.
pub(crate) fn deployed(
    declared: Declared<'_>,
    inputs: &PropertyMap,
    resource: &Resource<Properties>,
) -> PropertyMap {
    let mut outputs = public(inputs);
    for (name, value) in from_json(&resource.outputs) {
        if value != Property::Null {
            outputs.insert(name, value);
        }
    }
    mark_secrets(declared, inputs, outputs)
}

/// The outputs that a preview can promise. Computed outputs are unknown at a creation; an update
/// keeps most of them.
pub(crate) fn promised(
    declared: Declared<'_>,
    inputs: &PropertyMap,
    old: Option<(&PropertyMap, &PropertyMap)>,
) -> PropertyMap {
    let schema = declared.schema;
    let mut outputs = public(inputs);
    for name in schema.properties.keys() {
        if outputs.contains_key(name) {
            continue;
        }
        let is_input = schema.input_properties.contains_key(name);
        if schema.required.contains(name) || !is_input {
            outputs.insert(name.clone(), Property::Unknown);
        }
    }
    if let Some((old_inputs, old_outputs)) = old {
        let volatile = declared.of.changes_on_update();
        for (name, value) in old_outputs {
            let given_before = old_inputs.contains_key(name);
            let given_now = inputs.contains_key(name);
            if !given_before && !given_now && !volatile.contains(&name.as_str()) {
                outputs.insert(name.clone(), value.clone());
            }
        }
    }
    if let Some(tags) = all_tags(declared, inputs) {
        outputs.insert("tagsAll".to_owned(), tags);
    }
    mark_secrets(declared, inputs, outputs)
}

/// `tagsAll` of a resource, for types that can have tags. The provider's default tags are
/// among the inputs since these were checked.
pub(crate) fn all_tags(declared: Declared<'_>, inputs: &PropertyMap) -> Option<Property> {
    let taggable = declared.schema.input_properties.contains_key("tags");
    let tags = inputs.get("tags").cloned();
    taggable.then(|| tags.unwrap_or_else(|| Property::Object(PropertyMap::new())))
}

/// The region of a resource: its own, or its provider's.
pub(crate) fn region<'a>(
    declared: Declared<'_>,
    settings: &'a ProviderSettings,
    inputs: &'a PropertyMap,
) -> &'a str {
    let own = declared
        .schema
        .input_properties
        .contains_key("region")
        .then(|| inputs.get("region").and_then(Property::as_str))
        .flatten();
    own.unwrap_or(&settings.region)
}

/// The region of a resource that is deployed.
pub(crate) fn deployed_region(
    declared: Declared<'_>,
    settings: &ProviderSettings,
    inputs: &PropertyMap,
    outputs: &PropertyMap,
) -> String {
    let recorded = outputs.get("region").and_then(Property::as_str);
    recorded
        .unwrap_or_else(|| region(declared, settings, inputs))
        .to_owned()
}

/// Without the provider's own notes.
pub(crate) fn public(inputs: &PropertyMap) -> PropertyMap {
    inputs
        .iter()
        .filter(|(name, _)| !name.starts_with("__"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn mark_secrets(declared: Declared<'_>, inputs: &PropertyMap, outputs: PropertyMap) -> PropertyMap {
    let mut outputs = secret_like(outputs, inputs);
    if let Some(tags) = inputs.get("tags")
        && let Some(all) = outputs.remove("tagsAll")
    {
        outputs.insert("tagsAll".to_owned(), all.secret_like(tags));
    }
    for (name, property) in &declared.schema.properties {
        if property.secret
            && let Some(value) = outputs.remove(name)
        {
            let secret = Property::Secret(Box::new(value.unwrapped().clone()));
            outputs.insert(name.clone(), secret);
        }
    }
    outputs
}
