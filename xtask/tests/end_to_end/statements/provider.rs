//! The provider of the embedded cloud, asked as the engine asks it: one resource, changed by hand.

use crate::place::Place;
use anyhow::{Context, Result};
use prost_types::{ListValue, Struct, Value as Wire, value::Kind};
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::resource_provider_client::ResourceProviderClient;
use serde_json::Value;
use tonic::transport::Channel;

pub struct Provider {
    client: ResourceProviderClient<Channel>,
}

impl Provider {
    pub async fn of(place: &Place) -> Result<Self> {
        let attached = place.shell("printf %s \"$PULUMI_DEBUG_PROVIDERS\"")?;
        let port = attached.strip_prefix("aws:").context("no provider")?;
        let client = ResourceProviderClient::connect(format!("http://127.0.0.1:{port}")).await?;
        Ok(Self { client })
    }

    /// Gives a resource other inputs than its state has.
    pub async fn update(&mut self, resource: &Value, inputs: &Value) -> Result<()> {
        let request = rpc::UpdateRequest {
            id: text(resource, "id")?,
            urn: text(resource, "urn")?,
            old_inputs: Some(wire(&resource["inputs"])),
            olds: Some(wire(&resource["outputs"])),
            news: Some(wire(inputs)),
            ..Default::default()
        };
        self.client.update(request).await?;
        Ok(())
    }

    pub async fn delete(&mut self, resource: &Value) -> Result<()> {
        let request = rpc::DeleteRequest {
            id: text(resource, "id")?,
            urn: text(resource, "urn")?,
            old_inputs: Some(wire(&resource["inputs"])),
            properties: Some(wire(&resource["outputs"])),
            ..Default::default()
        };
        self.client.delete(request).await?;
        Ok(())
    }

    /// Creates a resource as its state has it.
    pub async fn create(&mut self, resource: &Value) -> Result<()> {
        let request = rpc::CreateRequest {
            urn: text(resource, "urn")?,
            properties: Some(wire(&resource["inputs"])),
            ..Default::default()
        };
        self.client.create(request).await?;
        Ok(())
    }
}

fn text(resource: &Value, name: &str) -> Result<String> {
    let text = resource[name].as_str();
    Ok(text
        .with_context(|| format!("no {name}: {resource}"))?
        .into())
}

fn wire(object: &Value) -> Struct {
    let fields = object.as_object().into_iter().flatten();
    Struct {
        fields: fields
            .map(|(name, value)| (name.clone(), wire_value(value)))
            .collect(),
    }
}

fn wire_value(value: &Value) -> Wire {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue {
            values: items.iter().map(wire_value).collect(),
        }),
        Value::Object(_) => Kind::StructValue(wire(value)),
    };
    Wire { kind: Some(kind) }
}
