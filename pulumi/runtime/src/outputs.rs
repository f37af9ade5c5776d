//! The outputs of the stack and its components: registered when all of them are known.

use futures::FutureExt as _;
use futures::future::{BoxFuture, join, join_all};
use pulumi_gestalt_model::PulumiValue;
use pulumi_gestalt_proto::pulumi::pulumirpc;

use crate::answer::Answered;
use crate::engine::{Engine, Failure, lock};
use crate::wire;

/// What the program has said so far.
#[derive(Default)]
pub struct Outputs {
    stack: Option<Vec<Output>>,
    components: Vec<Component>,
    /// Whether those of the stack, which are registered once, are gone from here.
    taken: bool,
}

type Output = (String, BoxFuture<'static, PulumiValue>);

struct Component {
    answered: Answered,
    outputs: Vec<Output>,
}

/// A component whose outputs are being collected.
#[derive(Debug, Clone, Copy)]
pub struct ComponentHandle(usize);

impl std::fmt::Debug for Outputs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Outputs").finish_non_exhaustive()
    }
}

impl Outputs {
    pub(crate) fn is_empty(&self) -> bool {
        self.components.is_empty()
    }
}

impl Engine {
    /// An output of the stack.
    pub fn export(&self, name: String, value: impl Future<Output = PulumiValue> + Send + 'static) {
        let mut outputs = lock(&self.0.outputs);
        let stack = outputs.stack.get_or_insert_default();
        stack.push((name, value.boxed()));
    }

    /// A component, whose registration is complete when its outputs are registered.
    pub fn component(&self, answered: Answered) -> ComponentHandle {
        let mut outputs = lock(&self.0.outputs);
        outputs.components.push(Component {
            answered,
            outputs: Vec::new(),
        });
        ComponentHandle(outputs.components.len() - 1)
    }

    /// An output of a component.
    pub fn component_output(
        &self,
        component: ComponentHandle,
        name: String,
        value: impl Future<Output = PulumiValue> + Send + 'static,
    ) {
        if let Some(component) = lock(&self.0.outputs).components.get_mut(component.0) {
            component.outputs.push((name, value.boxed()));
        }
    }

    /// Has all of it registered, each part by itself.
    pub(crate) fn register_outputs(&self) {
        let (stack, components) = {
            let mut outputs = lock(&self.0.outputs);
            let stack = (!outputs.taken).then(|| outputs.stack.take().unwrap_or_default());
            outputs.taken = true;
            (stack, std::mem::take(&mut outputs.components))
        };
        if let Some(outputs) = stack {
            let engine = self.clone();
            self.spawn(async move {
                let values = resolve(outputs).await;
                engine.send_outputs(engine.0.stack.clone(), values).await;
            });
        }
        for Component { answered, outputs } in components {
            let engine = self.clone();
            self.spawn(async move {
                let (answer, values) = join(answered, resolve(outputs)).await;
                if let Some(urn) = answer.urn.clone() {
                    engine.send_outputs(urn, values).await;
                }
            });
        }
    }

    /// Outputs that depend on what failed are not registered: those from the last time stay.
    async fn send_outputs(&self, urn: String, outputs: Vec<(String, PulumiValue)>) {
        let is_stack = urn == self.0.stack;
        if outputs.iter().any(|(_, value)| value.has_failed()) || (is_stack && self.has_failed()) {
            return;
        }
        let sent = async {
            let outputs = wire::encode_outputs(outputs).map_err(|inexact| Failure::Refused {
                message: format!("the outputs were not registered: {inexact}"),
                urn: Some(urn.clone()),
            })?;
            let request = pulumirpc::RegisterResourceOutputsRequest {
                urn: urn.clone(),
                outputs: Some(outputs),
            };
            self.call(async |mut monitor| monitor.register_resource_outputs(request).await)
                .await
                .map_err(|status| {
                    Failure::of(
                        &status,
                        Some(urn.clone()),
                        "its outputs were not registered",
                    )
                })
        };
        if let Err(failure) = sent.await {
            self.fail(failure).await;
        }
    }
}

async fn resolve(outputs: Vec<Output>) -> Vec<(String, PulumiValue)> {
    let outputs = outputs
        .into_iter()
        .map(|(name, value)| async { (name, value.await) });
    join_all(outputs).await
}
