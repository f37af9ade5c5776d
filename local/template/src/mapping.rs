//! Parameter mappings: where the value of a header comes from.
//!
//! | expression | in |
//! | --- | --- |
//! | `'static value'`, `context.NAME`, `stageVariables.NAME` | all |
//! | `method.request.{path,querystring,header}.NAME` | integration requests, gateway responses |
//! | `method.request.body`, `method.request.body.JSONPATH` | integration requests |
//! | `integration.response.header.NAME`, `integration.response.body[.JSONPATH]` | integration responses |
//!
//! Source: AWS, "Parameter mapping source reference" and "Gateway responses". The multi-valued
//! forms are refused.

use crate::context::{Place, Variable};
use crate::json::Json;
use crate::jsonpath::JsonPath;
use crate::scope::{Scope, header};
use http::HeaderMap;
use std::borrow::Cow;

/// Where a mapped value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Static(String),
    Context(Variable),
    StageVariable(String),
    RequestHeader(String),
    RequestQuery(String),
    RequestPath(String),
    RequestBody(JsonPath),
    IntegrationHeader(String),
    IntegrationBody(JsonPath),
}

/// What an integration gave back, for the mappings of its response.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub headers: &'a HeaderMap,
    pub body: &'a str,
}

/// The payload cannot be read as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson;

impl Source {
    /// A mapping of an integration request.
    pub fn of_request(expression: &str) -> Result<Self, String> {
        if let Some(common) = Self::common(expression, Place::Template)? {
            return Ok(common);
        }
        if let Some(parameter) = Self::request_parameter(expression) {
            return Ok(parameter);
        }
        if let Some(path) = body_path(expression, "method.request.body") {
            return Ok(Self::RequestBody(JsonPath::parse(&path)?));
        }
        Err(invalid(expression))
    }

    /// A mapping of an integration response.
    pub fn of_response(expression: &str) -> Result<Self, String> {
        if let Some(common) = Self::common(expression, Place::Template)? {
            return Ok(common);
        }
        if let Some(header) = named(expression, "integration.response.header.") {
            return Ok(Self::IntegrationHeader(header));
        }
        if let Some(path) = body_path(expression, "integration.response.body") {
            return Ok(Self::IntegrationBody(JsonPath::parse(&path)?));
        }
        Err(invalid(expression))
    }

    /// A mapping of a gateway response.
    pub fn of_gateway_response(expression: &str) -> Result<Self, String> {
        if let Some(common) = Self::common(expression, Place::GatewayResponse)? {
            return Ok(common);
        }
        Self::request_parameter(expression).ok_or_else(|| invalid(expression))
    }

    fn common(expression: &str, place: Place) -> Result<Option<Self>, String> {
        if let Some(quoted) = expression.strip_prefix('\'') {
            return match quoted.strip_suffix('\'') {
                Some(text) if !text.contains('\'') => Ok(Some(Self::Static(text.to_owned()))),
                _ => Err(invalid(expression)),
            };
        }
        if let Some(name) = expression.strip_prefix("context.") {
            let variable = Variable::named(name, place).ok_or_else(|| invalid(expression))?;
            return Ok(Some(Self::Context(variable)));
        }
        Ok(named(expression, "stageVariables.").map(Self::StageVariable))
    }

    fn request_parameter(expression: &str) -> Option<Self> {
        named(expression, "method.request.header.")
            .map(Self::RequestHeader)
            .or_else(|| named(expression, "method.request.querystring.").map(Self::RequestQuery))
            .or_else(|| named(expression, "method.request.path.").map(Self::RequestPath))
    }

    /// The value for a request; nothing when what it is taken from is absent.
    pub fn value(
        &self,
        scope: &Scope<'_>,
        answer: Option<Answer<'_>>,
    ) -> Result<Option<String>, NotJson> {
        Ok(match self {
            Self::Static(text) => Some(text.clone()),
            Self::Context(variable) => scope.context.value(*variable).map(Cow::into_owned),
            Self::StageVariable(name) => scope.stage_variables.get(name).cloned(),
            Self::RequestHeader(name) => scope.header(name).map(Cow::into_owned),
            Self::RequestQuery(name) => scope.query_parameter(name).map(str::to_owned),
            Self::RequestPath(name) => scope.path_parameter(name).map(str::to_owned),
            Self::RequestBody(path) => part(path, scope.body)?,
            Self::IntegrationHeader(name) => answer
                .and_then(|answer| header(answer.headers, name))
                .map(Cow::into_owned),
            Self::IntegrationBody(path) => match answer {
                Some(answer) => part(path, answer.body)?,
                None => None,
            },
        })
    }
}

fn part(path: &JsonPath, body: &str) -> Result<Option<String>, NotJson> {
    let json = Json::parse(body).map_err(|_| NotJson)?;
    Ok(path.find(&json).map(|value| match value {
        Json::String(text) => text.to_string(),
        other => other.to_string(),
    }))
}

fn named(expression: &str, prefix: &str) -> Option<String> {
    let name = expression.strip_prefix(prefix)?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then(|| name.to_owned())
}

/// The JSONPath after `…body`, whose `$` is left out in mappings.
fn body_path(expression: &str, body: &str) -> Option<String> {
    match expression.strip_prefix(body)? {
        "" => Some("$".to_owned()),
        rest if rest.starts_with('.') => Some(format!("${rest}")),
        _ => None,
    }
}

fn invalid(expression: &str) -> String {
    format!("Invalid mapping expression specified: {expression}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_the_reference_says() {
        assert_eq!(
            Source::of_request("'a b'"),
            Ok(Source::Static("a b".to_owned()))
        );
        assert_eq!(
            Source::of_request("method.request.header.X-Id"),
            Ok(Source::RequestHeader("X-Id".to_owned()))
        );
        assert!(matches!(
            Source::of_request("method.request.body.a[0]"),
            Ok(Source::RequestBody(_))
        ));
        assert_eq!(
            Source::of_response("integration.response.header.Date"),
            Ok(Source::IntegrationHeader("Date".to_owned()))
        );
        assert_eq!(
            Source::of_gateway_response("context.error.responseType"),
            Ok(Source::Context(Variable::ErrorResponseType))
        );
    }

    #[test]
    fn what_has_no_place_is_refused() {
        for (parse, expression) in [
            (Source::of_request as fn(&str) -> _, "application/json"),
            (Source::of_request, "'unclosed"),
            (Source::of_request, "'a'b'"),
            (Source::of_request, "context.error.message"),
            (Source::of_request, "integration.response.header.X"),
            (Source::of_request, "method.request.multivalueheader.X"),
            (Source::of_request, "method.request.header."),
            (Source::of_response, "method.request.header.X"),
            (Source::of_response, "integration.response.body.*"),
            (Source::of_gateway_response, "method.request.body"),
        ] {
            assert!(parse(expression).is_err(), "{expression}");
        }
    }
}
