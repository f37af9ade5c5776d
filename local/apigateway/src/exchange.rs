//! One request on its way through the steps.

use crate::ApiGateway;
use bytes::Bytes;
use cloud_core::percent;
use cloud_template::context::{RequestContext, extended_request_id};
use cloud_template::scope::Scope;
use cloud_template::{Overrides, Strings};
use http::{header, request::Parts};
use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::time::Instant;
use uuid::Uuid;

/// A request's body, as far as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Whole(Bytes),
    /// It has more bytes than API Gateway takes.
    TooLarge,
}

/// The stage that a request is for, without what it runs.
#[derive(Debug)]
pub(crate) struct Stage {
    pub api_id: String,
    pub name: String,
    pub region: String,
    pub variables: Strings,
    /// The id of the deployment that it points to.
    pub deployment: String,
}

/// A request, what was found out about it, and what it needs to be answered.
pub(crate) struct Exchange<'a> {
    pub gateway: &'a ApiGateway,
    pub stage: &'a Stage,
    pub parts: &'a Parts,
    pub payload: Payload,
    /// The path below the stage, still percent-encoded.
    pub path: &'a str,
    pub path_parameters: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    pub context: RequestContext,
    /// The parts of the response that a request template has set.
    pub overrides: Overrides,
    pub started: Instant,
    /// Why the answer is not a success, for the person who watches.
    pub reason: Option<String>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        gateway: &'a ApiGateway,
        stage: &'a Stage,
        path: &'a str,
        parts: &'a Parts,
        payload: Payload,
        peer: IpAddr,
    ) -> Self {
        let text = |name| {
            let value = parts.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let context = RequestContext {
            request_id: Uuid::new_v4().to_string(),
            extended_request_id: extended_request_id(),
            time: gateway.context.clock.now(),
            api_id: stage.api_id.clone(),
            stage: stage.name.clone(),
            deployment_id: stage.deployment.clone(),
            http_method: parts.method.to_string(),
            path: format!("/{}{path}", stage.name),
            protocol: "HTTP/1.1",
            domain_name: text(header::HOST).unwrap_or_default(),
            source_ip: peer.to_string(),
            user_agent: text(header::USER_AGENT),
            resource: None,
            integration: None,
            error: None,
            outcome: None,
        };
        Self {
            gateway,
            stage,
            parts,
            payload,
            path,
            path_parameters: Vec::new(),
            query: query(parts.uri.query().unwrap_or_default()),
            context,
            overrides: Overrides::default(),
            started: Instant::now(),
            reason: None,
        }
    }

    /// The body, which the payload step has found to be whole.
    pub(crate) fn body(&self) -> Bytes {
        match &self.payload {
            Payload::Whole(body) => body.clone(),
            Payload::TooLarge => Bytes::new(),
        }
    }

    /// The MIME type of the request's `Content-Type`, in lower case; `application/json` when it
    /// has none, as AWS assumes.
    pub(crate) fn content_type(&self) -> String {
        self.mime_type(header::CONTENT_TYPE)
    }

    /// The MIME type of the request's `Accept`, in the same way.
    pub(crate) fn accept(&self) -> String {
        self.mime_type(header::ACCEPT)
    }

    fn mime_type(&self, name: header::HeaderName) -> String {
        match self.parts.headers.get(name) {
            Some(value) => {
                let text: Cow<'_, str> = String::from_utf8_lossy(value.as_bytes());
                let mime = text.split(';').next().unwrap_or_default();
                mime.trim().to_ascii_lowercase()
            }
            None => "application/json".to_owned(),
        }
    }

    /// What templates and mappings see, with this payload.
    pub(crate) fn scope<'s>(&'s self, body: &'s str) -> Scope<'s> {
        Scope {
            body,
            path: &self.path_parameters,
            query: &self.query,
            headers: &self.parts.headers,
            context: &self.context,
            stage_variables: &self.stage.variables,
        }
    }
}

/// The parameters of a query string, decoded. A name that comes more than once keeps its last
/// value.
fn query(text: &str) -> Vec<(String, String)> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (percent::decode_form(name), percent::decode_form(value));
        match places.get(&name) {
            Some(&place) => parameters[place].1 = value,
            None => {
                places.insert(name.clone(), parameters.len());
                parameters.push((name, value));
            }
        }
    }
    parameters
}
