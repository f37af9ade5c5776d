//! Pulumi's package schema, as far as it is read and written here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Where Pulumi's schema language keeps an archive (`lambda.Function.code`).
pub const ARCHIVE: &str = "pulumi.json#/Archive";
/// Where it keeps an asset (`s3.BucketObjectv2.source`).
pub const ASSET: &str = "pulumi.json#/Asset";

pub type Properties = BTreeMap<String, Property>;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
    pub version: String,
    #[serde(default)]
    pub types: BTreeMap<String, TypeDef>,
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
    #[serde(default)]
    pub functions: BTreeMap<String, Function>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    #[serde(default)]
    pub properties: Properties,
    #[serde(default)]
    pub required: BTreeSet<String>,
    #[serde(default)]
    pub input_properties: Properties,
    #[serde(default)]
    pub required_inputs: BTreeSet<String>,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Function {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Object>,
    #[serde(default)]
    pub outputs: Object,
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Object {
    #[serde(default = "object", rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub properties: Properties,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required: BTreeSet<String>,
}

/// A named type: an object with properties, or an enumeration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TypeDef {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: Properties,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required: BTreeSet<String>,
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<EnumValue>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EnumValue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub value: serde_json::Value,
}

/// What forces a replacement is left out: only one of the two descriptions says it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    #[serde(flatten)]
    pub shape: Shape,
    #[serde(default, skip_serializing)]
    pub deprecation_message: Option<String>,
}

/// The type of a property, an item, or an alternative.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shape {
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(default, rename = "$ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Box<Shape>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_properties: Option<Box<Shape>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub one_of: Vec<Shape>,
    /// What stood here before the mapping of assets and archives (see `trim`).
    #[serde(
        default,
        rename = "x-mapped-from",
        skip_serializing_if = "Option::is_none"
    )]
    pub mapped_from: Option<String>,
}

impl Shape {
    pub fn primitive(kind: &str) -> Self {
        Self {
            kind: Some(kind.to_owned()),
            ..Self::default()
        }
    }

    pub fn array(items: Self) -> Self {
        Self {
            kind: Some("array".to_owned()),
            items: Some(Box::new(items)),
            ..Self::default()
        }
    }

    pub fn map(values: Self) -> Self {
        Self {
            kind: Some("object".to_owned()),
            additional_properties: Some(Box::new(values)),
            ..Self::default()
        }
    }

    pub fn reference(to: impl Into<String>) -> Self {
        Self {
            reference: Some(to.into()),
            ..Self::default()
        }
    }

    pub fn type_token(&self) -> Option<String> {
        let token = self.reference.as_deref()?.strip_prefix("#/types/")?;
        Some(token.replace("%2F", "/"))
    }
}

pub fn type_reference(token: &str) -> String {
    format!("#/types/{token}")
}

fn object() -> String {
    "object".to_owned()
}
