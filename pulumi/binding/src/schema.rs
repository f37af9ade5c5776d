//! Pulumi's package schema, as far as it says more than types:
//! <https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/>.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    pub name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default, rename = "pluginDownloadURL")]
    pub plugin_download_url: String,
    #[serde(default)]
    pub parameterization: Option<Parameterization>,
    #[serde(default)]
    pub provider: Resource,
    #[serde(default)]
    pub resources: BTreeMap<String, Resource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameterization {
    pub base_provider: BaseProvider,
    /// Base64.
    #[serde(default)]
    pub parameter: String,
}

#[derive(Debug, Deserialize)]
pub struct BaseProvider {
    pub name: String,
    pub version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resource {
    #[serde(default)]
    pub properties: BTreeMap<String, Property>,
    #[serde(default)]
    pub input_properties: BTreeMap<String, Property>,
    #[serde(default)]
    pub aliases: Vec<Alias>,
    #[serde(default)]
    pub deprecation_message: Option<String>,
}

/// A former identity; only types are in schemas.
#[derive(Debug, Deserialize)]
pub struct Alias {
    #[serde(default)]
    pub r#type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    #[serde(default)]
    pub secret: bool,
    #[serde(default)]
    pub replace_on_changes: bool,
    #[serde(default)]
    pub default: Option<Value>,
    #[serde(default, rename = "const")]
    pub constant: Option<Value>,
    #[serde(default)]
    pub default_info: Option<DefaultInfo>,
}

#[derive(Debug, Deserialize)]
pub struct DefaultInfo {
    #[serde(default)]
    pub environment: Vec<String>,
}
