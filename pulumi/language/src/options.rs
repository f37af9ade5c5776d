//! Protobuf's dynamic values as JSON.

use prost_types::{Struct, value::Kind};
use serde_json::Value;

/// The options of a project file.
pub fn to_json(options: &Struct) -> Value {
    let fields = options.fields.iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.clone(), value_to_json(value)))
            .collect(),
    )
}

fn value_to_json(value: &prost_types::Value) -> Value {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(*value),
        Some(Kind::NumberValue(value)) => Value::from(*value),
        Some(Kind::StringValue(value)) => Value::String(value.clone()),
        Some(Kind::ListValue(list)) => list.values.iter().map(value_to_json).collect(),
        Some(Kind::StructValue(fields)) => to_json(fields),
    }
}
