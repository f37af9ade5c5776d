//! Pulumi's package schema, as far as it is read and written here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where Pulumi's schema language keeps an archive (`lambda.Function.code`).
pub const ARCHIVE: &str = "pulumi.json#/Archive";
/// Where it keeps an asset (`s3.BucketObjectv2.source`).
pub const ASSET: &str = "pulumi.json#/Asset";

pub type Properties = BTreeMap<String, Property>;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PackageSpec {
    pub name: String,
    pub version: String,
    /// Where the plugin is, unless where Pulumi keeps its own.
    #[serde(
        default,
        rename = "pluginDownloadURL",
        skip_serializing_if = "String::is_empty"
    )]
    pub plugin_download_url: String,
    /// How another package makes this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameterization: Option<Parameterization>,
    /// The provider itself, as a resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Resource>,
    #[serde(default)]
    pub types: BTreeMap<String, TypeDef>,
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
    #[serde(default)]
    pub functions: BTreeMap<String, Function>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameterization {
    pub base_provider: BaseProvider,
    /// Base64.
    #[serde(default)]
    pub parameter: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseProvider {
    pub name: String,
    pub version: String,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<Alias>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecation_message: Option<String>,
}

/// What a resource was; schemas say types alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    pub r#type: String,
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
    pub value: Value,
}

/// `willReplaceOnChanges` is left out, because only one of the two descriptions has it.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    #[serde(flatten)]
    pub shape: Shape,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// The engine replaces the resource when it changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace_on_changes: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_info: Option<DefaultInfo>,
    #[serde(default, rename = "const", skip_serializing_if = "Option::is_none")]
    pub constant: Option<Value>,
    #[serde(default, skip_serializing)]
    pub deprecation_message: Option<String>,
}

/// Where a default is looked for first.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultInfo {
    #[serde(default)]
    pub environment: Vec<String>,
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
    /// What was here before the mapping of assets and archives (see `trim`).
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
