//! AWS as a command talks to it: signed requests, to AWS or to the embedded cloud alike.

pub mod credentials;
pub mod failure;
pub mod s3;
mod sts;
pub mod text;

use crate::http;
use crate::variables;
use anyhow::{Context, Result};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use credentials::Credentials;
use failure::Failure;
use reqwest::Client;
use serde_json::Value;
use std::time::SystemTime;

/// An account in a region.
#[derive(Debug, Clone)]
pub struct Aws {
    pub client: Client,
    pub credentials: Credentials,
    pub region: String,
    /// Where every service is, when it is not where AWS has it.
    endpoint: Option<String>,
}

/// A service that speaks AWS's JSON protocol.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// Its name in signatures and host names.
    name: &'static str,
    /// Its name in `AWS_ENDPOINT_URL_…`.
    variable: &'static str,
    /// The part before the dot of `X-Amz-Target`.
    target: &'static str,
}

pub const FIREHOSE: Service = Service {
    name: "firehose",
    variable: "FIREHOSE",
    target: "Firehose_20150804",
};

pub const ATHENA: Service = Service {
    name: "athena",
    variable: "ATHENA",
    target: "AmazonAthena",
};

pub const LOGS: Service = Service {
    name: "logs",
    variable: "CLOUDWATCH_LOGS",
    target: "Logs_20140328",
};

impl Aws {
    /// The embedded cloud, with its first port.
    pub fn embedded(port: u16) -> Result<Self> {
        Ok(Self::at(
            http::client()?,
            variables::endpoint(port),
            Credentials::embedded(),
        ))
    }

    /// What listens at an address and takes any region.
    pub fn at(client: Client, endpoint: String, credentials: Credentials) -> Self {
        Self {
            client,
            credentials,
            region: variables::REGION.to_owned(),
            endpoint: Some(endpoint),
        }
    }

    /// The account that the environment has credentials for, as the AWS CLI finds them.
    pub fn of_environment(region: &str) -> Result<Self> {
        Ok(Self {
            client: http::client_of_environment()?,
            credentials: Credentials::find()?,
            region: region.to_owned(),
            endpoint: None,
        })
    }

    /// Where a service is, when it is not where AWS has it.
    fn endpoint(&self, variable: &str) -> Option<String> {
        if self.endpoint.is_some() {
            return self.endpoint.clone();
        }
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let ignored = set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        if ignored.is_some_and(|ignored| ignored.eq_ignore_ascii_case("true")) {
            return None;
        }
        set(&format!("AWS_ENDPOINT_URL_{variable}")).or_else(|| set("AWS_ENDPOINT_URL"))
    }

    /// What a service's host name ends with.
    fn domain(&self) -> &'static str {
        match self.region.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        }
    }

    /// One request of a service's JSON protocol, and its answer.
    pub async fn json(
        &self,
        service: Service,
        action: &str,
        input: &Value,
    ) -> Result<Value, Failure> {
        let request = self
            .request(service, action, input)
            .map_err(Failure::Unsent)?;
        let response = request.send().await.map_err(Failure::of)?;
        let status = response.status();
        let text = response.text().await;
        if status.is_success() {
            // The service has done what it was asked for, whatever the answer says.
            let text = text.map_err(Failure::of)?;
            return serde_json::from_str(&text)
                .with_context(|| format!("the answer to {action} is no JSON"))
                .map_err(Failure::Unknown);
        }
        Err(Failure::answered(status, &text.unwrap_or_default()))
    }

    /// A signed request of a service's JSON protocol.
    pub fn request(
        &self,
        service: Service,
        action: &str,
        input: &Value,
    ) -> Result<reqwest::RequestBuilder> {
        let url = self.endpoint(service.variable).unwrap_or_else(|| {
            let domain = self.domain();
            format!("https://{}.{}.{domain}", service.name, self.region)
        });
        let url = format!("{}/", url.trim_end_matches('/'));
        let target = format!("{}.{action}", service.target);
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", &target),
        ];
        let body = input.to_string();
        let identity = self.credentials.identity().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service.name)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", &url, headers.into_iter(), bytes)?;
        let (signature, _) = sign(signable, &parameters)?.into_parts();
        let mut request = self.client.post(url);
        for (name, value) in headers.into_iter().chain(signature.headers()) {
            request = request.header(name, value);
        }
        Ok(request.body(body))
    }
}
