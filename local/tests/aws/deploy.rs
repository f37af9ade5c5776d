//! Resources as the provider deploys them, without its protocol.

use crate::client::Cloud;
use anyhow::{Context, Result, bail};
use cloud_resource::deployments::Record;
use cloud_resource::resource::{New, Properties};
use serde_json::Value;

impl Cloud {
    /// Deploys a resource of the aws package.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> Result<Record> {
        self.deploy_in("us-east-1", token, name, inputs).await
    }

    /// Deploys it in this region.
    pub async fn deploy_in(
        &self,
        region: &str,
        token: &str,
        name: &str,
        inputs: Value,
    ) -> Result<Record> {
        let cloud = &self.server.cloud();
        let of = cloud
            .account
            .package
            .resource_type(token)
            .context("no such type")?
            .of;
        let inputs = properties(inputs)?;
        if let Some(refusal) = of.validate(&inputs).first() {
            bail!("{}: {}", refusal.property, refusal.reason);
        }
        let new = New {
            urn: format!("urn:pulumi:test::test::{token}::{name}"),
            stack: "test".into(),
            name: name.into(),
            generation: 1,
            region: region.into(),
        };
        let created = cloud
            .account
            .deployments
            .create(&cloud.account.package, token, new, inputs, none())
            .await;
        created.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Changes its inputs.
    pub async fn change(&self, record: Record, inputs: Value) -> Result<Record> {
        let cloud = &self.server.cloud();
        let urn = record.resource.urn.clone();
        let inputs = properties(inputs)?;
        let updated =
            cloud
                .account
                .deployments
                .update(&cloud.account.package, record, urn, inputs, none());
        let updated = updated.await;
        updated.map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// The inputs and outputs that a refresh finds; nothing when the resource is gone.
    pub async fn refresh(&self, record: &Record) -> Result<Option<(Value, Value)>> {
        let cloud = &self.server.cloud();
        let of = cloud
            .account
            .package
            .resource_type(&record.token)
            .context("no such type")?
            .of;
        let known = Some(record.resource.clone());
        let found = of
            .read(&record.resource.scope(), &record.resource.id, known)
            .await;
        let found = found.map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(found.map(|found| (Value::Object(found.inputs), Value::Object(found.outputs))))
    }

    /// Deletes it.
    pub async fn undeploy(&self, record: &Record) -> Result<()> {
        let cloud = &self.server.cloud();
        let deleted = cloud
            .account
            .deployments
            .delete(&cloud.account.package, record)
            .await;
        deleted.map_err(|error| anyhow::anyhow!("{error}"))
    }
}

/// Of outputs that all types have, none.
fn none() -> Properties {
    Properties::new()
}

fn properties(inputs: Value) -> Result<Properties> {
    match inputs {
        Value::Object(properties) => Ok(properties),
        other => bail!("{other} is no object"),
    }
}

/// What a refused deployment says.
pub fn refusal<T>(deployed: Result<T>) -> String {
    match deployed {
        Ok(_) => String::from("deployed"),
        Err(error) => format!("{error:#}"),
    }
}
