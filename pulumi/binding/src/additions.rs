//! What is written into the generated files, and where.
//!
//! The places are found by lines that the generator writes. One that is not there, because another
//! version of it writes something else, is an error here and never a binding that lacks something.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use serde_json::Value;

use crate::schema::{Property, Resource, Schema};

const RUST: &str = "pulumi_gestalt_rust";
const URN: &str = "pub urn: pulumi_gestalt_rust::Output<String>,";
const VERSION: &str = "get_version(),";

pub struct Additions<'a> {
    schema: &'a Schema,
    /// What makes the package, when it is made by another one, as an expression.
    parameterization: String,
}

impl<'a> Additions<'a> {
    pub fn new(schema: &'a Schema) -> Result<Self> {
        let parameterization = match &schema.parameterization {
            None => "None".to_owned(),
            Some(parameters) => {
                let parameter = base64::prelude::BASE64_STANDARD
                    .decode(&parameters.parameter)
                    .context("the package's parameter is not base64")?;
                format!(
                    "Some({RUST}::Parameterization {{ base: {:?}, base_version: {:?}, parameter: \
                     &{parameter:?} }})",
                    parameters.base_provider.name, parameters.base_provider.version
                )
            }
        };
        Ok(Self {
            schema,
            parameterization,
        })
    }

    /// The package's own file.
    pub fn package(&self, text: &str) -> String {
        let Schema {
            name,
            version,
            plugin_download_url,
            ..
        } = self.schema;
        let parameterization = &self.parameterization;
        format!(
            "{text}\n/// What the schema says of the package.\n\
             pub static PACKAGE: {RUST}::PackageSchema = {RUST}::PackageSchema {{\n    \
             name: {name:?},\n    version: {version:?},\n    download_url: {plugin_download_url:?},\n    \
             parameterization: {parameterization},\n}};\n"
        )
    }

    pub fn resource(&self, text: &str) -> Result<String> {
        let token = between(text, "type_: \"", "\"").context("it registers nothing")?;
        let resource = self.schema.resources.get(token);
        let resource = resource.with_context(|| format!("the schema has no resource {token}"))?;
        registration(text, resource)
    }

    pub fn provider(&self, text: &str) -> Result<String> {
        let text = registration(text, &self.schema.provider)?;
        // As in resources, where options are given they need no `Some`.
        let text = once(
            &text,
            "    options: Option<pulumi_gestalt_rust::CustomResourceOptions>,",
            "    options: impl Into<Option<pulumi_gestalt_rust::CustomResourceOptions>>,",
        )?;
        once(
            &text,
            "        options,\n",
            "        options: options.into(),\n",
        )
    }

    /// A function is of its package.
    pub fn function(&self, text: &str) -> Result<String> {
        let path = path_of_package(text)?;
        let package = format!("{VERSION}\n        package: Some(&{path}PACKAGE),");
        once(text, VERSION, &package)
    }
}

/// A resource with a URN of its own type, and with what its schema says.
fn registration(text: &str, resource: &Resource) -> Result<String> {
    let result = text
        .find(URN)
        .and_then(|at| {
            text[..at]
                .rfind("pub struct ")
                .map(|start| &text[start..at])
        })
        .and_then(|head| between(head, "pub struct ", " {"))
        .context("it has no URN")?;
    let path = path_of_package(text)?;
    let text = once(text, URN, &format!("pub urn: {RUST}::Urn,"))?;
    let schema = describe(resource)?;
    let schema = format!(
        "{VERSION}\n        schema: Some(&{schema}),\n        package: Some(&{path}PACKAGE),"
    );
    let mut text = once(&text, VERSION, &schema)?;
    let mut added = format!(
        "impl {RUST}::Resource for {result} {{\n    fn urn(&self) -> &{RUST}::Urn {{\n        \
         &self.urn\n    }}\n}}\n"
    );
    if let Some(reason) = &resource.deprecation_message {
        let attribute = format!("#[deprecated(note = {reason:?})]\n");
        for function in ["pub fn create(", "pub fn create_with_options("] {
            let marked = format!("{attribute}{function}");
            text = once(&text, function, &marked)?;
        }
    }
    added.push_str("///\n/// Registers a new resource");
    // In the module that has the resource, before its functions.
    let indented = text.contains("    ///\n    /// Registers a new resource");
    let place = match indented {
        true => "    ///\n    /// Registers a new resource",
        false => "///\n/// Registers a new resource",
    };
    let at = text.find(place).context("it has no functions")?;
    text.replace_range(at..at + place.len(), &added);
    Ok(text)
}

/// What a schema says of a resource, as an expression.
fn describe(resource: &Resource) -> Result<String> {
    let names = |properties: &BTreeMap<String, Property>, is: fn(&Property) -> bool| {
        let names = properties.iter().filter(|(_, property)| is(property));
        let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        format!("&{names:?}")
    };
    let mut replaces: Vec<&str> = Vec::new();
    for properties in [&resource.properties, &resource.input_properties] {
        for (name, property) in properties {
            if property.replace_on_changes && !replaces.contains(&name.as_str()) {
                replaces.push(name);
            }
        }
    }
    let aliases: Vec<&str> = resource
        .aliases
        .iter()
        .filter_map(|alias| alias.r#type.as_deref())
        .collect();
    Ok(format!(
        "{RUST}::ResourceSchema {{ secret_inputs: {}, secret_outputs: {}, defaults: &[{}], \
         aliases: &{aliases:?}, replace_on_changes: &{replaces:?}, deprecation: {:?} }}",
        names(&resource.input_properties, |property| property.secret),
        names(&resource.properties, |property| property.secret),
        defaults(&resource.input_properties)?,
        resource.deprecation_message,
    ))
}

fn defaults(properties: &BTreeMap<String, Property>) -> Result<String> {
    let mut defaults = String::new();
    for (input, property) in properties {
        let value = property.constant.as_ref().or(property.default.as_ref());
        let environment = property.default_info.as_ref();
        let environment = environment.map_or(&[][..], |info| &info.environment);
        if value.is_none() && environment.is_empty() {
            continue;
        }
        let value = value.map(|value| constant(input, value)).transpose()?;
        let value = value.map_or("None".to_owned(), |value| format!("Some({value})"));
        let kind = match property.kind.as_deref() {
            Some("boolean") => "Flag",
            Some("integer" | "number") => "Number",
            _ => "Text",
        };
        write!(
            defaults,
            "{RUST}::DefaultValue {{ input: {input:?}, environment: &{environment:?}, value: \
             {value}, kind: {RUST}::InputKind::{kind} }}, "
        )?;
    }
    Ok(defaults)
}

fn constant(input: &str, value: &Value) -> Result<String> {
    let constant = match value {
        Value::String(text) => format!("Text({text:?})"),
        Value::Bool(flag) => format!("Flag({flag})"),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => format!("Whole({whole})"),
            (None, Some(number)) => format!("Number({number:?})"),
            (None, None) => anyhow::bail!("the default of {input} is no number: {number}"),
        },
        _ => anyhow::bail!("the default of {input} is neither text, number nor boolean"),
    };
    Ok(format!("{RUST}::Constant::{constant}"))
}

/// The way from a file's module to the one with the package: `super::super::`.
fn path_of_package(text: &str) -> Result<&str> {
    let at = text.find(VERSION).context("it says no version")?;
    let start = text[..at]
        .rfind("version: ")
        .context("it says no version")?;
    Ok(&text[start + "version: ".len()..at])
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

fn once(text: &str, from: &str, to: &str) -> Result<String> {
    ensure!(
        text.matches(from).count() == 1,
        "the generator wrote `{}` {} times where this crate knows one: it is not of version 0.0.12",
        from.trim(),
        text.matches(from).count()
    );
    Ok(text.replacen(from, to, 1))
}
