//! The package's schema, and what it refuses of a resource's inputs.

use crate::resource::Refusal;
use crate::value::{Property, PropertyMap};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How much of a wrong value a message shows.
const SHOWN: usize = 40;

/// A package schema in Pulumi's format, as far as a provider needs it.
#[derive(Debug, Deserialize)]
pub struct Schema {
    pub name: String,
    pub version: String,
    #[serde(default)]
    types: BTreeMap<String, NamedType>,
    #[serde(default)]
    resources: BTreeMap<String, ResourceSchema>,
    #[serde(default)]
    functions: BTreeMap<String, FunctionSchema>,
}

/// What a resource type takes and gives.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSchema {
    /// What comes out: computed properties, and inputs as they are in effect.
    #[serde(default)]
    pub properties: BTreeMap<String, PropertyType>,
    /// The outputs that are always there.
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    pub input_properties: BTreeMap<String, PropertyType>,
    #[serde(default)]
    required_inputs: Vec<String>,
}

/// What a function takes and gives.
#[derive(Debug, Deserialize)]
pub(crate) struct FunctionSchema {
    #[serde(default)]
    inputs: ObjectType,
}

#[derive(Debug, Default, Deserialize)]
struct ObjectType {
    #[serde(default)]
    properties: BTreeMap<String, PropertyType>,
    #[serde(default)]
    required: Vec<String>,
}

/// A type under `types`: an object, or an enumeration of some other type's values.
#[derive(Debug, Deserialize)]
struct NamedType {
    #[serde(default, rename = "enum")]
    values: Vec<EnumValue>,
    #[serde(flatten)]
    object: ObjectType,
}

#[derive(Debug, Deserialize)]
struct EnumValue {
    value: serde_json::Value,
}

/// The type of a property, and what else is said of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyType {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "$ref")]
    reference: Option<String>,
    items: Option<Box<PropertyType>>,
    additional_properties: Option<Box<PropertyType>>,
    #[serde(default)]
    one_of: Vec<PropertyType>,
    /// Set where the trimmed schema says in other words what Pulumi's own types say: archives
    /// and assets are maps of strings to the generated binding.
    #[serde(rename = "x-mapped-from")]
    mapped_from: Option<String>,
    #[serde(default)]
    pub secret: bool,
    /// A change of the property needs a new resource.
    #[serde(default, alias = "willReplaceOnChanges")]
    pub replace_on_changes: bool,
}

impl Schema {
    /// Reads a schema.
    pub fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("the package schema is malformed")
    }

    /// What the schema says of a resource type.
    pub fn resource(&self, token: &str) -> Option<&ResourceSchema> {
        self.resources.get(token)
    }

    /// Whether the package has this function.
    pub fn has_function(&self, token: &str) -> bool {
        self.functions.contains_key(token)
    }

    /// All functions, sorted.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// Everything that is wrong with the inputs of a resource, at any depth. What is unknown
    /// may still turn out right.
    pub fn check(&self, resource: &ResourceSchema, inputs: &PropertyMap) -> Vec<Refusal> {
        let mut checker = Checker::new(self);
        checker.object(
            &resource.input_properties,
            &resource.required_inputs,
            inputs,
            "",
        );
        checker.refusals
    }

    /// Everything that is wrong with the arguments of a function.
    pub(crate) fn check_arguments(&self, function: &str, arguments: &PropertyMap) -> Vec<Refusal> {
        let mut checker = Checker::new(self);
        if let Some(function) = self.functions.get(function) {
            let inputs = &function.inputs;
            checker.object(&inputs.properties, &inputs.required, arguments, "");
        }
        checker.refusals
    }

    fn named(&self, reference: &str) -> Option<&NamedType> {
        let name = reference.strip_prefix("#/types/")?;
        self.types
            .get(name)
            .or_else(|| self.types.get(&name.replace("%2F", "/")))
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    refusals: Vec<Refusal>,
    /// Inside a secret no message shows a value.
    secret: bool,
}

impl<'a> Checker<'a> {
    fn new(schema: &'a Schema) -> Self {
        Self {
            schema,
            refusals: Vec::new(),
            secret: false,
        }
    }

    fn refuse(&mut self, path: &str, reason: String) {
        self.refusals.push(Refusal::new(path, reason));
    }

    fn object(
        &mut self,
        properties: &BTreeMap<String, PropertyType>,
        required: &[String],
        values: &PropertyMap,
        path: &str,
    ) {
        for (name, value) in values {
            // Names with two underscores are the provider's own notes.
            if name.starts_with("__") {
                continue;
            }
            let path = join(path, name);
            match properties.get(name) {
                Some(kind) => self.value(kind, value, &path),
                None => {
                    let names = properties.keys().map(String::as_str);
                    self.refuse(&path, no_such("property", name, names));
                }
            }
        }
        for name in required {
            if !values.contains_key(name) {
                self.refuse(&join(path, name), "required, but missing".to_owned());
            }
        }
    }

    fn value(&mut self, kind: &PropertyType, value: &Property, path: &str) {
        match value {
            Property::Unknown => {}
            Property::Secret(inner) => {
                let outer = std::mem::replace(&mut self.secret, true);
                self.value(kind, inner, path);
                self.secret = outer;
            }
            value => self.known(kind, value, path),
        }
    }

    fn known(&mut self, kind: &PropertyType, value: &Property, path: &str) {
        if let Some(special) = kind.mapped_from.as_deref() {
            return self.special(special, value, path);
        }
        if !kind.one_of.is_empty() {
            return self.one_of(&kind.one_of, value, path);
        }
        if let Some(reference) = kind.reference.as_deref() {
            let schema = self.schema;
            return match schema.named(reference) {
                Some(named) => self.named(named, value, path),
                None => self.special(reference, value, path),
            };
        }
        match (kind.kind.as_deref().unwrap_or_default(), value) {
            ("string", Property::String(_)) | ("boolean", Property::Bool(_)) => {}
            ("number", Property::Number(_)) => {}
            ("integer", Property::Number(number)) if number.fract() == 0.0 => {}
            ("array", Property::Array(items)) => {
                if let Some(item_kind) = kind.items.as_deref() {
                    for (index, item) in items.iter().enumerate() {
                        self.value(item_kind, item, &format!("{path}[{index}]"));
                    }
                }
            }
            ("object", Property::Object(entries)) => {
                for (name, entry) in entries {
                    let path = join(path, name);
                    match kind.additional_properties.as_deref() {
                        Some(kind) => self.value(kind, entry, &path),
                        None if matches!(entry, Property::String(_) | Property::Unknown) => {}
                        None => self.mismatch(&path, "a string", entry),
                    }
                }
            }
            (expected, found) => {
                let expected = match expected {
                    "string" => "a string",
                    "boolean" => "true or false",
                    "number" => "a number",
                    "integer" => "a whole number",
                    "array" => "a list",
                    "object" => "an object",
                    other => other,
                };
                self.mismatch(path, expected, found);
            }
        }
    }

    fn named(&mut self, named: &NamedType, value: &Property, path: &str) {
        if named.values.is_empty() {
            return match value {
                Property::Object(values) => {
                    let object = &named.object;
                    self.object(&object.properties, &object.required, values, path);
                }
                other => self.mismatch(path, "an object", other),
            };
        }
        let allowed = |allowed: &EnumValue| Property::from_json(&allowed.value) == *value;
        if !named.values.iter().any(allowed) {
            let mut values = String::from("one of ");
            for (index, allowed) in named.values.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                let _ = write!(values, "{separator}{}", allowed.value);
            }
            self.mismatch(path, &values, value);
        }
    }

    /// The first alternative that accepts the value counts. When none does, the refusals are those
    /// of the last one, which in Pulumi's schemas is the most specific.
    fn one_of(&mut self, alternatives: &[PropertyType], value: &Property, path: &str) {
        let before = self.refusals.len();
        for alternative in alternatives {
            self.refusals.truncate(before);
            self.value(alternative, value, path);
            if self.refusals.len() == before {
                return;
            }
        }
    }

    /// Pulumi's own types.
    fn special(&mut self, kind: &str, value: &Property, path: &str) {
        match (kind, value) {
            ("pulumi.json#/Archive", Property::Archive(_)) => {}
            // A bucket object's source, say: the name means either.
            ("pulumi.json#/Asset", Property::Asset(_) | Property::Archive(_)) => {}
            ("pulumi.json#/Any" | "pulumi.json#/Json", _) => {}
            ("pulumi.json#/Archive", other) => self.mismatch(path, "an archive", other),
            ("pulumi.json#/Asset", other) => self.mismatch(path, "an asset", other),
            (other, _) => self.refuse(path, format!("has a type this program lacks: {other}")),
        }
    }

    fn mismatch(&mut self, path: &str, expected: &str, found: &Property) {
        let found = describe(found, self.secret);
        self.refuse(path, format!("must be {expected}, found {found}"));
    }
}

/// Why a name is refused, with the nearest of the names there are.
pub(crate) fn no_such<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(other) => format!("there is no such {what}; did you mean {other}?"),
        None => format!("there is no such {what}"),
    }
}

/// The name that somebody who wrote `name` may have meant.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    known
        .map(|other| {
            (
                strsim::damerau_levenshtein(&wanted, &other.to_lowercase()),
                other,
            )
        })
        .min()
        .filter(|(distance, _)| *distance <= 1 + name.chars().count() / 4)
        .map(|(_, other)| other)
}

fn describe(value: &Property, secret: bool) -> String {
    match value {
        Property::Null => "nothing".to_owned(),
        Property::Array(_) => "a list".to_owned(),
        Property::Object(_) => "an object".to_owned(),
        Property::Asset(_) => "an asset".to_owned(),
        Property::Archive(_) => "an archive".to_owned(),
        Property::Unknown => "an unknown value".to_owned(),
        Property::Secret(inner) => describe(inner, true),
        Property::Bool(_) if secret => "a boolean".to_owned(),
        Property::Number(_) if secret => "a number".to_owned(),
        Property::String(_) if secret => "a string".to_owned(),
        Property::Bool(value) => value.to_string(),
        Property::Number(value) => format!("the number {value}"),
        Property::String(text) => {
            let mut shown: String = text.chars().take(SHOWN).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            format!("the string {shown:?}")
        }
    }
}

/// `name` below `path`, as property paths are written: `a.b`, `a["c.d"]`.
pub(crate) fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && !name.contains(['.', '[', ']', '"']);
    match (path.is_empty(), plain) {
        (true, true) => name.to_owned(),
        (false, true) => format!("{path}.{name}"),
        (_, false) => format!("{path}[\"{}\"]", name.replace('"', "\\\"")),
    }
}
