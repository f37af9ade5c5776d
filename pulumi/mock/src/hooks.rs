//! Calls the program's hooks, as the engine does.

use prost::Message as _;
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumirpc::callbacks_client::CallbacksClient;
use pulumirpc::register_resource_request::ResourceHooksBinding;
use tonic::Status;

use crate::journal::Journal;
use crate::resource::Resource;

/// Calls those of a resource in turn; the first that fails is the last.
pub(crate) async fn call(
    journal: &Journal,
    resource: &Resource,
    which: impl Fn(&ResourceHooksBinding) -> &Vec<String>,
) -> Result<(), Status> {
    let names = resource.request.hooks.as_ref().map(which);
    for name in names.into_iter().flatten() {
        let callback = journal.read().hooks.get(name).cloned();
        let callback =
            callback.ok_or_else(|| Status::unknown(format!("there is no hook named {name}")))?;
        let request = pulumirpc::ResourceHookRequest {
            urn: resource.urn.clone(),
            name: resource.name.clone(),
            r#type: resource.r#type.clone(),
            new_inputs: resource.request.object.clone(),
            ..pulumirpc::ResourceHookRequest::default()
        };
        let mut client = CallbacksClient::connect(format!("http://{}", callback.target))
            .await
            .map_err(|error| Status::unknown(error.to_string()))?;
        let request = pulumirpc::CallbackInvokeRequest {
            token: callback.token,
            request: request.encode_to_vec(),
        };
        let response = client.invoke(request).await?.into_inner().response;
        let response = pulumirpc::ResourceHookResponse::decode(response.as_slice())
            .map_err(|error| Status::unknown(error.to_string()))?;
        if !response.error.is_empty() {
            let error = response.error;
            return Err(Status::unknown(format!("the hook {name} failed: {error}")));
        }
    }
    Ok(())
}
