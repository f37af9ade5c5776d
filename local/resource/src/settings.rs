//! The provider's configuration: `aws:region`, `aws:defaultTags` and the like.

use crate::resource::Refusal;
use crate::schema::no_such;
use crate::value::{Property, PropertyMap};
use cloud_core::identity::{ACCOUNT_ID, DEFAULT_REGION};
use regex_lite::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What the embedded cloud does with a setting of the aws provider.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It is honoured.
    Honoured,
    /// It says how AWS is reached and proven to be reached, which needs nothing here.
    Moot,
    /// It would make the same program do something else than it does on AWS.
    Refused,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Flag,
    Count,
    List,
    Object,
}

/// All settings of the provider, from the aws package 7.48.0 (`ProviderArgs`).
const SETTINGS: &[(&str, Shape, Use)] = &[
    ("accessKey", Shape::Text, Use::Moot),
    ("allowedAccountIds", Shape::List, Use::Honoured),
    ("assumeRoleWithWebIdentity", Shape::Object, Use::Refused),
    ("assumeRoles", Shape::List, Use::Refused),
    ("customCaBundle", Shape::Text, Use::Moot),
    ("defaultTags", Shape::Object, Use::Honoured),
    ("ec2MetadataServiceEndpoint", Shape::Text, Use::Moot),
    ("ec2MetadataServiceEndpointMode", Shape::Text, Use::Moot),
    ("endpoints", Shape::List, Use::Refused),
    ("forbiddenAccountIds", Shape::List, Use::Honoured),
    ("httpProxy", Shape::Text, Use::Moot),
    ("httpsProxy", Shape::Text, Use::Moot),
    ("ignoreTags", Shape::Object, Use::Refused),
    ("insecure", Shape::Flag, Use::Moot),
    ("maxRetries", Shape::Count, Use::Moot),
    ("noProxy", Shape::Text, Use::Moot),
    ("profile", Shape::Text, Use::Moot),
    ("region", Shape::Text, Use::Honoured),
    ("retryMode", Shape::Text, Use::Moot),
    ("s3UsEast1RegionalEndpoint", Shape::Text, Use::Moot),
    ("s3UsePathStyle", Shape::Flag, Use::Moot),
    ("secretKey", Shape::Text, Use::Moot),
    ("sharedConfigFiles", Shape::List, Use::Moot),
    ("sharedCredentialsFiles", Shape::List, Use::Moot),
    ("skipCredentialsValidation", Shape::Flag, Use::Moot),
    ("skipMetadataApiCheck", Shape::Flag, Use::Moot),
    ("skipRegionValidation", Shape::Flag, Use::Moot),
    ("skipRequestingAccountId", Shape::Flag, Use::Moot),
    ("stsRegion", Shape::Text, Use::Moot),
    ("tagPolicyCompliance", Shape::Text, Use::Refused),
    ("token", Shape::Text, Use::Moot),
    ("tokenBucketRateLimiterCapacity", Shape::Count, Use::Moot),
    ("useDualstackEndpoint", Shape::Flag, Use::Moot),
    ("useFipsEndpoint", Shape::Flag, Use::Moot),
    ("userAgents", Shape::List, Use::Moot),
];

/// The engine's own keys among the settings.
const ENGINE_KEYS: [&str; 2] = ["version", "pluginDownloadURL"];

static REGION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("^[a-z]{2,}(-[a-z]+)+-[0-9]+$").ok());

/// A configured provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderSettings {
    /// Where resources go that name no region.
    pub region: String,
    /// Tags of every resource that can have tags.
    pub default_tags: BTreeMap<String, String>,
}

impl Default for ProviderSettings {
    fn default() -> Self {
        Self {
            region: DEFAULT_REGION.to_owned(),
            default_tags: BTreeMap::new(),
        }
    }
}

impl ProviderSettings {
    /// Reads a configuration that was checked before; what it does not understand is left out.
    pub(crate) fn read(config: &PropertyMap) -> Self {
        let mut settings = Self::default();
        if let Some(region) = config.get("region").and_then(Property::as_str) {
            settings.region = region.to_owned();
        }
        let tags = config.get("defaultTags").and_then(default_tags);
        for (name, value) in tags.unwrap_or_default() {
            if let Some(value) = value.as_str() {
                settings.default_tags.insert(name, value.to_owned());
            }
        }
        settings
    }

    /// The default tags together with a resource's own, which win.
    pub(crate) fn tags(&self, own: Option<&Property>) -> Property {
        let defaults = self.default_tags.iter();
        let defaults =
            defaults.map(|(name, value)| (name.clone(), Property::String(value.clone())));
        match own {
            Some(Property::Secret(own)) => Property::Secret(Box::new(self.tags(Some(own)))),
            Some(Property::Object(own)) => {
                let mut tags: PropertyMap = defaults.collect();
                tags.extend(own.clone());
                Property::Object(tags)
            }
            // Unknown tags, or something that is refused anyway.
            Some(other) => other.clone(),
            None => Property::Object(defaults.collect()),
        }
    }
}

/// Everything that is wrong with a configuration.
pub(crate) fn check(config: &PropertyMap) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for (name, value) in config {
        if name.starts_with("__") || ENGINE_KEYS.contains(&name.as_str()) {
            continue;
        }
        let known = SETTINGS.iter().find(|(setting, _, _)| setting == name);
        let reason = match known {
            None => Some(no_such(
                "setting",
                name,
                SETTINGS.iter().map(|known| known.0),
            )),
            Some((_, _, Use::Refused)) => Some(
                "the embedded cloud cannot do this: leave it to the stacks that go to AWS"
                    .to_owned(),
            ),
            Some((_, shape, _)) => wrong_shape(*shape, value),
        };
        if let Some(reason) = reason {
            refusals.push(Refusal::new(name.clone(), reason));
        }
    }
    if let Some(region) = config.get("region").and_then(Property::as_str)
        && let Some(reason) = wrong_region(region)
    {
        refusals.push(Refusal::new("region", reason));
    }
    refusals.extend(wrong_default_tags(config));
    refusals
}

/// Why a name is no region's.
pub(crate) fn wrong_region(region: &str) -> Option<String> {
    let known = REGION.as_ref().is_some_and(|form| form.is_match(region));
    (!known).then(|| format!("must be a region such as {DEFAULT_REGION}, found {region:?}"))
}

/// Keeps a program for real accounts away from the embedded cloud, and the other way round: the
/// account here is one that no customer of AWS has.
pub(crate) fn guard_account(config: &PropertyMap) -> Result<(), String> {
    let ids = |name: &str| -> Option<Vec<String>> {
        let list = nested(config.get(name)?.unwrapped());
        let Property::Array(items) = list else {
            return None;
        };
        Some(
            items
                .iter()
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
        )
    };
    if let Some(allowed) = ids("allowedAccountIds")
        && !allowed.is_empty()
        && !allowed.iter().any(|id| id == ACCOUNT_ID)
    {
        return Err(format!(
            "the embedded cloud is account {ACCOUNT_ID}, but aws:allowedAccountIds of this \
                 stack allows {} alone: deploy it to AWS, in a shell without \
                 PULUMI_DEBUG_PROVIDERS, or use the stack that is meant for the laptop",
            allowed.join(", ")
        ));
    }
    if ids("forbiddenAccountIds")
        .is_some_and(|forbidden| forbidden.iter().any(|id| id == ACCOUNT_ID))
    {
        return Err(format!(
            "the embedded cloud is account {ACCOUNT_ID}, which aws:forbiddenAccountIds of this \
             stack forbids: deploy it to AWS, in a shell without PULUMI_DEBUG_PROVIDERS"
        ));
    }
    Ok(())
}

/// A value that may have come JSON-encoded: the engine hands nested configuration on as text.
fn nested(value: &Property) -> Property {
    let Property::String(text) = value else {
        return value.clone();
    };
    match serde_json::from_str(text) {
        Ok(json @ (serde_json::Value::Array(_) | serde_json::Value::Object(_))) => {
            Property::from_json(&json)
        }
        _ => value.clone(),
    }
}

fn wrong_shape(shape: Shape, value: &Property) -> Option<String> {
    let value = nested(value.unwrapped());
    let (fits, expected) = match (shape, &value) {
        (_, Property::Unknown) => (true, ""),
        (Shape::Text, value) => (matches!(value, Property::String(_)), "a string"),
        (Shape::Flag, Property::String(text)) => {
            (matches!(text.as_str(), "true" | "false"), "true or false")
        }
        (Shape::Flag, value) => (matches!(value, Property::Bool(_)), "true or false"),
        (Shape::Count, Property::String(text)) => (text.parse::<u64>().is_ok(), "a whole number"),
        (Shape::Count, value) => (matches!(value, Property::Number(_)), "a whole number"),
        (Shape::List, value) => (matches!(value, Property::Array(_)), "a list"),
        (Shape::Object, value) => (matches!(value, Property::Object(_)), "an object"),
    };
    (!fits).then(|| format!("must be {expected}"))
}

fn default_tags(value: &Property) -> Option<PropertyMap> {
    let Property::Object(mut object) = nested(value.unwrapped()) else {
        return None;
    };
    match object.remove("tags") {
        Some(tags) => tags.as_object().cloned(),
        None => None,
    }
}

fn wrong_default_tags(config: &PropertyMap) -> Vec<Refusal> {
    let Some(Property::Object(object)) = config
        .get("defaultTags")
        .map(|value| nested(value.unwrapped()))
    else {
        return Vec::new();
    };
    let mut refusals = Vec::new();
    for (name, value) in &object {
        let path = format!("defaultTags.{name}");
        if name != "tags" {
            let reason = no_such("property", name, std::iter::once("tags"));
            refusals.push(Refusal::new(path, reason));
            continue;
        }
        let Property::Object(tags) = value.unwrapped() else {
            refusals.push(Refusal::new(path, "must be an object of strings"));
            continue;
        };
        for (tag, value) in tags {
            if value.as_str().is_none() {
                let path = crate::schema::join(&path, tag);
                refusals.push(Refusal::new(path, "must be a string"));
            }
        }
    }
    refusals
}
