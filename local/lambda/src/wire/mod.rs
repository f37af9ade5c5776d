//! Lambda's REST protocol: what `aws lambda invoke` needs, and reading what is deployed.

mod constraints;
mod description;

use crate::Lambda;
use crate::function::Function;
use crate::settings::LATEST;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::percent;
use cloud_iam::{Call, Caller};
use constraints::ListQuery;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::sync::Arc;

/// The version of the API that functions are under.
const FUNCTIONS: &str = "/2015-03-31/functions";

impl Lambda {
    /// One request of Lambda's REST protocol. Errors are Lambda's; the edge puts them on the
    /// wire, with `X-Amzn-ErrorType` and a JSON body.
    pub async fn http(
        self: &Arc<Self>,
        caller: &Caller,
        region: &str,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> AwsResult<Response<Bytes>> {
        let below = uri.path().strip_prefix(FUNCTIONS);
        let below = below.filter(|below| below.is_empty() || below.starts_with('/'));
        let Some(below) = below else {
            return Err(unknown_operation(method, uri));
        };
        let segments: Vec<_> = below
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let qualifier = query(uri, "Qualifier");
        if let Some(name) = segments.first() {
            constraints::check_function_name(&percent::decode(name))?;
        }
        if let Some(qualifier) = &qualifier {
            constraints::check_qualifier(qualifier)?;
        }
        let qualified = |name: &str| qualified(name, qualifier.as_deref());
        match (method, segments.as_slice()) {
            (&Method::POST, [name, "invocations"]) => {
                let function = qualified(name);
                self.invoke_request(caller, region, &function, headers, body)
                    .await
            }
            (&Method::GET, []) => {
                self.may(caller, "lambda:ListFunctions", "*")?;
                let functions = self.all(region);
                let functions: Vec<_> = functions
                    .iter()
                    .map(|function| description::listed(function))
                    .collect();
                let asked = ["MaxItems", "Marker", "FunctionVersion"].map(|name| query(uri, name));
                let [max_items, marker, function_version] = asked.each_ref().map(Option::as_deref);
                let asked = ListQuery {
                    max_items,
                    marker,
                    function_version,
                };
                ok(&asked.page(functions)?)
            }
            (&Method::GET, [name]) => {
                let function =
                    self.described(caller, region, "lambda:GetFunction", &qualified(name))?;
                ok(&description::function(&function, self.aws_port))
            }
            (&Method::GET, [name, "configuration"]) => {
                let action = "lambda:GetFunctionConfiguration";
                let function = self.described(caller, region, action, &qualified(name))?;
                ok(&description::configuration(&function))
            }
            (&Method::GET, [name, "policy"]) => {
                let function =
                    self.described(caller, region, "lambda:GetPolicy", &qualified(name))?;
                let policy = self.policy(&function.settings().arn).ok_or_else(|| {
                    AwsError::new(
                        404,
                        "ResourceNotFoundException",
                        "The resource you requested does not exist.",
                    )
                })?;
                ok(&json!({ "Policy": policy }))
            }
            _ => Err(unknown_operation(method, uri)),
        }
    }

    async fn invoke_request(
        self: &Arc<Self>,
        caller: &Caller,
        region: &str,
        function: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> AwsResult<Response<Bytes>> {
        constraints::check_log_type(header(headers, "x-amz-log-type"))?;
        let payload = match body.is_empty() {
            true => Bytes::from_static(b"{}"),
            false => body,
        };
        serde_json::from_slice::<IgnoredAny>(&payload).map_err(|error| {
            AwsError::new(
                400,
                "InvalidRequestContentException",
                format!("Could not parse request body into json: {error}"),
            )
        })?;
        match header(headers, "x-amz-invocation-type").unwrap_or("RequestResponse") {
            "RequestResponse" => {}
            "DryRun" => {
                self.invocable(caller, region, function)?;
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NO_CONTENT;
                return Ok(response);
            }
            kind => {
                return Err(AwsError::new(
                    400,
                    "InvalidParameterValueException",
                    format!(
                        "the embedded cloud invokes with RequestResponse and DryRun, not with {kind}"
                    ),
                ));
            }
        }
        let invocation = self.invoke_in(caller, region, function, payload).await?;
        let mut response = json_response(invocation.payload);
        let headers_out = response.headers_mut();
        headers_out.insert("x-amz-executed-version", HeaderValue::from_static(LATEST));
        if let Some(error) = invocation.function_error
            && let Ok(error) = HeaderValue::from_str(&error)
        {
            headers_out.insert("x-amz-function-error", error);
        }
        if header(headers, "x-amz-log-type") == Some("Tail")
            && let Ok(log) = HeaderValue::from_str(&STANDARD.encode(&invocation.log_tail))
        {
            headers_out.insert("x-amz-log-result", log);
        }
        Ok(response)
    }

    fn described(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        name: &str,
    ) -> AwsResult<Arc<Function>> {
        let (function, _) = self.find(region, name)?;
        self.may(caller, action, &function.settings().arn)?;
        Ok(function)
    }

    fn may(&self, caller: &Caller, action: &str, resource: &str) -> AwsResult<()> {
        self.iam.authorize(&Call {
            caller,
            action,
            resource,
            context: &[],
            resource_policy: None,
        })
    }
}

fn unknown_operation(method: &Method, uri: &Uri) -> AwsError {
    let path = uri.path();
    AwsError::new(
        404,
        "UnknownOperationException",
        format!(
            "The embedded cloud has no operation {method} {path} of lambda: docs/compatibility \
             says which services and operations there are"
        ),
    )
}

/// The function with the version that the query has, if it has one.
fn qualified(name: &str, qualifier: Option<&str>) -> String {
    let name = percent::decode(name);
    match qualifier {
        Some(qualifier) if !name.ends_with(&format!(":{qualifier}")) => {
            format!("{name}:{qualifier}")
        }
        _ => name,
    }
}

fn query(uri: &Uri, name: &str) -> Option<String> {
    uri.query()?
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| percent::decode(value))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn ok(value: &Value) -> AwsResult<Response<Bytes>> {
    Ok(json_response(value.to_string().into()))
}

fn json_response(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}
