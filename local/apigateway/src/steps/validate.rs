//! Request validation: required parameters, and the body against the model of its content type.
//!
//! Source: AWS, "Request validation for REST APIs". Required parameters must be given and not blank.
//! A body is checked against the model of its content type, or else of `$default`. Without either it
//! is not checked. An empty body counts as `{}` (captured).

use super::gateway_response::{Refused, ResponseType};
use crate::definition::{Definition, Method, Model};
use crate::exchange::Exchange;
use crate::problem::{Problem, Problems};
use jsonschema::{Draft, Validator};
use serde_json::Value;
use std::sync::Arc;

/// The keywords of JSON schema draft 4, but for `exclusiveMinimum`, which AWS documents as
/// unsupported. Others are refused, as AWS does.
const KEYWORDS: &[&str] = &[
    "$ref",
    "$schema",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "definitions",
    "dependencies",
    "description",
    "enum",
    "exclusiveMaximum",
    "format",
    "id",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
];

/// What a method asks of its requests.
#[derive(Debug, Default)]
pub(crate) struct Validation {
    required: Vec<Parameter>,
    /// By content type, `$default` among them.
    models: Vec<(String, Arc<Validator>)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Parameter {
    Path(String),
    Query(String),
    Header(String),
}

impl Validation {
    /// Compiles a method's validator, parameters and models.
    pub(crate) fn compile(definition: &Definition, method: &Method) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let Some(id) = &method.request_validator_id else {
            return Ok(Self::default());
        };
        let Some(validator) = definition.validators.get(id) else {
            problems.add(
                "requestValidatorId",
                "Invalid Request Validator identifier specified",
            );
            return problems.none(Self::default());
        };
        let mut validation = Self::default();
        if validator.validate_request_parameters == Some(true) {
            for (name, required) in &method.request_parameters {
                let property = format!("requestParameters[\"{name}\"]");
                let parameter = problems.check(&property, Parameter::parse(name));
                validation.required.extend(parameter.filter(|_| *required));
            }
        }
        if validator.validate_request_body == Some(true) {
            for (content_type, name) in &method.request_models {
                let property = format!("requestModels[\"{content_type}\"]");
                let schema = match (name.as_str(), definition.models.get(name)) {
                    (_, Some(model)) => schema(model),
                    ("Empty" | "Error", None) => builtin(name),
                    _ => Err(format!("Invalid model identifier specified: {name}")),
                };
                if let Some(schema) = problems.check(&property, schema) {
                    let key = content_type.to_ascii_lowercase();
                    validation.models.push((key, Arc::new(schema)));
                }
            }
        }
        problems.none(validation)
    }

    /// Refuses a request that lacks a parameter or whose body breaks its model.
    pub(crate) fn check(&self, exchange: &Exchange<'_>) -> Result<(), Refused> {
        self.check_parameters(exchange)?;
        let content_type = exchange.content_type();
        let model = |key: &str| self.models.iter().find(|(known, _)| known == key);
        let Some((_, model)) = model(&content_type).or_else(|| model("$default")) else {
            return Ok(());
        };
        let body = exchange.body();
        let body: &[u8] = if body.trim_ascii().is_empty() {
            b"{}"
        } else {
            &body
        };
        let error = match serde_json::from_slice::<Value>(body) {
            Ok(body) => match model.iter_errors(&body).next() {
                None => return Ok(()),
                Some(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        Err(Refused {
            validation: Some(format!("[{error}]")),
            ..Refused::new(ResponseType::BadRequestBody, "Invalid request body")
        })
    }

    fn check_parameters(&self, exchange: &Exchange<'_>) -> Result<(), Refused> {
        let scope = exchange.scope("");
        let missing: Vec<&str> = self
            .required
            .iter()
            .filter_map(|parameter| {
                let (name, blank) = match parameter {
                    Parameter::Path(name) => (name, scope.path_parameter(name).is_none_or(blank)),
                    Parameter::Query(name) => (name, scope.query_parameter(name).is_none_or(blank)),
                    Parameter::Header(name) => {
                        (name, scope.header(name).is_none_or(|value| blank(&value)))
                    }
                };
                blank.then_some(name.as_str())
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "Missing required request parameters: [{}]",
            missing.join(", ")
        );
        Err(Refused {
            validation: Some(message.clone()),
            ..Refused::new(ResponseType::BadRequestParameters, message)
        })
    }
}

fn blank(value: &str) -> bool {
    value.trim().is_empty()
}

impl Parameter {
    fn parse(name: &str) -> Result<Self, String> {
        let (place, parameter) = name
            .strip_prefix("method.request.")
            .and_then(|rest| rest.split_once('.'))
            .unwrap_or_default();
        match place {
            "path" => Ok(Self::Path(parameter.to_owned())),
            "querystring" => Ok(Self::Query(parameter.to_owned())),
            "header" => Ok(Self::Header(parameter.to_owned())),
            _ => Err(format!("Invalid mapping expression specified: {name}")),
        }
    }
}

/// A model's schema, compiled.
pub(crate) fn schema(model: &Model) -> Result<Validator, String> {
    let Some(text) = model
        .schema
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    else {
        return Err("Model schema must have at least 1 property or array items defined".to_owned());
    };
    let schema: Value =
        serde_json::from_str(text).map_err(|error| format!("the schema is no JSON: {error}"))?;
    if !schema.is_object() {
        return Err("Invalid model schema specified: it has to be a JSON object".to_owned());
    }
    let mut unknown = Vec::new();
    check_keywords(&schema, &mut unknown)?;
    if !unknown.is_empty() {
        return Err(format!(
            "Invalid model schema specified. Unsupported keyword(s): {unknown:?}"
        ));
    }
    compile(&schema)
}

fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft4)
        .build(schema)
        .map_err(|error| format!("Invalid model schema specified: {error}"))
}

/// The models that every API has.
fn builtin(name: &str) -> Result<Validator, String> {
    compile(&match name {
        "Error" => serde_json::json!({
            "type": "object",
            "properties": { "message": { "type": "string" } },
        }),
        _ => serde_json::json!({ "type": "object" }),
    })
}

/// Walks through a schema, not through the values in it.
fn check_keywords(schema: &Value, unknown: &mut Vec<String>) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else {
        return Ok(());
    };
    for (keyword, value) in keywords {
        match keyword.as_str() {
            "properties" | "patternProperties" | "definitions" | "dependencies" => {
                for inner in value
                    .as_object()
                    .into_iter()
                    .flat_map(|inner| inner.values())
                {
                    check_keywords(inner, unknown)?;
                }
            }
            "allOf" | "anyOf" | "oneOf" | "items" if value.is_array() => {
                for inner in value.as_array().into_iter().flatten() {
                    check_keywords(inner, unknown)?;
                }
            }
            "items" | "additionalItems" | "additionalProperties" | "not" => {
                check_keywords(value, unknown)?;
            }
            "$schema"
                if !value
                    .as_str()
                    .is_some_and(|draft| draft.contains("draft-04")) =>
            {
                return Err(format!(
                    "API Gateway's models are of JSON schema draft 4, not {value}"
                ));
            }
            "$ref" if !value.as_str().is_some_and(|target| target.starts_with('#')) => {
                return Err(format!(
                    "the embedded cloud does not support a reference out of the schema: {value}"
                ));
            }
            known if KEYWORDS.contains(&known) => {}
            other => unknown.push(other.to_owned()),
        }
    }
    Ok(())
}
