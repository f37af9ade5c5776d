//! The provider's protocol: a method for each call of the engine.

use crate::account::Account;
use crate::answers::Session;
use crate::asked::{Asked, common};
use crate::check::{self, failures};
use crate::connection::Configured;
use crate::creation::Created;
use crate::deployments::Record;
use crate::diff::{self, Change};
use crate::naming::Proposal;
use crate::package::Declared;
use crate::refusals::{not_deployed, of_creation, status};
use crate::resource::New;
use crate::settings::{self, ProviderSettings};
use crate::urn::Urn;
use crate::value::{decode, encode, from_json, secret_like, to_json};
use crate::{engine, invoke, outputs};
use async_trait::async_trait;
use cloud_core::error::AwsResult;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::resource_provider_server::ResourceProvider;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

/// The last configuration of each stack, for a connection that the engine had to open again in the
/// middle of its work.
pub(crate) type Stacks = Arc<Mutex<HashMap<(String, String), Arc<ProviderSettings>>>>;

/// The provider of the package, for all stacks that are deployed to this cloud.
pub(crate) struct Provider {
    pub account: Arc<Account>,
    pub stacks: Stacks,
}

impl Provider {
    fn settings<T>(&self, request: &Request<T>, urn: Option<&Urn>) -> Arc<ProviderSettings> {
        let configured = request.extensions().get::<Configured>();
        let of_connection = configured.and_then(Configured::get);
        of_connection
            .or_else(|| {
                let stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
                let urn = urn?;
                stacks
                    .get(&(urn.stack.clone(), urn.project.clone()))
                    .cloned()
            })
            .unwrap_or_default()
    }

    fn new_resource(&self, urn: &Urn, session: Option<Session>, region: &str) -> New {
        let deployments = &self.account.deployments;
        New {
            urn: urn.as_str().to_owned(),
            stack: urn.stack.clone(),
            name: urn.name.clone(),
            generation: deployments.generation_for(urn.as_str(), session),
            region: region.to_owned(),
        }
    }

    fn declared(&self, urn: &Urn) -> Result<Declared<'_>, Status> {
        let package = &self.account.package;
        package
            .resource_type(&urn.token)
            .ok_or_else(|| Status::unimplemented(check::unknown_type(package, &urn.token)))
    }

    /// Runs a change to its end, even when the engine goes away in the middle of it.
    async fn finish<T: Send + 'static>(
        &self,
        change: impl Future<Output = AwsResult<T>> + Send + 'static,
    ) -> Result<T, Status> {
        match self.account.context.tasks.spawn(change).await {
            Ok(done) => done.map_err(status),
            Err(error) => Err(Status::internal(format!(
                "the embedded cloud failed; see its log: {error}"
            ))),
        }
    }
}

fn connection<T>(request: &Request<T>) -> Option<&Configured> {
    request.extensions().get::<Configured>()
}

fn session<T>(request: &Request<T>) -> Option<Session> {
    connection(request).map(Configured::session)
}

#[async_trait]
impl ResourceProvider for Provider {
    async fn handshake(
        &self,
        request: Request<rpc::ProviderHandshakeRequest>,
    ) -> Answer<rpc::ProviderHandshakeResponse> {
        if let Some(connection) = connection(&request) {
            connection.set_engine(&request.get_ref().engine_address);
        }
        Ok(Response::new(rpc::ProviderHandshakeResponse {
            accept_secrets: true,
            accept_resources: true,
            accept_outputs: false,
            supports_autonaming_configuration: true,
        }))
    }

    async fn attach(&self, request: Request<rpc::PluginAttach>) -> Answer<()> {
        if let Some(connection) = connection(&request) {
            connection.set_engine(&request.get_ref().address);
        }
        Ok(Response::new(()))
    }

    async fn get_plugin_info(&self, _: Request<()>) -> Answer<rpc::PluginInfo> {
        Ok(Response::new(rpc::PluginInfo {
            version: self.account.package.schema().version.clone(),
        }))
    }

    async fn get_schema(
        &self,
        _: Request<rpc::GetSchemaRequest>,
    ) -> Answer<rpc::GetSchemaResponse> {
        Ok(Response::new(rpc::GetSchemaResponse {
            schema: self.account.package.schema_json().to_owned(),
        }))
    }

    async fn check_config(
        &self,
        request: Request<rpc::CheckRequest>,
    ) -> Answer<rpc::CheckResponse> {
        let inputs = decode(request.into_inner().news)?;
        let refusals = settings::check(&inputs);
        Ok(Response::new(rpc::CheckResponse {
            failures: failures(refusals, &inputs),
            inputs: Some(encode(inputs)),
        }))
    }

    async fn diff_config(&self, request: Request<rpc::DiffRequest>) -> Answer<rpc::DiffResponse> {
        let request = request.into_inner();
        let (old, new) = (decode(request.old_inputs)?, decode(request.news)?);
        Ok(Response::new(diff::diff_config(&old, &new)))
    }

    async fn configure(
        &self,
        request: Request<rpc::ConfigureRequest>,
    ) -> Answer<rpc::ConfigureResponse> {
        let configured = request.extensions().get::<Configured>().cloned();
        let request = request.into_inner();
        let config = decode(request.args)?;
        settings::guard_account(&config).map_err(Status::failed_precondition)?;

        let settings = Arc::new(ProviderSettings::read(&config));
        if let Some(configured) = configured {
            configured.set(Arc::clone(&settings));
        }
        if let Some(urn) = request.urn.as_deref().and_then(Urn::parse) {
            let begun = self.account.deployments.begin(&urn.stack, &urn.project);
            begun.await.map_err(status)?;
            let mut stacks = self.stacks.lock().unwrap_or_else(PoisonError::into_inner);
            stacks.insert((urn.stack, urn.project), settings);
        }
        Ok(Response::new(rpc::ConfigureResponse {
            accept_secrets: true,
            supports_preview: true,
            accept_resources: true,
            accept_outputs: false,
            supports_autonaming_configuration: true,
        }))
    }

    async fn invoke(&self, request: Request<rpc::InvokeRequest>) -> Answer<rpc::InvokeResponse> {
        let settings = self.settings(&request, None);
        let request = request.into_inner();
        let schema = self.account.package.schema();
        let arguments = decode(request.args)?;
        let refusals = schema.check_arguments(&request.tok, &arguments);
        let answer = match refusals.is_empty() {
            true => invoke::invoke(&request.tok, &settings, &arguments).ok_or_else(|| {
                let known: Vec<&str> = schema.functions().collect();
                Status::unimplemented(format!(
                    "the embedded cloud has no function {}: it has {}",
                    request.tok,
                    known.join(", ")
                ))
            })?,
            false => Err(refusals),
        };
        Ok(Response::new(match answer {
            Ok(answer) => rpc::InvokeResponse {
                r#return: Some(encode(answer)),
                failures: Vec::new(),
            },
            Err(refusals) => rpc::InvokeResponse {
                r#return: None,
                failures: failures(refusals, &arguments),
            },
        }))
    }

    async fn check(&self, request: Request<rpc::CheckRequest>) -> Answer<rpc::CheckResponse> {
        let urn = urn(&request.get_ref().urn)?;
        let settings = self.settings(&request, Some(&urn));
        let session = session(&request);
        let request = request.into_inner();
        let (old, news) = (decode(request.olds)?, decode(request.news)?);
        if !old.is_empty() {
            let known = self.account.deployments.known(&urn).await;
            known.map_err(status)?;
        }
        let package = &self.account.package;
        let Some(declared) = package.resource_type(&urn.token) else {
            return Ok(Response::new(rpc::CheckResponse {
                inputs: Some(encode(news)),
                failures: vec![rpc::CheckFailure {
                    property: String::new(),
                    reason: check::unknown_type(package, &urn.token),
                }],
            }));
        };
        let region = outputs::region(declared, &settings, &news);
        let new = self.new_resource(&urn, session, region);
        let proposal = Proposal::of(request.autonaming);
        let (inputs, refusals) =
            check::check(package, declared, &settings, &new, &proposal, &old, news);
        Ok(Response::new(rpc::CheckResponse {
            failures: failures(refusals, &inputs),
            inputs: Some(encode(inputs)),
        }))
    }

    async fn diff(&self, request: Request<rpc::DiffRequest>) -> Answer<rpc::DiffResponse> {
        let urn = urn(&request.get_ref().urn)?;
        let settings = self.settings(&request, Some(&urn));
        let request = request.into_inner();
        let declared = self.declared(&urn)?;
        let new_inputs = decode(request.news)?;
        let (old_inputs, old_outputs) = (decode(request.old_inputs)?, decode(request.olds)?);
        let asked = Asked::of(
            declared,
            &urn,
            &request.id,
            &settings,
            (&old_inputs, &old_outputs),
        );
        asked.known(&self.account).await.map_err(status)?;
        Ok(Response::new(diff::diff(&Change {
            declared,
            old_inputs: &old_inputs,
            new_inputs: &new_inputs,
            old_outputs: &old_outputs,
            new_region: outputs::region(declared, &settings, &new_inputs),
        })))
    }

    async fn create(&self, request: Request<rpc::CreateRequest>) -> Answer<rpc::CreateResponse> {
        let urn = urn(&request.get_ref().urn)?;
        let settings = self.settings(&request, Some(&urn));
        let session = session(&request);
        let engine = connection(&request).and_then(Configured::engine);
        let request = request.into_inner();
        let declared = self.declared(&urn)?;
        let inputs = decode(request.properties)?;
        if request.preview {
            let promised = outputs::promised(declared, &inputs, None);
            return Ok(Response::new(rpc::CreateResponse {
                properties: Some(encode(promised)),
                ..Default::default()
            }));
        }

        let region = outputs::region(declared, &settings, &inputs);
        let new = self.new_resource(&urn, session, region);
        let common = common(declared, &settings, &inputs);
        let plain = to_json(&inputs);
        let (account, asked) = (Arc::clone(&self.account), urn.clone());
        let created = self.finish(async move {
            let known = plain.clone();
            let (deployments, token) = (&account.deployments, &asked.token);
            let created =
                deployments.create_for(session, &account.package, token, new, plain, common);
            created
                .await
                .map_err(|error| match account.package.resource_type(token) {
                    Some(declared) => of_creation(error, deployments, declared, &asked, &known),
                    None => error,
                })
        });
        let Created {
            record: Record { resource, .. },
            overwritten,
        } = created.await?;
        let other = overwritten.filter(|other| other.resource.urn != urn.as_str());
        if let Some(other) = other {
            let warning = format!(
                "{} {} was declared as {} already. As on AWS it is overwritten, and the deletion \
                 of either takes it from the other: declare it in one place alone",
                urn.token, resource.id, other.resource.urn
            );
            engine::warn(engine, urn.as_str(), warning).await;
        }
        let outputs = outputs::deployed(declared, &inputs, &resource);
        Ok(Response::new(rpc::CreateResponse {
            id: resource.id,
            properties: Some(encode(outputs)),
            refresh_before_update: false,
        }))
    }

    async fn read(&self, request: Request<rpc::ReadRequest>) -> Answer<rpc::ReadResponse> {
        let urn = urn(&request.get_ref().urn)?;
        let settings = self.settings(&request, Some(&urn));
        let request = request.into_inner();
        let declared = self.declared(&urn)?;
        let (old_inputs, old_outputs) = (decode(request.inputs)?, decode(request.properties)?);
        let asked = Asked::of(
            declared,
            &urn,
            &request.id,
            &settings,
            (&old_inputs, &old_outputs),
        );
        let Some(resource) = asked.look(&self.account).await.map_err(status)? else {
            return Ok(Response::new(rpc::ReadResponse::default()));
        };
        let inputs = secret_like(from_json(&resource.inputs), &old_inputs);
        let outputs = outputs::deployed(declared, &inputs, &resource);
        Ok(Response::new(rpc::ReadResponse {
            id: resource.id,
            properties: Some(encode(secret_like(outputs, &old_outputs))),
            inputs: Some(encode(inputs)),
            refresh_before_update: false,
        }))
    }

    async fn update(&self, request: Request<rpc::UpdateRequest>) -> Answer<rpc::UpdateResponse> {
        let urn = urn(&request.get_ref().urn)?;
        let settings = self.settings(&request, Some(&urn));
        let request = request.into_inner();
        let declared = self.declared(&urn)?;
        let (old_inputs, old_outputs) = (decode(request.old_inputs)?, decode(request.olds)?);
        let inputs = decode(request.news)?;
        if request.preview {
            let old = Some((&old_inputs, &old_outputs));
            let promised = outputs::promised(declared, &inputs, old);
            return Ok(Response::new(rpc::UpdateResponse {
                properties: Some(encode(promised)),
                refresh_before_update: false,
            }));
        }

        let asked = Asked::of(
            declared,
            &urn,
            &request.id,
            &settings,
            (&old_inputs, &old_outputs),
        );
        let known = asked.deployed(&self.account).await;
        let mut old = known
            .map_err(status)?
            .ok_or_else(|| not_deployed(&urn, &request.id))?;
        // A read can write inputs into the engine's state that the record does not have.
        for (name, value) in to_json(&old_inputs) {
            if !declared.schema.input_properties.contains_key(&name) {
                old.resource.inputs.entry(name).or_insert(value);
            }
        }
        let common = common(declared, &settings, &inputs);
        let plain = to_json(&inputs);
        let account = Arc::clone(&self.account);
        let record = self.finish(async move {
            let deployments = &account.deployments;
            let urn = urn.as_str().to_owned();
            deployments
                .update(&account.package, old, urn, plain, common)
                .await
        });
        let outputs = outputs::deployed(declared, &inputs, &record.await?.resource);
        Ok(Response::new(rpc::UpdateResponse {
            properties: Some(encode(outputs)),
            refresh_before_update: false,
        }))
    }

    async fn delete(&self, request: Request<rpc::DeleteRequest>) -> Answer<()> {
        let urn = urn(&request.get_ref().urn)?;
        let settings = self.settings(&request, Some(&urn));
        let request = request.into_inner();
        let declared = self.declared(&urn)?;
        let (inputs, outputs) = (decode(request.old_inputs)?, decode(request.properties)?);
        let asked = Asked::of(declared, &urn, &request.id, &settings, (&inputs, &outputs));
        let known = asked.deployed(&self.account).await;
        let Some(record) = known.map_err(status)? else {
            // Gone already, which is what was asked for.
            return Ok(Response::new(()));
        };
        let account = Arc::clone(&self.account);
        let deleted =
            self.finish(async move { account.deployments.delete(&account.package, &record).await });
        deleted.await?;
        Ok(Response::new(()))
    }

    /// The engine also calls this at the end of each of its runs. Calls under way take
    /// milliseconds, so they are finished and not cut off, and other stacks may be at work.
    async fn cancel(&self, request: Request<()>) -> Answer<()> {
        if let Some(session) = session(&request) {
            let ended = self.account.deployments.ended(session).await;
            ended.map_err(status)?;
        }
        Ok(Response::new(()))
    }

    async fn parameterize(
        &self,
        _: Request<rpc::ParameterizeRequest>,
    ) -> Answer<rpc::ParameterizeResponse> {
        Err(Status::unimplemented("the aws package has no parameters"))
    }

    async fn call(&self, request: Request<rpc::CallRequest>) -> Answer<rpc::CallResponse> {
        let method = request.into_inner().tok;
        Err(Status::unimplemented(format!(
            "the embedded cloud has no method {method}"
        )))
    }

    async fn construct(
        &self,
        request: Request<rpc::ConstructRequest>,
    ) -> Answer<rpc::ConstructResponse> {
        let component = request.into_inner().r#type;
        Err(Status::unimplemented(format!(
            "the embedded cloud has no component {component}"
        )))
    }

    async fn get_mapping(
        &self,
        _: Request<rpc::GetMappingRequest>,
    ) -> Answer<rpc::GetMappingResponse> {
        Err(Status::unimplemented("no mappings"))
    }

    async fn get_mappings(
        &self,
        _: Request<rpc::GetMappingsRequest>,
    ) -> Answer<rpc::GetMappingsResponse> {
        Err(Status::unimplemented("no mappings"))
    }
}

fn urn(text: &str) -> Result<Urn, Status> {
    Urn::parse(text).ok_or_else(|| Status::invalid_argument(format!("{text:?} is no URN")))
}
