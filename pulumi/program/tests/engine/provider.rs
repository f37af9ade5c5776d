//! A provider of `test:index:Thing`, which does what the inputs of a thing say.
//!
//! | input | does |
//! | --- | --- |
//! | `kind` | a change of it replaces the thing |
//! | `refuse` | the input is refused, with its value as the reason |
//! | `fail` | creation fails, with its value as the reason |
//! | `hold` | creation waits until the test lets go |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::resource_provider_server::{ResourceProvider, ResourceProviderServer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The provider, and what it has done.
#[derive(Clone)]
pub(crate) struct Provider {
    journal: Arc<Mutex<Journal>>,
    events: Arc<watch::Sender<usize>>,
    held: Arc<watch::Sender<bool>>,
}

#[derive(Default)]
struct Journal {
    /// `create NAME`, `update NAME`, `delete NAME`, as each begins.
    events: Vec<String>,
    created: usize,
    /// What exists, by id.
    things: BTreeMap<String, Struct>,
}

impl Provider {
    /// Serves; gives back the port too.
    pub(crate) async fn serve() -> Result<(Self, u16)> {
        let provider = Self {
            journal: Arc::default(),
            events: Arc::new(watch::Sender::new(0)),
            held: Arc::new(watch::Sender::new(true)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let service = ResourceProviderServer::new(provider.clone());
        tokio::spawn(
            tonic::transport::Server::builder()
                .add_service(service)
                .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true))),
        );
        Ok((provider, port))
    }

    /// What was done since this was asked last.
    pub(crate) fn events(&self) -> Vec<String> {
        std::mem::take(&mut self.journal().events)
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.journal().things.keys().cloned().collect()
    }

    /// Something that exists before any stack.
    pub(crate) fn add(&self, id: &str, inputs: &[(&str, &str)]) {
        let fields = inputs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), string(text)))
            .collect();
        self.journal()
            .things
            .insert(id.to_owned(), Struct { fields });
    }

    pub(crate) async fn until(&self, event: &str) {
        let mut changes = self.events.subscribe();
        while !self.journal().events.iter().any(|other| other == event) {
            // The sender lives as long as `self`.
            let _ = changes.changed().await;
        }
    }

    pub(crate) fn let_go(&self) {
        self.held.send_replace(false);
    }

    fn record(&self, what: &str, urn: &str) {
        let name = urn.rsplit("::").next().unwrap_or(urn);
        self.journal().events.push(format!("{what} {name}"));
        self.events.send_modify(|count| *count += 1);
    }

    fn journal(&self) -> std::sync::MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn string(text: &str) -> Value {
    Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    }
}

/// The text of an input.
fn text<'a>(inputs: &'a Option<Struct>, name: &str) -> Option<&'a str> {
    match &inputs.as_ref()?.fields.get(name)?.kind {
        Some(Kind::StringValue(text)) => Some(text),
        _ => None,
    }
}

#[tonic::async_trait]
impl ResourceProvider for Provider {
    async fn check(
        &self,
        request: Request<rpc::CheckRequest>,
    ) -> Result<Response<rpc::CheckResponse>, Status> {
        let request = request.into_inner();
        let failures = text(&request.news, "refuse").map(|reason| rpc::CheckFailure {
            property: "refuse".to_owned(),
            reason: reason.to_owned(),
        });
        Ok(Response::new(rpc::CheckResponse {
            failures: failures.into_iter().collect(),
            inputs: request.news,
        }))
    }

    async fn diff(
        &self,
        request: Request<rpc::DiffRequest>,
    ) -> Result<Response<rpc::DiffResponse>, Status> {
        let request = request.into_inner();
        let (old, new) = (
            request.old_inputs.unwrap_or_default(),
            request.news.unwrap_or_default(),
        );
        let names: std::collections::BTreeSet<_> =
            old.fields.keys().chain(new.fields.keys()).collect();
        let diffs: Vec<String> = names
            .into_iter()
            .filter(|name| old.fields.get(*name) != new.fields.get(*name))
            .filter(|name| !request.ignore_changes.contains(name))
            .cloned()
            .collect();
        let replaces: Vec<_> = diffs
            .iter()
            .filter(|name| *name == "kind")
            .cloned()
            .collect();
        let changes = if diffs.is_empty() {
            rpc::diff_response::DiffChanges::DiffNone
        } else {
            rpc::diff_response::DiffChanges::DiffSome
        };
        Ok(Response::new(rpc::DiffResponse {
            replaces,
            diffs,
            changes: changes.into(),
            ..rpc::DiffResponse::default()
        }))
    }

    async fn create(
        &self,
        request: Request<rpc::CreateRequest>,
    ) -> Result<Response<rpc::CreateResponse>, Status> {
        let request = request.into_inner();
        if request.preview {
            return Ok(Response::new(rpc::CreateResponse {
                properties: request.properties,
                ..rpc::CreateResponse::default()
            }));
        }
        self.record("create", &request.urn);
        if text(&request.properties, "hold").is_some() {
            let mut held = self.held.subscribe();
            let _ = held.wait_for(|held| !held).await;
        }
        if let Some(reason) = text(&request.properties, "fail") {
            return Err(Status::unknown(reason.to_owned()));
        }
        let mut journal = self.journal();
        journal.created += 1;
        let id = format!("thing-{}", journal.created);
        let properties = request.properties.unwrap_or_default();
        journal.things.insert(id.clone(), properties.clone());
        Ok(Response::new(rpc::CreateResponse {
            id,
            properties: Some(properties),
            ..rpc::CreateResponse::default()
        }))
    }

    async fn read(
        &self,
        request: Request<rpc::ReadRequest>,
    ) -> Result<Response<rpc::ReadResponse>, Status> {
        let request = request.into_inner();
        let found = self.journal().things.get(&request.id).cloned();
        let id = found.as_ref().map(|_| request.id).unwrap_or_default();
        Ok(Response::new(rpc::ReadResponse {
            id,
            properties: found.clone(),
            inputs: found,
            ..rpc::ReadResponse::default()
        }))
    }

    async fn update(
        &self,
        request: Request<rpc::UpdateRequest>,
    ) -> Result<Response<rpc::UpdateResponse>, Status> {
        let request = request.into_inner();
        if !request.preview {
            self.record("update", &request.urn);
        }
        Ok(Response::new(rpc::UpdateResponse {
            properties: request.news,
            ..rpc::UpdateResponse::default()
        }))
    }

    async fn delete(&self, request: Request<rpc::DeleteRequest>) -> Result<Response<()>, Status> {
        let request = request.into_inner();
        self.record("delete", &request.urn);
        self.journal().things.remove(&request.id);
        Ok(Response::new(()))
    }

    async fn configure(
        &self,
        _: Request<rpc::ConfigureRequest>,
    ) -> Result<Response<rpc::ConfigureResponse>, Status> {
        Ok(Response::new(rpc::ConfigureResponse {
            accept_secrets: true,
            supports_preview: true,
            ..rpc::ConfigureResponse::default()
        }))
    }

    async fn check_config(
        &self,
        request: Request<rpc::CheckRequest>,
    ) -> Result<Response<rpc::CheckResponse>, Status> {
        Ok(Response::new(rpc::CheckResponse {
            inputs: request.into_inner().news,
            failures: Vec::new(),
        }))
    }

    async fn diff_config(
        &self,
        _: Request<rpc::DiffRequest>,
    ) -> Result<Response<rpc::DiffResponse>, Status> {
        Ok(Response::new(rpc::DiffResponse::default()))
    }

    async fn get_plugin_info(&self, _: Request<()>) -> Result<Response<rpc::PluginInfo>, Status> {
        Ok(Response::new(rpc::PluginInfo {
            version: "1.2.3".to_owned(),
        }))
    }

    async fn attach(&self, _: Request<rpc::PluginAttach>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn cancel(&self, _: Request<()>) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn handshake(
        &self,
        _: Request<rpc::ProviderHandshakeRequest>,
    ) -> Result<Response<rpc::ProviderHandshakeResponse>, Status> {
        Err(unneeded())
    }

    async fn parameterize(
        &self,
        _: Request<rpc::ParameterizeRequest>,
    ) -> Result<Response<rpc::ParameterizeResponse>, Status> {
        Err(unneeded())
    }

    async fn get_schema(
        &self,
        _: Request<rpc::GetSchemaRequest>,
    ) -> Result<Response<rpc::GetSchemaResponse>, Status> {
        Err(unneeded())
    }

    /// Every function gives back its arguments.
    async fn invoke(
        &self,
        request: Request<rpc::InvokeRequest>,
    ) -> Result<Response<rpc::InvokeResponse>, Status> {
        Ok(Response::new(rpc::InvokeResponse {
            r#return: request.into_inner().args,
            failures: Vec::new(),
        }))
    }

    async fn call(
        &self,
        _: Request<rpc::CallRequest>,
    ) -> Result<Response<rpc::CallResponse>, Status> {
        Err(unneeded())
    }

    async fn construct(
        &self,
        _: Request<rpc::ConstructRequest>,
    ) -> Result<Response<rpc::ConstructResponse>, Status> {
        Err(unneeded())
    }

    async fn get_mapping(
        &self,
        _: Request<rpc::GetMappingRequest>,
    ) -> Result<Response<rpc::GetMappingResponse>, Status> {
        Err(unneeded())
    }

    async fn get_mappings(
        &self,
        _: Request<rpc::GetMappingsRequest>,
    ) -> Result<Response<rpc::GetMappingsResponse>, Status> {
        Err(unneeded())
    }
}

fn unneeded() -> Status {
    Status::unimplemented("no test needs it")
}
