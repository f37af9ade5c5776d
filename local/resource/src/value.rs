//! Property values as they travel between the engine and a provider.
//!
//! On the wire everything is a protobuf `Struct`; what JSON cannot say (secrets, unknowns,
//! assets, references to resources) hides in objects with a signature and in well-known strings.
//! Here each is a variant, and plain JSON is what resource types get to see.

use crate::resource::Properties;
use prost_types::{ListValue, Struct, Value as Wire, value::Kind};
use pulumi_protocol::{ARCHIVE, ASSET, OUTPUT, RESOURCE, SECRET, SIGNATURE, UNKNOWN, UNKNOWNS};
use serde_json::{Map, Number, Value as Json};
use std::collections::BTreeMap;
use tonic::Status;

/// Whole numbers up to here are exact in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The properties of a resource, by name.
pub type PropertyMap = BTreeMap<String, Property>;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Property {
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    Array(Vec<Property>),
    Object(PropertyMap),
    /// A value to be known only once the deployment gets there; in previews.
    Unknown,
    /// A value that the engine encrypts and does not show.
    Secret(Box<Property>),
    /// An asset, as its signature map.
    Asset(PropertyMap),
    /// An archive, as its signature map.
    Archive(PropertyMap),
}

impl Property {
    /// The value without its secret mark.
    pub(crate) fn unwrapped(&self) -> &Property {
        match self {
            Self::Secret(inner) => inner.unwrapped(),
            other => other,
        }
    }

    /// The string in it, secret or not.
    pub fn as_str(&self) -> Option<&str> {
        match self.unwrapped() {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The object in it, secret or not.
    pub fn as_object(&self) -> Option<&PropertyMap> {
        match self.unwrapped() {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether it is unknown, or anything in it is.
    pub(crate) fn has_unknowns(&self) -> bool {
        self.any(&|value| matches!(value, Self::Unknown))
    }

    /// Whether it is secret, or anything in it is.
    pub(crate) fn has_secrets(&self) -> bool {
        self.any(&|value| matches!(value, Self::Secret(_)))
    }

    fn any(&self, found: &impl Fn(&Property) -> bool) -> bool {
        found(self)
            || match self {
                Self::Array(items) => items.iter().any(|item| item.any(found)),
                Self::Object(map) | Self::Asset(map) | Self::Archive(map) => {
                    map.values().any(|value| value.any(found))
                }
                Self::Secret(inner) => inner.any(found),
                _ => false,
            }
    }

    /// The value in plain JSON: secrets unwrapped, assets as their signature maps. Nothing for
    /// an unknown; an object lacks its unknown properties, an array its unknown items.
    pub(crate) fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::Unknown => return None,
            Self::Secret(inner) => return inner.to_json(),
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(value) => number_to_json(*value),
            Self::String(text) => Json::String(text.clone()),
            Self::Array(items) => items.iter().filter_map(Self::to_json).collect(),
            Self::Object(map) => Json::Object(to_json(map)),
            Self::Asset(map) => Json::Object(signed(to_json(map), ASSET)),
            Self::Archive(map) => Json::Object(signed(to_json(map), ARCHIVE)),
        })
    }

    /// Plain JSON as a property; signature maps become what they mean.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(value) => Self::Number(value.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::String(text.clone()),
            Json::Array(items) => Self::Array(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => {
                let mut properties = from_json(map);
                match map.get(SIGNATURE).and_then(Json::as_str) {
                    Some(ASSET) => {
                        properties.remove(SIGNATURE);
                        Self::Asset(properties)
                    }
                    Some(ARCHIVE) => {
                        properties.remove(SIGNATURE);
                        Self::Archive(properties)
                    }
                    _ => Self::Object(properties),
                }
            }
        }
    }

    /// The value, secret where `pattern` is: at the same places of objects, and as a whole where
    /// the two differ otherwise, since a service may have put a list into another order.
    pub(crate) fn secret_like(self, pattern: &Property) -> Self {
        match (self, pattern) {
            (Self::Secret(inner), _) => Self::Secret(inner),
            (Self::Object(map), Self::Object(patterns)) => Self::Object(secret_like(map, patterns)),
            (value, pattern) if pattern.has_secrets() => match value.to_json() == pattern.to_json()
            {
                true => pattern.clone(),
                false => Self::Secret(Box::new(value)),
            },
            (value, _) => value,
        }
    }
}

/// The map, secret where `patterns` is.
pub(crate) fn secret_like(map: PropertyMap, patterns: &PropertyMap) -> PropertyMap {
    map.into_iter()
        .map(|(name, value)| match patterns.get(&name) {
            Some(pattern) => (name, value.secret_like(pattern)),
            None => (name, value),
        })
        .collect()
}

/// Properties in plain JSON, without what is unknown.
pub(crate) fn to_json(map: &PropertyMap) -> Properties {
    map.iter()
        .filter_map(|(name, value)| Some((name.clone(), value.to_json()?)))
        .collect()
}

/// Plain JSON as properties.
pub fn from_json(map: &Map<String, Json>) -> PropertyMap {
    map.iter()
        .map(|(name, value)| (name.clone(), Property::from_json(value)))
        .collect()
}

/// Properties from the wire. Properties that are null are absent.
pub fn decode(wire: Option<Struct>) -> Result<PropertyMap, Status> {
    let mut map = PropertyMap::new();
    for (name, value) in wire.unwrap_or_default().fields {
        let value = decode_value(value)
            .map_err(|problem| Status::invalid_argument(format!("property {name}: {problem}")))?;
        if value != Property::Null {
            map.insert(name, value);
        }
    }
    Ok(map)
}

/// Properties for the wire.
pub fn encode(map: PropertyMap) -> Struct {
    Struct {
        fields: map
            .into_iter()
            .map(|(name, value)| (name, encode_value(value)))
            .collect(),
    }
}

fn decode_value(wire: Wire) -> Result<Property, String> {
    Ok(match wire.kind {
        None | Some(Kind::NullValue(_)) => Property::Null,
        Some(Kind::BoolValue(value)) => Property::Bool(value),
        Some(Kind::NumberValue(value)) => Property::Number(value),
        Some(Kind::StringValue(text)) if UNKNOWNS.contains(&text.as_str()) => Property::Unknown,
        Some(Kind::StringValue(text)) => Property::String(text),
        Some(Kind::ListValue(list)) => {
            let items = list.values.into_iter().map(decode_value);
            Property::Array(items.collect::<Result<_, _>>()?)
        }
        Some(Kind::StructValue(fields)) => decode_object(fields)?,
    })
}

fn decode_object(wire: Struct) -> Result<Property, String> {
    let mut map = PropertyMap::new();
    for (name, value) in wire.fields {
        let value = decode_value(value)?;
        if value != Property::Null {
            map.insert(name, value);
        }
    }
    let Some(signature) = map.remove(SIGNATURE) else {
        return Ok(Property::Object(map));
    };
    match signature.as_str().unwrap_or_default() {
        // A secret null is no value at all.
        SECRET => Ok(match map.remove("value") {
            None => Property::Null,
            Some(value) => Property::Secret(Box::new(value.unwrapped().clone())),
        }),
        ASSET => Ok(Property::Asset(map)),
        ARCHIVE => Ok(Property::Archive(map)),
        // What a property takes from a resource is its id.
        RESOURCE => {
            let id = map.remove("id").or_else(|| map.remove("urn"));
            id.ok_or_else(|| "a resource reference without id and URN".to_owned())
        }
        OUTPUT => {
            let value = map.remove("value").unwrap_or(Property::Unknown);
            Ok(match map.get("secret") {
                Some(Property::Bool(true)) => Property::Secret(Box::new(value)),
                _ => value,
            })
        }
        other => Err(format!("values with signature '{other}' are not supported")),
    }
}

fn encode_value(value: Property) -> Wire {
    let kind = match value {
        Property::Null => Kind::NullValue(0),
        Property::Bool(value) => Kind::BoolValue(value),
        Property::Number(value) => Kind::NumberValue(value),
        Property::String(text) => Kind::StringValue(text),
        Property::Unknown => Kind::StringValue(UNKNOWN.to_owned()),
        Property::Array(items) => Kind::ListValue(ListValue {
            values: items.into_iter().map(encode_value).collect(),
        }),
        Property::Object(map) => Kind::StructValue(encode(map)),
        Property::Secret(inner) => {
            let value = PropertyMap::from([("value".to_owned(), *inner)]);
            Kind::StructValue(encode_signed(value, SECRET))
        }
        Property::Asset(map) => Kind::StructValue(encode_signed(map, ASSET)),
        Property::Archive(map) => Kind::StructValue(encode_signed(map, ARCHIVE)),
    };
    Wire { kind: Some(kind) }
}

fn encode_signed(mut map: PropertyMap, signature: &str) -> Struct {
    map.insert(SIGNATURE.to_owned(), Property::String(signature.to_owned()));
    encode(map)
}

fn signed(mut map: Properties, signature: &str) -> Properties {
    map.insert(SIGNATURE.to_owned(), Json::String(signature.to_owned()));
    map
}

/// Whole numbers become JSON integers, which is what types with integers deserialise.
fn number_to_json(value: f64) -> Json {
    if value.fract() == 0.0 && value.abs() <= EXACT {
        // In range, as was just seen.
        #[allow(clippy::cast_possible_truncation)]
        return Json::from(value as i64);
    }
    Number::from_f64(value).map_or(Json::Null, Json::Number)
}
