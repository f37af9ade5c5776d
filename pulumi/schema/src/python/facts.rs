//! What a resource's class says beyond types. Its constructor names secrets, defaults, former types
//! and the properties that replace the resource.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Number, Value};

use super::lines::{self, Statement};
use crate::spec::{Alias, DefaultInfo, Property, Resource};

/// Adds it to a resource of which the types are known. `inputs` is the class of its inputs.
pub fn add(resource: &mut Resource, class: &[Statement], inputs: &[Statement]) -> Result<()> {
    let names = property_names(inputs);
    let mut absent: Option<&str> = None;
    for statement in class {
        let text = statement.text.as_str();
        if let Some(rest) = text.strip_prefix("__props__.__dict__[\"") {
            let (name, value) = rest.split_once("\"] = ").context("an unusual input")?;
            if value.contains("pulumi.Output.secret(") {
                input(resource, &names, name)?.secret = true;
            }
        } else if text.starts_with("secret_opts = ") {
            for name in texts_in(text, "additional_secret_outputs=[") {
                output(resource, name)?.secret = true;
            }
        } else if text.starts_with("alias_opts = ") {
            let aliases = text.split("type_=\"").skip(1);
            let types = aliases.filter_map(|rest| rest.split_once('"').map(|(name, _)| name));
            let aliases = types.map(|name| Alias {
                r#type: name.to_owned(),
            });
            resource.aliases.extend(aliases);
        } else if text.starts_with("replace_on_changes = ") {
            for name in texts_in(text, "replace_on_changes=[") {
                // A path into a property; the schema has the mark at the property.
                let name = name.split(['.', '[']).next().unwrap_or(name);
                output(resource, name)?.replace_on_changes = true;
            }
        } else if let Some(rest) = text.strip_prefix("pulumi.log.warn(\"\"\"") {
            let reason = rest.split_once(" is deprecated: ");
            let reason = reason.and_then(|(_, rest)| rest.split_once("\"\"\""));
            resource.deprecation_message = reason.map(|(reason, _)| reason.to_owned());
        }
        if let Some((name, value)) = absent.take().zip(assigned(text))
            && value.0 == name
        {
            let property = input(resource, &names, name)?;
            set_default(property, value.1).with_context(|| format!("the default of {name}"))?;
        }
        absent = text
            .strip_prefix("if ")
            .and_then(|rest| rest.strip_suffix(" is None:"))
            .filter(|name| names.contains_key(*name));
    }
    Ok(())
}

/// For each input by its name in Python, that of the schema.
fn property_names(inputs: &[Statement]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut given = None;
    for statement in inputs {
        let text = statement.text.as_str();
        if let Some(rest) = text.strip_prefix("@pulumi.getter") {
            given = Some(lines::between(rest, "name=\"", "\"").map(str::to_owned));
        } else if let Some(rest) = text.strip_prefix("def ")
            && let Some(name) = given.take()
            && let Some((function, _)) = rest.split_once('(')
        {
            names.insert(
                function.to_owned(),
                name.unwrap_or_else(|| function.to_owned()),
            );
        }
    }
    names
}

fn input<'a>(
    resource: &'a mut Resource,
    names: &BTreeMap<String, String>,
    name: &str,
) -> Result<&'a mut Property> {
    let property = names
        .get(name)
        .and_then(|name| resource.input_properties.get_mut(name));
    property.with_context(|| format!("there is no input {name}"))
}

fn output<'a>(resource: &'a mut Resource, name: &str) -> Result<&'a mut Property> {
    let property = resource.properties.get_mut(name);
    property.with_context(|| format!("there is no output {name}"))
}

/// `NAME = VALUE`.
fn assigned(text: &str) -> Option<(&str, &str)> {
    text.split_once(" = ")
}

fn set_default(property: &mut Property, value: &str) -> Result<()> {
    let mut value = value;
    if let Some(rest) = value.strip_prefix('(') {
        // `(_utilities.get_env('NAME') or 'value')`
        value = rest.trim_end_matches(')');
    }
    if let Some((_, rest)) = value.split_once("_utilities.get_env") {
        let (arguments, rest) = rest.split_once(')').unwrap_or((rest, ""));
        let environment = quoted(arguments);
        property.default_info = Some(DefaultInfo { environment });
        match rest.trim_start().strip_prefix("or ") {
            None => return Ok(()),
            Some(rest) => value = rest,
        }
    }
    property.default = Some(match value {
        "True" => true.into(),
        "False" => false.into(),
        text if text.starts_with(['\'', '"']) => {
            let text = quoted(text);
            text.into_iter().next().unwrap_or_default().into()
        }
        number => Value::Number(
            number
                .parse::<Number>()
                .with_context(|| format!("{number} is neither text, number nor boolean"))?,
        ),
    });
    Ok(())
}

/// The texts in quotes, of either kind.
fn quoted(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = &rest[start..=start];
        let after = &rest[start + 1..];
        let Some((inside, after)) = after.split_once(quote) else {
            break;
        };
        found.push(inside.to_owned());
        rest = after;
    }
    found
}

fn texts_in<'t>(text: &'t str, list: &str) -> Vec<&'t str> {
    let inside = lines::between(text, list, "]").unwrap_or_default();
    let texts = inside.split(',').map(|text| text.trim().trim_matches('"'));
    texts.filter(|text| !text.is_empty()).collect()
}
