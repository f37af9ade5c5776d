//! A resource, from its resolved inputs to the engine's answer.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::future::join_all;
use pulumi_gestalt_model::{Output, PulumiValue, ToPulumiValue as _};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::register_resource_request::PropertyDependencies;
use pulumi_protocol::{PROVIDER_TYPES, UNKNOWN, urn};

use crate::answer::{Answer, Answered};
use crate::engine::{Engine, Failure};
use crate::{extended, wire};

/// The inputs of a resource or the arguments of a function, by name.
pub type Values = Vec<(String, PulumiValue)>;

/// A resource of which everything is known but its type and its name, which the program says first.
#[derive(Debug, Default)]
pub struct Registration {
    pub inputs: Values,
    /// What the options say; type, name, inputs and what the inputs depend on come to it.
    pub request: pulumirpc::RegisterResourceRequest,
    /// The id of an existing resource that is read and not managed; it may be
    /// [unknown](pulumi_protocol::UNKNOWN).
    pub existing: Option<String>,
    pub read_timeout: Option<String>,
}

/// What this client understands, in every request.
pub(crate) fn basics() -> pulumirpc::RegisterResourceRequest {
    pulumirpc::RegisterResourceRequest {
        accept_secrets: true,
        supports_partial_values: true,
        supports_result_reporting: true,
        alias_specs: true,
        ..pulumirpc::RegisterResourceRequest::default()
    }
}

/// Waits for all of these at once.
///
/// # Errors
/// When one of them depends on what failed.
pub async fn resolve(values: Vec<(String, Output<PulumiValue>)>) -> Result<Values, Failure> {
    let (names, outputs): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let values = join_all(outputs.iter().map(|output| output.to_pulumi_value())).await;
    match values.iter().any(PulumiValue::has_failed) {
        true => Err(Failure::Told),
        false => Ok(names.into_iter().zip(values).collect()),
    }
}

impl Engine {
    /// Registers a resource as soon as the rest of it is known.
    pub fn register(
        &self,
        r#type: String,
        name: String,
        rest: impl Future<Output = Result<Registration, Failure>> + Send + 'static,
    ) -> Answered {
        let engine = self.clone();
        let subject = format!("{name} [{}]", r#type);
        Answered::start(self, subject.clone(), async move {
            let answer = async {
                let mut registration = rest.await.map_err(|failure| match failure {
                    Failure::Refused { message, urn } => Failure::Refused {
                        message: format!("{subject} was not registered: {message}"),
                        urn,
                    },
                    other => other,
                })?;
                registration.request.r#type = r#type;
                registration.request.name = name;
                engine.send(registration).await
            };
            match answer.await {
                Ok(answer) => answer,
                Err(failure) => {
                    engine.fail(failure).await;
                    Answer::failed()
                }
            }
        })
    }

    async fn send(&self, registration: Registration) -> Result<Answer, Failure> {
        let Registration {
            inputs,
            mut request,
            existing,
            read_timeout,
        } = registration;
        let inputs = match request.r#type.starts_with(PROVIDER_TYPES) {
            true => wire::provider_inputs(inputs),
            false => inputs,
        };
        let inputs = wire::encode_inputs(inputs).map_err(|inexact| {
            Failure::refused(format!(
                "{} [{}] was not registered: its input {inexact}",
                request.name, request.r#type
            ))
        })?;
        let mut dependencies = inputs.all_dependencies;
        dependencies.extend(std::mem::take(&mut request.dependencies));
        request.dependencies = dependencies.into_iter().collect();
        request.property_dependencies = property_dependencies(inputs.dependencies);
        request.object = Some(inputs.object);
        if request.parent.is_empty() {
            request.parent.clone_from(&self.0.stack);
        }
        let basics = basics();
        request.accept_secrets = basics.accept_secrets;
        request.supports_partial_values = basics.supports_partial_values;
        request.supports_result_reporting = basics.supports_result_reporting;
        request.alias_specs = basics.alias_specs;

        let is_component = !request.custom;
        // What exists is known, in a preview too.
        let in_preview = self.0.in_preview && existing.is_none() && !is_component;
        let response = match existing {
            Some(id) => self.read(id, request).await?,
            None => self.create(request, read_timeout).await?,
        };
        // Resources that `--target` and `destroy --run-program` leave out are answered without an
        // id: their outputs are unknown, as in a preview.
        let left_out = response.id.is_empty() && !is_component;
        if left_out {
            self.left_out().insert(response.urn.clone());
        }
        let itself = HashSet::from([response.urn.clone()]);
        let mut fields = wire::decode_fields(response.object.unwrap_or_default(), &itself);
        for (name, dependencies) in response.property_dependencies {
            if let Some(value) = fields.get_mut(&name) {
                value.dependencies.extend(dependencies.urns);
            }
        }
        Ok(Answer {
            urn: said(response.urn),
            id: said(response.id),
            fields,
            rest_is_unknown: in_preview || left_out,
            dependencies: itself,
        })
    }

    async fn create(
        &self,
        request: pulumirpc::RegisterResourceRequest,
        read_timeout: Option<String>,
    ) -> Result<pulumirpc::RegisterResourceResponse, Failure> {
        let subject = format!("{} [{}]", request.name, request.r#type);
        let urn = urn::child(&request.parent, &request.r#type, &request.name);
        let what = format!("{subject} was not registered");
        let channel = self.0.channel.clone();
        let response = self
            .call(async |mut monitor| match read_timeout {
                None => monitor.register_resource(request).await,
                Some(read) => extended::register_resource(channel, request, read).await,
            })
            .await
            .map_err(|status| Failure::of(&status, urn, &what))?;
        match response.result() {
            pulumirpc::Result::Success => Ok(response),
            pulumirpc::Result::Fail | pulumirpc::Result::Skip => Err(Failure::Told),
        }
    }

    /// Reads an existing resource.
    async fn read(
        &self,
        id: String,
        request: pulumirpc::RegisterResourceRequest,
    ) -> Result<pulumirpc::RegisterResourceResponse, Failure> {
        let subject = format!("{} [{}]", request.name, request.r#type);
        let urn = urn::child(&request.parent, &request.r#type, &request.name);
        let what = format!("{subject} was not read");
        let request = pulumirpc::ReadResourceRequest {
            id: id.clone(),
            r#type: request.r#type,
            name: request.name,
            parent: request.parent,
            properties: request.object,
            dependencies: request.dependencies,
            provider: request.provider,
            version: request.version,
            plugin_download_url: request.plugin_download_url,
            package_ref: request.package_ref,
            accept_secrets: request.accept_secrets,
            additional_secret_outputs: request.additional_secret_outputs,
            ..pulumirpc::ReadResourceRequest::default()
        };
        let response = self
            .call(async |mut monitor| monitor.read_resource(request).await)
            .await
            .map_err(|status| Failure::of(&status, urn, &what))?;
        Ok(pulumirpc::RegisterResourceResponse {
            urn: response.urn,
            id: if id == UNKNOWN { String::new() } else { id },
            object: response.properties,
            ..pulumirpc::RegisterResourceResponse::default()
        })
    }
}

fn said(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn property_dependencies(
    dependencies: impl IntoIterator<Item = (String, BTreeSet<String>)>,
) -> HashMap<String, PropertyDependencies> {
    dependencies
        .into_iter()
        .map(|(name, urns)| {
            let urns = urns.into_iter().collect();
            (name, PropertyDependencies { urns })
        })
        .collect()
}
