//! What the integration is sent: a template by content type, or the body as it came.
//!
//! Source: AWS, "Integration passthrough behaviors" and "Parameter mapping". Only the MIME type
//! of `Content-Type` counts. A missing one counts as `application/json`. A template under `$default`
//! is for all types without a template.

use super::gateway_response::{Refused, ResponseType};
use crate::definition::{Integration, Strings};
use crate::exchange::Exchange;
use crate::problem::{Problem, Problems};
use bytes::Bytes;
use cloud_template::mapping::Source;
use cloud_template::{RenderError, Rendered, Template};
use http::HeaderName;

/// Headers that a mapping may not set for an AWS service (captured), and those with which API Gateway
/// says what it calls.
const RESERVED: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "proxy-authenticate",
    "te",
    "transfer-encoding",
    "x-amz-target",
    "x-amzn-trace-id",
];

/// How a request becomes one of the integration's.
#[derive(Debug)]
pub(crate) struct IntegrationRequest {
    passthrough: Passthrough,
    /// By content type.
    templates: Vec<(String, Template)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passthrough {
    WhenNoMatch,
    WhenNoTemplates,
    Never,
}

impl IntegrationRequest {
    /// Reads templates and mappings.
    pub(crate) fn compile(inputs: &Integration) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let passthrough = match inputs.passthrough_behavior.as_deref() {
            None | Some("WHEN_NO_MATCH") => Passthrough::WhenNoMatch,
            Some("WHEN_NO_TEMPLATES") => Passthrough::WhenNoTemplates,
            Some("NEVER") => Passthrough::Never,
            Some(other) => {
                problems.add(
                    "passthroughBehavior",
                    format!("{other} is none of WHEN_NO_MATCH, WHEN_NO_TEMPLATES and NEVER"),
                );
                Passthrough::Never
            }
        };
        let templates = templates("requestTemplates", &inputs.request_templates, &mut problems);
        if inputs.kind == "MOCK" && inputs.request_templates.is_empty() {
            // AWS's pages say that the default response is given then. Captures show a 500.
            problems.unsupported(
                true,
                "requestTemplates",
                "a MOCK integration without a template such as {\"statusCode\": 200}",
            );
        }
        for (target, expression) in &inputs.request_parameters {
            let property = format!("requestParameters[\"{target}\"]");
            problems.check(&property, Source::of_request(expression));
            match target.strip_prefix("integration.request.header.") {
                Some(name) => {
                    let known = problems.check(&property, name.parse::<HeaderName>());
                    problems.unsupported(
                        known.is_some_and(|name| RESERVED.contains(&name.as_str())),
                        &property,
                        "the mapping of a header that API Gateway sets itself",
                    );
                }
                None => problems.unsupported(
                    true,
                    &property,
                    "parameters beside integration.request.header.NAME",
                ),
            }
        }
        problems.none(Self {
            passthrough,
            templates,
        })
    }

    /// The body for the integration.
    pub(crate) fn build(&self, exchange: &mut Exchange<'_>) -> Result<Bytes, Refused> {
        let content_type = exchange.content_type();
        let of = |key: &str| self.templates.iter().find(|(known, _)| known == key);
        let Some((_, template)) = of(&content_type).or_else(|| of("$default")) else {
            let refused = match self.passthrough {
                Passthrough::WhenNoMatch => false,
                Passthrough::WhenNoTemplates => !self.templates.is_empty(),
                Passthrough::Never => true,
            };
            if refused {
                return Err(Refused::new(
                    ResponseType::UnsupportedMediaType,
                    "Unsupported Media Type",
                ));
            }
            return Ok(exchange.body());
        };
        let body = exchange.body();
        let text = String::from_utf8_lossy(&body);
        let rendered = template.render(&exchange.scope(&text));
        let Rendered { text, overrides } = rendered.map_err(|error| failed("request", error))?;
        exchange.overrides = overrides;
        Ok(text.into())
    }
}

/// Reads templates by content type.
pub(crate) fn templates(
    property: &str,
    templates: &Strings,
    problems: &mut Problems,
) -> Vec<(String, Template)> {
    templates
        .iter()
        .filter_map(|(content_type, text)| {
            let property = format!("{property}[\"{content_type}\"]");
            let template = problems.check(&property, Template::parse(text))?;
            Some((content_type.to_ascii_lowercase(), template))
        })
        .collect()
}

/// What the caller learns of a template that failed.
pub(crate) fn failed(which: &str, error: RenderError) -> Refused {
    match error {
        RenderError::PayloadIsNotJson(_) if which == "request" => {
            Refused::new(ResponseType::Default4xx, "Invalid JSON in request body")
        }
        RenderError::PayloadIsNotJson(cause) => Refused::configuration(format!(
            "the integration's answer, which a template reads, is no JSON: {cause}"
        )),
        RenderError::Failed(cause) => {
            Refused::configuration(format!("the {which} template failed: {cause}"))
        }
    }
}
