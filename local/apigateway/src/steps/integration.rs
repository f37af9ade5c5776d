//! The call: an action of an AWS service, or a mock.
//!
//! API Gateway assumes the integration's role as apigateway.amazonaws.com, and sends neither
//! aws:SourceArn nor aws:SourceAccount. When it may not assume the role, the caller gets a 500 of
//! type DEFAULT_5XX (captured). A refusal by the service is an answer too: an integration response
//! is chosen by its status.

use super::gateway_response::{Refused, ResponseType};
use crate::definition::Integration as Declared;
use crate::exchange::Exchange;
use crate::problem::{Problem, Problems};
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult, Meaning};
use cloud_iam::Caller;
use cloud_template::context::IntegrationContext;
use cloud_template::json::{Json, quoted};
use cloud_template::mapping::Source;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use regex_lite::Regex;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Who assumes the integrations' roles.
pub(crate) const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// The bounds of an integration's time-out. The upper one is also its default.
const MIN_TIMEOUT_MS: u64 = 50;
const MAX_TIMEOUT_MS: u64 = 29_000;

/// The content type of Firehose's protocol.
const FIREHOSE_JSON: &str = "application/x-amz-json-1.1";

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What a method's requests are sent to.
#[derive(Debug)]
pub(crate) struct Integration {
    kind: IntegrationKind,
    timeout: Duration,
}

#[derive(Debug)]
enum IntegrationKind {
    /// The answer is the `statusCode` that the request template gives.
    Mock,
    /// An action of a region's Firehose, with a role.
    Firehose {
        region: String,
        action: String,
        role: String,
    },
}

/// What the integration gave back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Whether the integration has failed, or refused what it was asked.
    pub(crate) fn is_failure(&self) -> bool {
        self.status >= 400
    }
}

impl Integration {
    /// Checks what is called, and how. `actions` are the actions of Firehose that exist.
    pub(crate) fn compile(inputs: &Declared, actions: &[&str]) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        refuse_unsupported(inputs, &mut problems);
        let timeout = timeout(inputs, &mut problems);
        let kind = match inputs.kind.as_str() {
            "MOCK" => Some(IntegrationKind::Mock),
            "AWS" => service(inputs, actions, &mut problems),
            "HTTP" | "HTTP_PROXY" | "AWS_PROXY" => {
                problems.unsupported(
                    true,
                    "type",
                    format!("{} integrations; there are AWS and MOCK", inputs.kind),
                );
                None
            }
            other => {
                problems.add(
                    "type",
                    format!("{other} is none of HTTP, MOCK, AWS_PROXY, HTTP_PROXY and AWS"),
                );
                None
            }
        };
        let kind = kind.unwrap_or(IntegrationKind::Mock);
        problems.none(Self { kind, timeout })
    }

    /// Makes the call.
    pub(crate) async fn call(
        &self,
        exchange: &mut Exchange<'_>,
        request: Bytes,
    ) -> Result<Answer, Refused> {
        let started = Instant::now();
        let answer = match &self.kind {
            IntegrationKind::Mock => mock(&request)?,
            IntegrationKind::Firehose {
                region,
                action,
                role,
            } => {
                let session = exchange
                    .gateway
                    .iam
                    .assume_role(role, PRINCIPAL, &[])
                    .map_err(|error| {
                        Refused::configuration(format!(
                            "API Gateway does not have permission to assume the provided role \
                             {role} ({error})"
                        ))
                    })?;
                let caller = Caller::Role(session);
                let actions = &exchange.gateway.actions;
                let call = actions.call(&caller, region, action, &request);
                self.in_time(call).await?
            }
        };
        let request_id = answer.headers.get(REQUEST_ID);
        exchange.context.integration = Some(IntegrationContext {
            status: answer.status,
            latency_ms: started.elapsed().as_millis(),
            request_id: request_id
                .and_then(|id| id.to_str().ok())
                .map(str::to_owned),
        });
        Ok(answer)
    }

    /// The answer of a service, when it comes in time.
    async fn in_time(
        &self,
        call: impl Future<Output = AwsResult<Bytes>>,
    ) -> Result<Answer, Refused> {
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(body)) => Ok(service_answer(200, body)),
            Ok(Err(error)) => Ok(refusal(&error)),
            Err(_) => Err(Refused::new(
                ResponseType::IntegrationTimeout,
                "Endpoint request timed out",
            )),
        }
    }
}

fn refuse_unsupported(inputs: &Declared, problems: &mut Problems) {
    let given = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
    let other = |value: &Option<String>, usual: &str| {
        value
            .as_ref()
            .is_some_and(|value| !value.is_empty() && value != usual)
    };
    let keys = inputs.cache_key_parameters.as_ref();
    problems.unsupported(
        keys.is_some_and(|keys| !keys.is_empty()),
        "cacheKeyParameters",
        "caching",
    );
    problems.unsupported(given(&inputs.cache_namespace), "cacheNamespace", "caching");
    problems.unsupported(given(&inputs.connection_id), "connectionId", "VPC links");
    problems.unsupported(
        other(&inputs.connection_type, "INTERNET"),
        "connectionType",
        "VPC links",
    );
    problems.unsupported(
        given(&inputs.integration_target),
        "integrationTarget",
        "VPC links",
    );
    problems.unsupported(
        given(&inputs.content_handling),
        "contentHandling",
        "the conversion of payloads",
    );
    problems.unsupported(
        other(&inputs.response_transfer_mode, "BUFFERED"),
        "responseTransferMode",
        "streamed answers",
    );
    problems.unsupported(
        inputs.tls_config.is_some(),
        "tlsConfig",
        "HTTP integrations",
    );
}

fn timeout(inputs: &Declared, problems: &mut Problems) -> Duration {
    let Some(number) = &inputs.timeout_milliseconds else {
        return Duration::from_millis(MAX_TIMEOUT_MS);
    };
    let millis = number.as_f64().filter(|millis| {
        #[allow(clippy::cast_precision_loss)]
        let bounds = MIN_TIMEOUT_MS as f64..=MAX_TIMEOUT_MS as f64;
        bounds.contains(millis)
    });
    match millis {
        Some(millis) => Duration::from_secs_f64(millis / 1000.0),
        None => {
            problems.add(
                "timeoutMilliseconds",
                format!("Timeout should be between {MIN_TIMEOUT_MS} ms and {MAX_TIMEOUT_MS} ms"),
            );
            Duration::from_millis(MAX_TIMEOUT_MS)
        }
    }
}

/// An integration of type AWS: `arn:aws:apigateway:REGION:firehose:action/ACTION`.
fn service(
    inputs: &Declared,
    actions: &[&str],
    problems: &mut Problems,
) -> Option<IntegrationKind> {
    let method = inputs
        .integration_http_method
        .as_deref()
        .unwrap_or_default();
    if method.is_empty() {
        problems.add(
            "integrationHttpMethod",
            "Enumeration value for HttpMethod must be non-empty",
        );
    } else {
        problems.unsupported(
            method != "POST",
            "integrationHttpMethod",
            format!("{method} towards Firehose, whose protocol is POST"),
        );
    }

    let uri = inputs.uri.as_deref().unwrap_or_default();
    let action = problems.check("uri", firehose_action(uri, actions));

    let role = inputs.credentials.as_deref().unwrap_or_default();
    if role.is_empty() {
        problems.add(
            "credentials",
            "Role ARN must be specified for AWS integrations",
        );
    } else if !(role.starts_with("arn:") && role.contains(":role/")) {
        problems.unsupported(
            true,
            "credentials",
            format!("{role}: only the ARN of a role can be given here"),
        );
    } else if !role.contains(cloud_core::identity::ACCOUNT_ID) {
        problems.add("credentials", "Cross-account pass role is not allowed.");
    }

    let content_type = inputs
        .request_parameters
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("integration.request.header.Content-Type"))
        .map(|(_, expression)| Source::of_request(expression));
    if content_type != Some(Ok(Source::Static(FIREHOSE_JSON.to_owned()))) {
        problems.add(
            "requestParameters",
            format!(
                "Firehose's protocol needs \"integration.request.header.Content-Type\" to be \
                 \"'{FIREHOSE_JSON}'\""
            ),
        );
    }
    let (region, action) = action?;
    Some(IntegrationKind::Firehose {
        region: region.to_owned(),
        action: action.to_owned(),
        role: role.to_owned(),
    })
}

/// The region and the action of an integration's URI.
fn firehose_action<'a>(uri: &'a str, actions: &[&str]) -> Result<(&'a str, &'a str), String> {
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    let ["arn", _, "apigateway", region, service, path] = parts.as_slice() else {
        return Err(if uri.starts_with("arn:") {
            "AWS ARN for integration must contain path or action".to_owned()
        } else {
            "Invalid ARN specified in the request".to_owned()
        });
    };
    match (*service, path.split_once('/')) {
        ("firehose", Some(("action", action))) if actions.contains(&action) => Ok((region, action)),
        (_, Some(("action" | "path", _))) => Err(format!(
            "the embedded cloud does not support {service}:{path}; it can call firehose:action/ \
             with {}",
            actions.join(", ")
        )),
        _ => Err("AWS ARN for integration must contain path or action".to_owned()),
    }
}

/// A mock's answer: the status that the template gave, and nothing else.
fn mock(request: &[u8]) -> Result<Answer, Refused> {
    let text = String::from_utf8_lossy(request);
    // The templates of CDK and of many others have no quotes around names, and AWS accepts that.
    let json = Json::parse(&text).or_else(|error| {
        let quoted = match Regex::new(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)") {
            Ok(bare) => bare.replace_all(&text, "${1}\"${2}\"${3}").into_owned(),
            Err(_) => return Err(error),
        };
        Json::parse(&quoted)
    });
    let status = match json.as_ref().map(|json| json.member("statusCode")) {
        Ok(Some(Json::Integer(status))) => u16::try_from(*status).ok(),
        _ => None,
    };
    match status {
        Some(status) => Ok(Answer {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }),
        None => Err(Refused::configuration(
            "Unable to parse statusCode. It should be an integer that is defined in the request \
             template.",
        )),
    }
}

/// An answer as the service's protocol has it.
fn service_answer(status: u16, body: Bytes) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(FIREHOSE_JSON),
    );
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    Answer {
        status,
        headers,
        body,
    }
}

/// A refusal as the service's protocol has it: what IAM refuses has its text in `Message`.
fn refusal(error: &AwsError) -> Answer {
    let name = match error.meaning() {
        Meaning::Denied => "Message",
        _ => "message",
    };
    let body = format!(
        "{{\"__type\":{},\"{name}\":{}}}",
        quoted(&error.code),
        quoted(&error.message)
    );
    service_answer(error.status, body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test]
    async fn a_service_that_does_not_answer_is_not_waited_for() {
        let integration = Integration {
            kind: IntegrationKind::Mock,
            timeout: Duration::from_millis(1),
        };
        let refused = integration.in_time(pending()).await.map(|_| ());
        let timed_out = Refused::new(
            ResponseType::IntegrationTimeout,
            "Endpoint request timed out",
        );
        assert_eq!(refused, Err(timed_out));
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer_too() -> Result<(), Refused> {
        let integration = Integration {
            kind: IntegrationKind::Mock,
            timeout: Duration::from_secs(29),
        };
        for (code, status, body) in [
            (
                "AccessDeniedException",
                400,
                r#"{"__type":"AccessDeniedException","Message":"no \"x\""}"#,
            ),
            (
                "ServiceUnavailableException",
                503,
                r#"{"__type":"ServiceUnavailableException","message":"no \"x\""}"#,
            ),
        ] {
            let error = AwsError::new(status, code, "no \"x\"");
            let answer = integration.in_time(async { Err(error) }).await?;
            assert_eq!((answer.status, &*answer.body), (status, body.as_bytes()));
            assert_eq!(answer.headers[header::CONTENT_TYPE], FIREHOSE_JSON);
        }
        Ok(())
    }
}
