//! Properties that are always the same.
//!
//! Gestalt's generator makes a type of each constant text, writes it in another case than the schema
//! has it, and gives up on other constants. So it does not get to see them: a constant input is an optional
//! one for it, with the constant as its default.

use serde_json::{Map, Value};

/// The schema without constants.
pub fn without(mut schema: Value) -> Value {
    if let Some(provider) = schema.get_mut("provider") {
        free(provider, "inputProperties", "requiredInputs");
        free(provider, "properties", "");
    }
    for (table, properties, required) in [
        ("resources", "inputProperties", "requiredInputs"),
        ("resources", "properties", ""),
        // A nested type has no defaults: what is constant in it has to be said.
        ("types", "properties", ""),
    ] {
        for one in schema.get_mut(table).into_iter().flat_map(values) {
            free(one, properties, required);
        }
    }
    for function in schema.get_mut("functions").into_iter().flat_map(values) {
        for side in ["inputs", "outputs"] {
            if let Some(object) = function.get_mut(side) {
                free(object, "properties", "");
            }
        }
    }
    schema
}

/// Takes constants off the properties of an object, and those off the list of what is required.
fn free(object: &mut Value, properties: &str, required: &str) {
    let mut constant = Vec::new();
    let found = object.get_mut(properties).and_then(Value::as_object_mut);
    for (name, property) in found.into_iter().flatten() {
        let taken = property
            .as_object_mut()
            .and_then(|property| property.remove("const"));
        if taken.is_some() {
            constant.push(name.clone());
        }
    }
    if let Some(names) = object.get_mut(required).and_then(Value::as_array_mut) {
        names.retain(|name| !constant.iter().any(|one| name == one));
    }
}

fn values(table: &mut Value) -> impl Iterator<Item = &mut Value> {
    let table: Option<&mut Map<String, Value>> = table.as_object_mut();
    table
        .into_iter()
        .flat_map(|table| table.iter_mut().map(|(_, value)| value))
}
