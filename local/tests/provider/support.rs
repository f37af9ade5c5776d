//! An engine for tests: connects to a cloud and speaks JSON where the protocol has structs.

use crate::world::World;
use anyhow::{Context, Result};
use cloud_resource::value::{decode, encode};
use mysfits_local::server::{Server, ServerConfig};
use prost_types::{ListValue, Struct, Value as Wire, value::Kind};
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use pulumi_protocol::{ARCHIVE, ASSET, SECRET, SIGNATURE, UNKNOWN};
use rpc::resource_provider_client::ResourceProviderClient;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;
use tonic::transport::Channel;

/// A secret, as it travels.
pub fn secret(value: impl Into<Value>) -> Value {
    json!({ SIGNATURE: SECRET, "value": value.into() })
}

/// An archive, as it travels.
pub fn archive(hash: &str) -> Value {
    json!({ SIGNATURE: ARCHIVE, "hash": hash, "path": "a.zip" })
}

/// An asset, as it travels.
pub fn asset(hash: &str) -> Value {
    json!({ SIGNATURE: ASSET, "hash": hash, "text": "text" })
}

pub fn urn(token: &str, name: &str) -> String {
    format!("urn:pulumi:dev::test::aws:test:Component${token}::{name}")
}

/// A cloud of test types in a folder of its own.
pub struct TestCloud {
    pub world: Arc<World>,
    pub server: Server,
    pub folder: tempfile::TempDir,
}

impl TestCloud {
    pub async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let world = Arc::new(World::default());
        let server = start(folder.path(), &world).await?;
        Ok(Self {
            world,
            server,
            folder,
        })
    }

    /// Stops and starts again, with everything in memory lost.
    pub async fn restart(self) -> Result<Self> {
        let Self { server, folder, .. } = self;
        server.stop().await;
        let world = Arc::new(World::default());
        let server = start(folder.path(), &world).await?;
        Ok(Self {
            world,
            server,
            folder,
        })
    }

    /// A connection that is configured with `config`.
    pub async fn engine(&self, config: Value) -> Result<Engine> {
        let mut engine = self.connect().await?;
        engine.configure(config).await?;
        Ok(engine)
    }

    pub async fn connect(&self) -> Result<Engine> {
        Engine::connect(self.server.endpoints().provider).await
    }
}

pub async fn start(folder: &Path, world: &Arc<World>) -> Result<Server> {
    Server::start(ServerConfig {
        package: Some(world.package()?),
        ..ServerConfig::new(folder)
    })
    .await
}

/// The engine's side of the protocol.
#[derive(Clone)]
pub struct Engine {
    pub client: ResourceProviderClient<Channel>,
}

/// What Check says.
#[derive(Debug)]
pub struct Checked {
    pub inputs: Value,
    /// `property|reason`, sorted.
    pub failures: Vec<String>,
}

/// What Create, Read and Update say.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceState {
    pub id: String,
    pub inputs: Value,
    pub outputs: Value,
}

impl Engine {
    pub async fn connect(port: u16) -> Result<Self> {
        let client = ResourceProviderClient::connect(format!("http://127.0.0.1:{port}")).await?;
        Ok(Self { client })
    }

    pub async fn configure(&mut self, config: Value) -> Result<()> {
        self.configure_as(
            "urn:pulumi:dev::test::pulumi:providers:aws::default",
            config,
        )
        .await
    }

    pub async fn configure_as(&mut self, urn: &str, config: Value) -> Result<()> {
        let request = rpc::ConfigureRequest {
            args: Some(wire(&config)?),
            urn: Some(urn.to_owned()),
            accept_secrets: true,
            accept_resources: true,
            ..Default::default()
        };
        self.client.configure(request).await.map_err(message)?;
        Ok(())
    }

    pub async fn check(&mut self, urn: &str, olds: Value, news: Value) -> Result<Checked> {
        self.check_with(rpc::CheckRequest {
            urn: urn.to_owned(),
            olds: Some(wire(&olds)?),
            news: Some(wire(&news)?),
            ..Default::default()
        })
        .await
    }

    pub async fn check_with(&mut self, request: rpc::CheckRequest) -> Result<Checked> {
        let checked = self.client.check(request).await.map_err(message)?;
        Ok(Checked::from(checked.into_inner()))
    }

    pub async fn diff(
        &mut self,
        urn: &str,
        old: Value,
        new: Value,
        old_outputs: Value,
    ) -> Result<rpc::DiffResponse> {
        let request = rpc::DiffRequest {
            id: "id".into(),
            urn: urn.to_owned(),
            old_inputs: Some(wire(&old)?),
            news: Some(wire(&new)?),
            olds: Some(wire(&old_outputs)?),
            ..Default::default()
        };
        Ok(self
            .client
            .diff(request)
            .await
            .map_err(message)?
            .into_inner())
    }

    pub async fn create(&mut self, urn: &str, inputs: Value) -> Result<ResourceState> {
        let request = create_request(urn, &inputs, false)?;
        let created = self.client.create(request).await.map_err(message)?;
        let created = created.into_inner();
        Ok(ResourceState {
            id: created.id,
            inputs,
            outputs: json(created.properties),
        })
    }

    pub async fn preview_create(&mut self, urn: &str, inputs: Value) -> Result<Value> {
        let request = create_request(urn, &inputs, true)?;
        let created = self.client.create(request).await.map_err(message)?;
        Ok(json(created.into_inner().properties))
    }

    pub async fn update(
        &mut self,
        urn: &str,
        old: &ResourceState,
        inputs: Value,
    ) -> Result<ResourceState> {
        let request = update_request(urn, old, &inputs, false)?;
        let updated = self.client.update(request).await.map_err(message)?;
        Ok(ResourceState {
            id: old.id.clone(),
            inputs,
            outputs: json(updated.into_inner().properties),
        })
    }

    pub async fn preview_update(
        &mut self,
        urn: &str,
        old: &ResourceState,
        inputs: Value,
    ) -> Result<Value> {
        let request = update_request(urn, old, &inputs, true)?;
        let updated = self.client.update(request).await.map_err(message)?;
        Ok(json(updated.into_inner().properties))
    }

    /// Reads a resource as a refresh does; nothing when it is gone.
    pub async fn read(
        &mut self,
        urn: &str,
        state: &ResourceState,
    ) -> Result<Option<ResourceState>> {
        let request = rpc::ReadRequest {
            id: state.id.clone(),
            urn: urn.to_owned(),
            inputs: Some(wire(&state.inputs)?),
            properties: Some(wire(&state.outputs)?),
            ..Default::default()
        };
        self.read_with(request).await
    }

    /// Reads a resource as an import does.
    pub async fn import(&mut self, urn: &str, id: &str) -> Result<Option<ResourceState>> {
        let request = rpc::ReadRequest {
            id: id.to_owned(),
            urn: urn.to_owned(),
            ..Default::default()
        };
        self.read_with(request).await
    }

    async fn read_with(&mut self, request: rpc::ReadRequest) -> Result<Option<ResourceState>> {
        let read = self.client.read(request).await.map_err(message)?;
        let read = read.into_inner();
        Ok((!read.id.is_empty()).then(|| ResourceState {
            id: read.id,
            inputs: json(read.inputs),
            outputs: json(read.properties),
        }))
    }

    pub async fn delete(&mut self, urn: &str, state: &ResourceState) -> Result<()> {
        let request = rpc::DeleteRequest {
            id: state.id.clone(),
            urn: urn.to_owned(),
            old_inputs: Some(wire(&state.inputs)?),
            properties: Some(wire(&state.outputs)?),
            ..Default::default()
        };
        self.client.delete(request).await.map_err(message)?;
        Ok(())
    }

    /// Check and create in one, as `pulumi up` does for a new resource.
    pub async fn deploy(&mut self, urn: &str, inputs: Value) -> Result<ResourceState> {
        let checked = self.check(urn, json!({}), inputs).await?;
        anyhow::ensure!(checked.failures.is_empty(), "{:?}", checked.failures);
        self.create(urn, checked.inputs).await
    }
}

/// What the engine asks of a resource that it has in its state.
pub fn diff_request(urn: &str, old: &ResourceState, news: &Value) -> Result<rpc::DiffRequest> {
    Ok(rpc::DiffRequest {
        id: old.id.clone(),
        urn: urn.to_owned(),
        old_inputs: Some(wire(&old.inputs)?),
        olds: Some(wire(&old.outputs)?),
        news: Some(wire(news)?),
        ..Default::default()
    })
}

pub fn create_request(urn: &str, inputs: &Value, preview: bool) -> Result<rpc::CreateRequest> {
    Ok(rpc::CreateRequest {
        urn: urn.to_owned(),
        properties: Some(wire(inputs)?),
        preview,
        ..Default::default()
    })
}

fn update_request(
    urn: &str,
    old: &ResourceState,
    inputs: &Value,
    preview: bool,
) -> Result<rpc::UpdateRequest> {
    Ok(rpc::UpdateRequest {
        id: old.id.clone(),
        urn: urn.to_owned(),
        old_inputs: Some(wire(&old.inputs)?),
        olds: Some(wire(&old.outputs)?),
        news: Some(wire(inputs)?),
        preview,
        ..Default::default()
    })
}

impl From<rpc::CheckResponse> for Checked {
    fn from(checked: rpc::CheckResponse) -> Self {
        let failures = checked.failures.into_iter();
        let mut failures: Vec<String> = failures
            .map(|failure| format!("{}|{}", failure.property, failure.reason))
            .collect();
        failures.sort();
        Self {
            inputs: json(checked.inputs),
            failures,
        }
    }
}

/// JSON for the wire, exactly as it is written.
pub fn wire(json: &Value) -> Result<Struct> {
    let Value::Object(map) = json else {
        anyhow::bail!("{json} is no object");
    };
    let fields = map.iter().map(|(name, value)| (name.clone(), raw(value)));
    Ok(Struct {
        fields: fields.collect(),
    })
}

fn raw(json: &Value) -> Wire {
    let kind = match json {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(value) => Kind::NumberValue(value.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(ListValue {
            values: items.iter().map(raw).collect(),
        }),
        Value::Object(map) => Kind::StructValue(Struct {
            fields: map
                .iter()
                .map(|(name, value)| (name.clone(), raw(value)))
                .collect(),
        }),
    };
    Wire { kind: Some(kind) }
}

/// The wire as JSON, exactly as it is.
pub fn json(wire: Option<Struct>) -> Value {
    let fields = wire.unwrap_or_default().fields.into_iter();
    Value::Object(
        fields
            .map(|(name, value)| (name, plain(value)))
            .collect::<Map<_, _>>(),
    )
}

fn plain(wire: Wire) -> Value {
    match wire.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => value.into(),
        // Whole numbers compare equal to the integers that tests write.
        Some(Kind::NumberValue(value)) if value.fract() == 0.0 => json!(value as i64),
        Some(Kind::NumberValue(value)) => json!(value),
        Some(Kind::StringValue(text)) => text.into(),
        Some(Kind::ListValue(list)) => list.values.into_iter().map(plain).collect(),
        Some(Kind::StructValue(map)) => json(Some(map)),
    }
}

fn message(status: tonic::Status) -> anyhow::Error {
    anyhow::anyhow!("{:?}: {}", status.code(), status.message())
}

/// The error of a result that must be one.
pub fn refusal<T>(result: Result<T>) -> Result<String> {
    let error = result.err().context("was not refused")?;
    Ok(error.to_string())
}

#[test]
fn values_survive_the_wire() -> Result<()> {
    let all = json!({
        "text": "é", "yes": true, "whole": 9_007_199_254_740_991_i64, "part": 0.25,
        "list": [1, "a", null, [secret("x")]], "map": {"a": {"b": UNKNOWN}},
        "secret": secret(json!({"deep": [secret("twice")]})),
        "archive": archive("h"), "asset": asset("h"), "secretUnknown": secret(UNKNOWN),
    });
    let map = decode(Some(wire(&all)?)).map_err(message)?;
    assert_eq!(json(Some(encode(map))), all);

    let absent = json!({ "null": null, "map": { "null": null }, "secret": secret(Value::Null) });
    let map = decode(Some(wire(&absent)?)).map_err(message)?;
    assert_eq!(json(Some(encode(map))), json!({ "map": {} }));

    let alien = json!({ "x": { SIGNATURE: "something new" } });
    let refused = refusal(decode(Some(wire(&alien)?)).map_err(message))?;
    assert!(
        refused.contains("property x") && refused.contains("something new"),
        "{refused}"
    );
    Ok(())
}
