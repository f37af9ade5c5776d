//! How the integration's answer becomes the method's: an integration response is chosen by its
//! status, and shapes the method response.
//!
//! Source: AWS, "Integration response" and "Parameter mapping". A selection pattern has to match
//! the whole status. A response without a pattern is for every status that no pattern matches. If
//! there is none, the gateway answers with API_CONFIGURATION_ERROR. AWS does not say which response
//! is taken when several patterns match the same status, so that is refused when the API is deployed.

use super::gateway_response::{Refused, ResponseType, status_code};
use super::integration::Answer;
use super::integration_request::{failed, templates};
use crate::definition::IntegrationResponse as Declared;
use crate::exchange::Exchange;
use crate::problem::{Problem, Problems};
use bytes::Bytes;
use cloud_template::headers::{set, settable};
use cloud_template::mapping::{self, Source};
use cloud_template::{Overrides, Rendered, Template};
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use regex_lite::Regex;
use std::collections::BTreeMap;

/// A method's integration responses.
#[derive(Debug)]
pub(crate) struct IntegrationResponses {
    selected: Vec<(Regex, IntegrationResponse)>,
    /// The one without a pattern.
    default: Option<IntegrationResponse>,
}

/// How an answer becomes a response.
#[derive(Debug)]
pub(crate) struct IntegrationResponse {
    status: StatusCode,
    headers: Vec<(HeaderName, Source)>,
    /// By content type.
    templates: Vec<(String, Template)>,
}

impl IntegrationResponses {
    /// Reads all responses of an integration.
    pub(crate) fn compile(declared: &BTreeMap<String, Declared>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let mut responses = Self {
            selected: Vec::new(),
            default: None,
        };
        for (status, inputs) in declared {
            let (pattern, response) = match IntegrationResponse::compile(inputs) {
                Ok(compiled) => compiled,
                Err(found) => {
                    for problem in found {
                        let property =
                            format!("integration response {status}, {}", problem.property);
                        problems.add(property, problem.reason);
                    }
                    continue;
                }
            };
            match pattern {
                Some(pattern) => responses.selected.push((pattern, response)),
                None if responses.default.is_none() => responses.default = Some(response),
                None => problems.add(
                    format!("integration response {status}, selectionPattern"),
                    "another integration response has no pattern either: one alone can be the \
                     default",
                ),
            }
        }
        if let Some(status) = (100..=599).find(|status| responses.matching(*status).count() > 1) {
            problems.add(
                "integration responses, selectionPattern",
                format!("more than one pattern matches the status {status}"),
            );
        }
        problems.none(responses)
    }

    fn matching(&self, status: u16) -> impl Iterator<Item = &IntegrationResponse> {
        let status = status.to_string();
        self.selected
            .iter()
            .filter(move |(pattern, _)| pattern.is_match(&status))
            .map(|(_, response)| response)
    }

    /// The response for an answer.
    pub(crate) fn build(
        &self,
        exchange: &Exchange<'_>,
        answer: &Answer,
    ) -> Result<Response<Bytes>, Refused> {
        let selected = self.matching(answer.status).next();
        match selected.or(self.default.as_ref()) {
            Some(response) => response.build(exchange, answer),
            None => Err(Refused {
                cause: Some(format!(
                    "No match for output mapping and no default output mapping configured. \
                     Endpoint Response Status Code: {}",
                    answer.status
                )),
                ..Refused::new(ResponseType::ApiConfigurationError, "Internal server error")
            }),
        }
    }
}

impl IntegrationResponse {
    /// Reads one, with its pattern.
    pub(crate) fn compile(inputs: &Declared) -> Result<(Option<Regex>, Self), Vec<Problem>> {
        let mut problems = Problems::default();
        problems.unsupported(
            inputs
                .content_handling
                .as_ref()
                .is_some_and(|handling| !handling.is_empty()),
            "contentHandling",
            "the conversion of payloads",
        );
        let status = problems.check("statusCode", status_code(&inputs.status_code));
        let pattern = inputs.selection_pattern.as_deref().unwrap_or_default();
        let pattern = (!pattern.is_empty()).then(|| Regex::new(&format!("^(?:{pattern})$")));
        let pattern = pattern.and_then(|pattern| problems.check("selectionPattern", pattern));

        let mut headers = Vec::new();
        for (target, expression) in &inputs.response_parameters {
            let property = format!("responseParameters[\"{target}\"]");
            let Some(name) = target.strip_prefix("method.response.header.") else {
                problems.add(
                    &property,
                    format!("Invalid mapping expression specified: {target}"),
                );
                continue;
            };
            let name = problems.check(&property, settable(name));
            let source = problems.check(&property, Source::of_response(expression));
            headers.extend(name.zip(source));
        }

        let templates = templates(
            "responseTemplates",
            &inputs.response_templates,
            &mut problems,
        );
        let own_type = headers
            .iter()
            .any(|(name, _)| *name == header::CONTENT_TYPE);
        for content_type in inputs.response_templates.keys() {
            problems.unsupported(
                content_type != "application/json" && !own_type,
                &format!("responseTemplates[\"{content_type}\"]"),
                "another content type than application/json without a mapping of \
                 method.response.header.Content-Type",
            );
        }
        problems.unsupported(
            templates.len() > 1 && !inputs.response_templates.contains_key("application/json"),
            "responseTemplates",
            "several templates without one for application/json",
        );
        let status = status.unwrap_or_default();
        problems.none((
            pattern,
            Self {
                status,
                headers,
                templates,
            },
        ))
    }

    fn build(&self, exchange: &Exchange<'_>, answer: &Answer) -> Result<Response<Bytes>, Refused> {
        let text = String::from_utf8_lossy(&answer.body);
        let scope = exchange.scope(&text);
        let (body, overrides) = match self.template(exchange) {
            Some(template) => {
                let rendered = template.render(&scope);
                let Rendered { text, overrides } =
                    rendered.map_err(|error| failed("response", error))?;
                (Bytes::from(text), overrides)
            }
            None => (answer.body.clone(), Overrides::default()),
        };

        let mut response = Response::new(body);
        let status = overrides.status.or(exchange.overrides.status);
        *response.status_mut() = status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(self.status);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        let given = mapping::Answer {
            headers: &answer.headers,
            body: &text,
        };
        for (name, source) in &self.headers {
            let value = source.value(&scope, Some(given)).ok().flatten();
            if let Some(value) = value {
                set(headers, name, &value);
            }
        }
        let overridden = exchange.overrides.headers.iter().chain(&overrides.headers);
        for (name, value) in overridden {
            set(headers, name, value);
        }
        Ok(response)
    }

    /// The template for what the caller accepts; else the one for JSON, else the first.
    fn template(&self, exchange: &Exchange<'_>) -> Option<&Template> {
        let accept = exchange.accept();
        let of = |key: &str| self.templates.iter().find(|(known, _)| known == key);
        of(&accept)
            .or_else(|| of("application/json"))
            .or_else(|| self.templates.first())
            .map(|(_, template)| template)
    }
}
