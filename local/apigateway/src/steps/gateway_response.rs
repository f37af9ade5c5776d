//! What the gateway answers by itself: errors, as the API's gateway responses shape them.
//!
//! Types and statuses are those of AWS's page "Gateway response types". The default template, and
//! that a type falls back to DEFAULT_4XX or DEFAULT_5XX, are from the same page and from captures of
//! GetGatewayResponses. Answers from before the method runs have no space after the colon: on AWS
//! "Missing Authentication Token" has `Content-Length: 42`.

use crate::definition::Response as Declared;
use crate::exchange::Exchange;
use crate::problem::{Problem, Problems};
use bytes::Bytes;
use cloud_template::context::{ErrorContext, Place};
use cloud_template::headers::{set, settable};
use cloud_template::json::quoted;
use cloud_template::mapping::Source;
use cloud_template::substitution::Substitution;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use std::borrow::Cow;
use std::collections::BTreeMap;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// Declares the types: name on the wire, default status, `x-amzn-ErrorType`, and whether the
/// default body has the space.
macro_rules! response_types {
    ($($variant:ident $name:literal $status:literal $error:expr, $space:literal;)*) => {
        /// Why the gateway answers by itself.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum ResponseType { $($variant,)* }

        impl ResponseType {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The header `x-amzn-ErrorType`, where it is known.
            fn error_type(self) -> Option<&'static str> {
                match self { $(Self::$variant => $error,)* }
            }

            fn has_space(self) -> bool {
                match self { $(Self::$variant => $space,)* }
            }
        }
    };
}

response_types! {
    AccessDenied "ACCESS_DENIED" 403 Some("AccessDeniedException"), false;
    ApiConfigurationError "API_CONFIGURATION_ERROR" 500 Some("InternalServerErrorException"), true;
    AuthorizerConfigurationError "AUTHORIZER_CONFIGURATION_ERROR" 500 None, true;
    AuthorizerFailure "AUTHORIZER_FAILURE" 500 None, true;
    BadRequestBody "BAD_REQUEST_BODY" 400 Some("BadRequestException"), true;
    BadRequestParameters "BAD_REQUEST_PARAMETERS" 400 Some("BadRequestException"), true;
    Default4xx "DEFAULT_4XX" 400 Some("BadRequestException"), true;
    Default5xx "DEFAULT_5XX" 500 Some("InternalServerErrorException"), true;
    ExpiredToken "EXPIRED_TOKEN" 403 None, false;
    IntegrationFailure "INTEGRATION_FAILURE" 504 Some("InternalServerErrorException"), true;
    IntegrationTimeout "INTEGRATION_TIMEOUT" 504 Some("InternalServerErrorException"), true;
    InvalidApiKey "INVALID_API_KEY" 403 Some("ForbiddenException"), false;
    InvalidSignature "INVALID_SIGNATURE" 403 None, false;
    MissingAuthenticationToken "MISSING_AUTHENTICATION_TOKEN" 403
        Some("MissingAuthenticationTokenException"), false;
    QuotaExceeded "QUOTA_EXCEEDED" 429 Some("LimitExceededException"), false;
    RequestTooLarge "REQUEST_TOO_LARGE" 413 None, false;
    ResourceNotFound "RESOURCE_NOT_FOUND" 404 None, false;
    Throttled "THROTTLED" 429 Some("TooManyRequestsException"), false;
    Unauthorized "UNAUTHORIZED" 401 Some("UnauthorizedException"), false;
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" 415 Some("BadRequestException"), true;
    WafFiltered "WAF_FILTERED" 403 None, false;
}

impl ResponseType {
    /// The type of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.name() == name)
    }

    fn default(self) -> Self {
        match self.status() {
            500.. => Self::Default5xx,
            _ => Self::Default4xx,
        }
    }
}

/// A request that a step does not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub response_type: ResponseType,
    /// What the caller reads.
    pub message: Cow<'static, str>,
    /// `$context.error.validationErrorString`
    pub validation: Option<String>,
    /// For the log alone.
    pub cause: Option<String>,
}

impl Refused {
    pub(crate) fn new(response_type: ResponseType, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            response_type,
            message: message.into(),
            validation: None,
            cause: None,
        }
    }

    /// All that is known of it, for the person who watches.
    pub(crate) fn explain(&self) -> String {
        let kind = self.response_type.name();
        let more = self.validation.as_ref().or(self.cause.as_ref());
        match more {
            Some(more) => format!("{kind}: {}; {more}", self.message),
            None => format!("{kind}: {}", self.message),
        }
    }

    /// A failure that the API's own configuration causes. The caller learns only that the server
    /// failed.
    pub(crate) fn configuration(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(ResponseType::Default5xx, "Internal server error")
        }
    }
}

/// An API's gateway responses.
#[derive(Debug, Default)]
pub(crate) struct GatewayResponses {
    declared: BTreeMap<ResponseType, GatewayResponse>,
}

/// What was declared for a type.
#[derive(Debug)]
pub(crate) struct GatewayResponse {
    status: Option<StatusCode>,
    headers: Vec<(HeaderName, Source)>,
    /// Absent where the default body is used.
    body: Option<Substitution>,
}

impl GatewayResponses {
    /// Reads all that are declared.
    pub(crate) fn compile(declared: &BTreeMap<String, Declared>) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let mut responses = Self::default();
        for (name, inputs) in declared {
            match (ResponseType::named(name), GatewayResponse::compile(inputs)) {
                (Some(response_type), Ok(response)) => {
                    responses.declared.insert(response_type, response);
                }
                (None, _) => problems.add(name, "there is no such gateway response"),
                (_, Err(found)) => {
                    for problem in found {
                        problems.add(format!("{name}, {}", problem.property), problem.reason);
                    }
                }
            }
        }
        problems.none(responses)
    }

    fn of(&self, response_type: ResponseType) -> Option<&GatewayResponse> {
        self.declared
            .get(&response_type)
            .or_else(|| self.declared.get(&response_type.default()))
    }
}

impl GatewayResponse {
    /// Reads one.
    pub(crate) fn compile(inputs: &Declared) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        if ResponseType::named(&inputs.response_type).is_none() {
            let names: Vec<&str> = ResponseType::ALL.iter().map(|known| known.name()).collect();
            problems.add(
                "responseType",
                format!("{} is none of {}", inputs.response_type, names.join(", ")),
            );
        }
        let status = inputs.status_code.as_deref().map(status_code);
        let status = status.and_then(|status| problems.check("statusCode", status));

        let mut headers = Vec::new();
        for (target, expression) in &inputs.response_parameters {
            let property = format!("responseParameters[\"{target}\"]");
            let Some(name) = target.strip_prefix("gatewayresponse.header.") else {
                problems.unsupported(true, &property, "what is no gatewayresponse.header.NAME");
                continue;
            };
            let name = problems.check(&property, settable(name));
            let source = problems.check(&property, Source::of_gateway_response(expression));
            headers.extend(name.zip(source));
        }

        let mut body = None;
        for (content_type, template) in &inputs.response_templates {
            let property = format!("responseTemplates[\"{content_type}\"]");
            if content_type != "application/json" {
                problems.unsupported(true, &property, "content types beside application/json");
                continue;
            }
            let template = Substitution::parse(template, Place::GatewayResponse);
            body = problems.check(&property, template);
        }
        problems.none(Self {
            status,
            headers,
            body,
        })
    }
}

/// A status between 200 and 599, as an input has it: a 1xx is no answer.
pub(crate) fn status_code(text: &str) -> Result<StatusCode, String> {
    text.parse::<u16>()
        .ok()
        .filter(|status| (200..=599).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
        .ok_or_else(|| format!("Invalid status code specified: {text}"))
}

/// Answers a request that a step has refused, as the API has declared it.
pub(crate) fn answer(
    exchange: &mut Exchange<'_>,
    responses: &GatewayResponses,
    refused: &Refused,
) -> Response<Bytes> {
    let response_type = refused.response_type;
    exchange.context.error = Some(ErrorContext {
        message: refused.message.clone().into_owned(),
        response_type: response_type.name(),
        validation: refused.validation.clone(),
    });
    if let Some(cause) = &refused.cause {
        tracing::warn!(
            api = exchange.stage.api_id,
            stage = exchange.stage.name,
            request = exchange.context.request_id,
            cause,
            "an API could not answer"
        );
    }

    let declared = responses.of(response_type);
    let body = match declared.and_then(|declared| declared.body.as_ref()) {
        Some(body) => body.render(&exchange.context, &exchange.stage.variables, ""),
        None => {
            let space = if response_type.has_space() { " " } else { "" };
            format!("{{\"message\":{space}{}}}", quoted(&refused.message))
        }
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = declared
        .and_then(|declared| declared.status)
        .or_else(|| StatusCode::from_u16(response_type.status()).ok())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(error_type) = response_type.error_type() {
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error_type));
    }
    let scope = exchange.scope("");
    for (name, source) in declared.into_iter().flat_map(|declared| &declared.headers) {
        let value = source.value(&scope, None).ok().flatten();
        if let Some(value) = value {
            set(headers, name, &value);
        }
    }
    response
}
