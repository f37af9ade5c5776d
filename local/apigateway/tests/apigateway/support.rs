//! A cloud with REST APIs in it: what is declared, and what is asked of it over HTTP.

use super::running::Running;
use anyhow::{Context, Result};
use cloud_resource::deployments::Record;
use cloud_testing::client::http;
use cloud_testing::stack::Stack;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const STAGE: &str = "prod";

/// A request template of a mock that answers with `status`.
pub fn mock(status: u16) -> Value {
    json!({ "application/json": format!("{{\"statusCode\": {status}}}") })
}

/// A running cloud, and what can be declared in it.
pub struct TestCloud {
    pub running: Running,
    client: reqwest::Client,
}

/// An API, and its root resource.
pub struct Api {
    pub record: Record,
    pub id: String,
    pub root: String,
}

impl TestCloud {
    pub async fn start() -> Result<Self> {
        Ok(Self {
            running: Running::start().await?,
            client: client()?,
        })
    }

    /// Stops and starts again, with everything in memory lost.
    pub async fn restart(self) -> Result<Self> {
        Ok(Self {
            running: self.running.restart().await?,
            ..self
        })
    }

    pub fn port(&self) -> u16 {
        self.running.port()
    }

    /// Declares a resource, of API Gateway when `kind` is no token.
    pub async fn declare(&self, kind: &str, name: &str, inputs: Value) -> Result<Record> {
        self.declare_in("us-east-1", kind, name, inputs).await
    }

    pub async fn declare_in(
        &self,
        region: &str,
        kind: &str,
        name: &str,
        inputs: Value,
    ) -> Result<Record> {
        let stack = self.stack().region(region);
        stack.deploy(&token(kind), name, inputs).await
    }

    /// Changes inputs of a resource, those that are `null` away.
    pub async fn change(&self, record: &Record, changes: Value) -> Result<Record> {
        let inputs = merged(Value::Object(record.resource.inputs.clone()), changes);
        self.stack().change(record.clone(), inputs).await
    }

    pub async fn delete(&self, record: &Record) -> Result<()> {
        self.stack().undeploy(record).await
    }

    fn stack(&self) -> Stack {
        Stack::new(self.running.account()).named("dev")
    }

    /// A role that `service` may assume, with one statement of `actions` on all resources.
    pub async fn role(&self, name: &str, service: &str, actions: &[&str]) -> Result<String> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": service },
                "Action": "sts:AssumeRole",
            }],
        });
        let inputs = json!({ "name": name, "assumeRolePolicy": trust.to_string() });
        let role = self.declare("aws:iam/role:Role", name, inputs).await?;
        if !actions.is_empty() {
            let policy = json!({
                "Version": "2012-10-17",
                "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }],
            });
            let inputs = json!({ "role": name, "name": name, "policy": policy.to_string() });
            self.declare("aws:iam/rolePolicy:RolePolicy", name, inputs)
                .await?;
        }
        Ok(role.resource.output("arn").to_owned())
    }

    /// The account's settings, with a role that may write logs.
    pub async fn account(&self) -> Result<Record> {
        let role = self
            .role("logs", "apigateway.amazonaws.com", &["logs:*"])
            .await?;
        self.declare("Account", "account", json!({ "cloudwatchRoleArn": role }))
            .await
    }

    /// An API without anything in it.
    pub async fn api(&self) -> Result<Api> {
        let inputs = json!({ "name": "test" });
        let record = self.declare("RestApi", "api", inputs).await?;
        Ok(Api {
            id: record.resource.id.clone(),
            root: record.resource.output("rootResourceId").to_owned(),
            record,
        })
    }

    /// A resource below another; gives its id.
    pub async fn resource(&self, api: &Api, parent: &str, part: &str) -> Result<String> {
        let inputs = json!({ "restApi": api.id, "parentId": parent, "pathPart": part });
        let name = format!("{parent}-{part}");
        let record = self.declare("Resource", &name, inputs).await?;
        Ok(record.resource.id)
    }

    /// One of the declarations that belong to a method: `kind` with `inputs`.
    pub async fn of_method(
        &self,
        api: &Api,
        kind: &str,
        (resource, verb): (&str, &str),
        inputs: Value,
    ) -> Result<Record> {
        let own = json!({ "restApi": api.id, "resourceId": resource, "httpMethod": verb });
        let status = inputs["statusCode"].as_str().unwrap_or_default();
        let name = format!("{resource}-{verb}-{status}");
        self.declare(kind, &name, merged(own, inputs)).await
    }

    pub async fn method(&self, api: &Api, method: (&str, &str), inputs: Value) -> Result<Record> {
        let inputs = merged(json!({ "authorization": "NONE" }), inputs);
        self.of_method(api, "Method", method, inputs).await
    }

    /// A method with a mock behind it: `method`, `integration` and `response` add to what is
    /// declared. Headers that the response sets are declared for the method response.
    pub async fn mock(&self, api: &Api, method: (&str, &str), mock: Mock) -> Result<MockMethod> {
        let request = self.method(api, method, mock.method).await?;
        let base = json!({ "type": "MOCK", "requestTemplates": self::mock(200) });
        let integration = merged(base, mock.integration);
        let integration = self
            .of_method(api, "Integration", method, integration)
            .await?;
        let mut responses = Vec::new();
        for response in mock.responses {
            let response = merged(json!({ "statusCode": "200" }), response);
            self.response(api, method, &response).await?;
            responses.push(
                self.of_method(api, "IntegrationResponse", method, response)
                    .await?,
            );
        }
        Ok(MockMethod {
            request,
            integration,
            responses,
        })
    }

    /// The method response that an integration response needs.
    pub async fn response(
        &self,
        api: &Api,
        method: (&str, &str),
        response: &Value,
    ) -> Result<Record> {
        let none = serde_json::Map::new();
        let parameters = response["responseParameters"].as_object().unwrap_or(&none);
        let declared: BTreeMap<_, _> = parameters.keys().map(|name| (name, true)).collect();
        let inputs =
            json!({ "statusCode": response["statusCode"], "responseParameters": declared });
        self.of_method(api, "MethodResponse", method, inputs).await
    }

    /// A gateway response of the API.
    pub async fn gateway_response(&self, api: &Api, kind: &str, inputs: Value) -> Result<Record> {
        let own = json!({ "restApiId": api.id, "responseType": kind });
        self.declare("Response", kind, merged(own, inputs)).await
    }

    pub async fn deployment(&self, api: &Api) -> Result<Record> {
        self.declare("Deployment", "deployment", json!({ "restApi": api.id }))
            .await
    }

    /// A deployment of the API as it is, on the stage.
    pub async fn deploy(&self, api: &Api) -> Result<Record> {
        self.deploy_with(api, json!({})).await
    }

    pub async fn deploy_with(&self, api: &Api, inputs: Value) -> Result<Record> {
        let deployment = self.deployment(api).await?;
        let own = json!({
            "restApi": api.id, "stageName": STAGE, "deployment": deployment.resource.id,
        });
        self.declare("Stage", STAGE, merged(own, inputs)).await
    }

    pub fn url(&self, api: &Api, path: &str) -> String {
        format!("http://127.0.0.1:{}/{}/{STAGE}{path}", self.port(), api.id)
    }

    /// Asks for `/PATH` of the stage, as `VERB /PATH`.
    pub async fn ask(
        &self,
        api: &Api,
        request: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer> {
        let (verb, path) = request.split_once(' ').context("VERB /PATH")?;
        let mut request = self
            .client
            .request(Method::from_bytes(verb.as_bytes())?, self.url(api, path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_owned()).send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.into_owned())
        });
        let headers = headers.collect();
        Ok(Answer {
            status,
            headers,
            body: response.text().await?,
        })
    }
}

/// A client that asks no proxy.
pub fn client() -> Result<reqwest::Client> {
    Ok(http())
}

/// What is declared of a mock beside the usual.
pub struct Mock {
    pub method: Value,
    pub integration: Value,
    pub responses: Vec<Value>,
}

/// A mock's declarations.
pub struct MockMethod {
    pub request: Record,
    pub integration: Record,
    pub responses: Vec<Record>,
}

impl Default for Mock {
    fn default() -> Self {
        Self {
            method: json!({}),
            integration: json!({}),
            responses: vec![json!({})],
        }
    }
}

impl Mock {
    /// A mock whose 200 has this template.
    pub fn saying(template: &str) -> Self {
        Self {
            responses: vec![json!({ "responseTemplates": { "application/json": template } })],
            ..Self::default()
        }
    }

    /// A mock whose request template puts the value of an expression into the header `X-Made`.
    pub fn making(expression: &str) -> Self {
        let template = format!(
            "#set($context.responseOverride.header.X-Made = {expression})\n{{\"statusCode\": 200}}"
        );
        Self {
            integration: json!({ "requestTemplates": { "application/json": template } }),
            ..Self::default()
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Status and body.
    pub fn said(&self) -> (u16, &str) {
        (self.status, &self.body)
    }

    /// The headers without those that are never the same twice.
    pub fn lasting_headers(&self) -> Vec<(&str, &str)> {
        let changing = ["date", "x-amzn-requestid", "x-amz-apigw-id"];
        self.headers
            .iter()
            .filter(|(name, _)| !changing.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

fn token(kind: &str) -> String {
    if kind.contains(':') {
        return kind.to_owned();
    }
    let (first, rest) = kind.split_at(1);
    format!("aws:apigateway/{}{rest}:{kind}", first.to_lowercase())
}

/// `base` with the members of `changes`, and without those that are `null` there.
pub fn merged(mut base: Value, changes: Value) -> Value {
    if let (Value::Object(base), Value::Object(changes)) = (&mut base, changes) {
        for (name, value) in changes {
            if value.is_null() {
                base.remove(&name);
            } else {
                base.insert(name, value);
            }
        }
    }
    base
}

/// The refusal of a result that must be one.
pub fn refusal<T>(result: Result<T>) -> Result<String> {
    let error = result.err().context("was not refused")?;
    Ok(error.to_string())
}
