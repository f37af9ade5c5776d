//! Values as JSON, with a marker for what JSON cannot say.
//!
//! | value | marker |
//! | --- | --- |
//! | a secret | `{"$secret": VALUE}` |
//! | not known before the update | `{"$unknown": true}` |
//! | a file | `{"$fileAsset": PATH}` |
//! | a file's text | `{"$stringAsset": TEXT}` |
//! | an archive | `{"$fileArchive": PATH}` |
//! | one of these at an address | `{"$remoteAsset": URI}`, `{"$remoteArchive": URI}` |
//! | an archive that the program puts together | `{"$assetArchive": {NAME: ASSET OR ARCHIVE}}` |

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as Wire};
use serde_json::{Map, Value, json};

pub(crate) const UNKNOWN: &str = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE: &str = "4dabf18193072939515e22adb298388d";
const SECRET: &str = "1b47061264138c4ac30d75fd1eb44270";
const ASSET: &str = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE: &str = "0def7320c3a5731c473e5ecbe6d01bc7";

pub fn secret(value: impl Into<Value>) -> Value {
    json!({ "$secret": value.into() })
}

pub fn unknown() -> Value {
    json!({ "$unknown": true })
}

pub fn file_asset(path: &str) -> Value {
    json!({ "$fileAsset": path })
}

pub fn string_asset(text: &str) -> Value {
    json!({ "$stringAsset": text })
}

pub fn file_archive(path: &str) -> Value {
    json!({ "$fileArchive": path })
}

pub fn remote_asset(uri: &str) -> Value {
    json!({ "$remoteAsset": uri })
}

pub fn remote_archive(uri: &str) -> Value {
    json!({ "$remoteArchive": uri })
}

/// `assets` is an object.
pub fn asset_archive(assets: Value) -> Value {
    json!({ "$assetArchive": assets })
}

pub(crate) fn from_struct(object: Struct) -> Value {
    Value::Object(
        object
            .fields
            .into_iter()
            .map(|(name, value)| (name, from_wire(value)))
            .collect(),
    )
}

pub(crate) fn to_struct(object: &Map<String, Value>) -> Struct {
    Struct {
        fields: object
            .iter()
            .map(|(name, value)| (name.clone(), to_wire(value)))
            .collect(),
    }
}

pub(crate) fn from_wire(value: Wire) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => value.into(),
        // What is whole compares equal to a whole number in a test.
        Some(Kind::NumberValue(value)) if value.fract() == 0.0 && value.abs() < 2f64.powi(53) => {
            (value as i64).into()
        }
        Some(Kind::NumberValue(value)) => value.into(),
        Some(Kind::StringValue(value)) if value == UNKNOWN => unknown(),
        Some(Kind::StringValue(value)) => value.into(),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(from_wire).collect(),
        Some(Kind::StructValue(object)) => from_signed(from_struct(object)),
    }
}

fn from_signed(object: Value) -> Value {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    match text(SIGNATURE) {
        Some(SECRET) => secret(object["value"].clone()),
        Some(ASSET) => {
            let file = text("path").map(file_asset);
            let string = || text("text").map(string_asset);
            let remote = || text("uri").map(remote_asset);
            file.or_else(string).or_else(remote).unwrap_or(object)
        }
        Some(ARCHIVE) => {
            let file = text("path").map(file_archive);
            let remote = || text("uri").map(remote_archive);
            let assets = || object.get("assets").cloned().map(asset_archive);
            file.or_else(remote).or_else(assets).unwrap_or(object)
        }
        _ => object,
    }
}

fn to_wire(value: &Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or(f64::NAN)),
        Value::String(value) => Kind::StringValue(value.clone()),
        Value::Array(values) => Kind::ListValue(ListValue {
            values: values.iter().map(to_wire).collect(),
        }),
        Value::Object(object) => return to_signed(object),
    };
    Wire { kind: Some(kind) }
}

fn to_signed(object: &Map<String, Value>) -> Wire {
    let signed = |signature: &str, key: &str, value: &Value| {
        let object = Map::from_iter([
            (SIGNATURE.to_owned(), signature.into()),
            (key.to_owned(), value.clone()),
        ]);
        Kind::StructValue(to_struct(&object))
    };
    let mut entries = object.iter();
    let kind = match (entries.next(), entries.next()) {
        (Some((marker, value)), None) => match marker.as_str() {
            "$secret" => signed(SECRET, "value", value),
            "$unknown" => Kind::StringValue(UNKNOWN.to_owned()),
            "$fileAsset" => signed(ASSET, "path", value),
            "$stringAsset" => signed(ASSET, "text", value),
            "$fileArchive" => signed(ARCHIVE, "path", value),
            "$remoteAsset" => signed(ASSET, "uri", value),
            "$remoteArchive" => signed(ARCHIVE, "uri", value),
            "$assetArchive" => signed(ARCHIVE, "assets", value),
            _ => Kind::StructValue(to_struct(object)),
        },
        _ => Kind::StructValue(to_struct(object)),
    };
    Wire { kind: Some(kind) }
}
