//! Resources as the provider deploys them, without its protocol.

use anyhow::{Context, Result, bail};
use cloud_core::error::AwsError;
use cloud_resource::account::Account;
use cloud_resource::deployments::Record;
use cloud_resource::package::Declared;
use cloud_resource::resource::{New, Properties};
use pulumi_protocol::urn;
use serde_json::Value;
use std::sync::Arc;

/// A stack of an account, in a region.
#[derive(Clone)]
pub struct Stack {
    account: Arc<Account>,
    name: String,
    region: String,
}

impl Stack {
    /// The stack `test`, in us-east-1.
    pub fn new(account: Arc<Account>) -> Self {
        Self {
            account,
            name: String::from("test"),
            region: String::from("us-east-1"),
        }
    }

    /// The stack of this name. Physical ids follow from it.
    pub fn named(self, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..self
        }
    }

    /// The same stack, with a provider of this region.
    pub fn region(self, region: &str) -> Self {
        Self {
            region: region.to_owned(),
            ..self
        }
    }

    /// Deploys a resource of the aws package, with the checks that the provider makes.
    ///
    /// # Errors
    /// Says of each property that is refused why; or is the [`AwsError`] of
    /// the service.
    pub async fn deploy(&self, token: &str, name: &str, inputs: Value) -> Result<Record> {
        let inputs = self.valid(token, inputs)?;
        let urn = urn::of(&self.name, "test", token, name);
        let deployments = &self.account.deployments;
        let new = New {
            stack: self.name.clone(),
            name: name.to_owned(),
            generation: deployments.next_generation(&urn),
            region: self.region.clone(),
            urn,
        };
        let package = &self.account.package;
        let created = deployments.create(package, token, new, inputs, none());
        Ok(created.await?)
    }

    /// Gives a resource other inputs.
    ///
    /// # Errors
    /// As [`Self::deploy`].
    pub async fn change(&self, record: Record, inputs: Value) -> Result<Record> {
        let inputs = self.valid(&record.token, inputs)?;
        let urn = record.resource.urn.clone();
        let (deployments, package) = (&self.account.deployments, &self.account.package);
        let updated = deployments.update(package, record, urn, inputs, none());
        Ok(updated.await?)
    }

    /// The inputs and outputs that a refresh finds; nothing when the resource is gone.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn refresh(&self, record: &Record) -> Result<Option<(Value, Value)>> {
        let of = self.declared(&record.token)?.of;
        let known = Some(record.resource.clone());
        let resource = &record.resource;
        let found = of.read(&resource.scope(), &resource.id, known).await?;
        Ok(found.map(|found| (Value::Object(found.inputs), Value::Object(found.outputs))))
    }

    /// Deletes a resource.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn undeploy(&self, record: &Record) -> Result<()> {
        let deployments = &self.account.deployments;
        Ok(deployments.delete(&self.account.package, record).await?)
    }

    fn declared(&self, token: &str) -> Result<Declared<'_>> {
        let declared = self.account.package.resource_type(token);
        declared.with_context(|| format!("there is no type {token}"))
    }

    fn valid(&self, token: &str, inputs: Value) -> Result<Properties> {
        let Value::Object(inputs) = inputs else {
            bail!("{inputs} is no object");
        };
        let refusals = self.declared(token)?.of.validate(&inputs).into_iter();
        let refusals: Vec<_> = refusals
            .map(|refusal| format!("{}: {}", refusal.property, refusal.reason))
            .collect();
        match refusals.is_empty() {
            true => Ok(inputs),
            false => bail!("{}", refusals.join("; ")),
        }
    }
}

/// Of outputs that all types have, none.
fn none() -> Properties {
    Properties::new()
}

/// What a refused deployment says; `deployed` of one that was not refused.
pub fn refusal<T>(deployed: Result<T>) -> String {
    match deployed {
        Ok(_) => String::from("deployed"),
        Err(error) => format!("{error:#}"),
    }
}

/// The error of a deployment, as a service's; what is refused before a service sees it has the
/// code `Refused`.
pub fn aws_error(error: anyhow::Error) -> AwsError {
    error
        .downcast()
        .unwrap_or_else(|refused| AwsError::new(400, "Refused", format!("{refused:#}")))
}
