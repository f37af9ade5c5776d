//! What is done with a world that has functions, here and in the app's tests with a whole cloud.

use crate::support::{REGION, ROLE, ROLE_POLICY, World, object};
use anyhow::{Result, ensure};
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_iam::Caller;
use cloud_lambda::Invocation;
use cloud_resource::deployments::Record;
use cloud_testing::stack::aws_error;
use http::{HeaderMap, HeaderValue, Method, Response};
use serde_json::{Value, json};

impl World {
    /// Deploys a resource, after the checks that the provider makes.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> AwsResult<Record> {
        let deployed = self.stack().deploy(token, name, inputs).await;
        deployed.map_err(aws_error)
    }

    /// Changes some inputs of a resource.
    pub async fn update(&self, record: &Record, changes: Value) -> AwsResult<Record> {
        let mut inputs = record.resource.inputs.clone();
        inputs.extend(object(changes));
        let (stack, inputs) = (self.stack(), Value::Object(inputs));
        let changed = stack.change(record.clone(), inputs).await;
        changed.map_err(aws_error)
    }

    pub async fn delete(&self, record: &Record) -> AwsResult<()> {
        self.stack().undeploy(record).await.map_err(aws_error)
    }

    /// A role that a service may take on, with a policy of these statements.
    pub async fn role(&self, name: &str, service: &str, statements: Value) -> Result<Record> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": service },
                "Action": "sts:AssumeRole",
            }],
        });
        let inputs = json!({ "name": name, "assumeRolePolicy": trust.to_string() });
        let role = self.deploy(ROLE, name, inputs).await?;
        if statements.as_array().is_some_and(|all| !all.is_empty()) {
            let policy = json!({ "Version": "2012-10-17", "Statement": statements });
            let inputs = json!({ "name": name, "role": name, "policy": policy.to_string() });
            self.deploy(ROLE_POLICY, name, inputs).await?;
        }
        Ok(role)
    }

    /// Invokes a function as the account.
    pub async fn invoke(&self, function: &str, input: Value) -> AwsResult<Invocation> {
        let payload = input.to_string().into();
        self.lambda()
            .invoke(&Caller::Account, function, payload)
            .await
    }

    /// Invokes a function that has to answer.
    pub async fn call(&self, function: &str, input: Value) -> Result<Value> {
        let invocation = self.invoke(function, input).await?;
        let answer = serde_json::from_slice(&invocation.payload)?;
        ensure!(invocation.function_error.is_none(), "{answer}");
        Ok(answer)
    }

    /// Invokes a function that has to fail: type and message of its error.
    pub async fn fail(&self, function: &str, input: Value) -> Result<(String, String)> {
        let invocation = self.invoke(function, input).await?;
        ensure!(
            invocation.function_error.as_deref() == Some("Unhandled"),
            "{invocation:?}"
        );
        let error: Value = serde_json::from_slice(&invocation.payload)?;
        let field = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        Ok((field("errorType"), field("errorMessage")))
    }

    /// One request of Lambda's REST protocol.
    pub async fn http(
        &self,
        method: Method,
        uri: &str,
        headers: &[(&'static str, &'static str)],
        body: &str,
    ) -> Result<Result<Response<Bytes>, AwsError>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        let body = Bytes::copy_from_slice(body.as_bytes());
        let uri = uri.parse()?;
        Ok(self
            .lambda()
            .http(&Caller::Account, REGION, &method, &uri, &map, body)
            .await)
    }
}
