//! Hooks: functions of the program that the engine calls before and after it does something to a
//! resource.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_rust_integration::engine::{Engine, Failure};
use pulumi_gestalt_rust_integration::wire;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::context::Context;

/// A function that the engine calls before or after it does something to a resource. An error
/// before stops the operation, and an error after is a warning.
///
/// ```no_run
/// # use pulumi_program::{Hook, Options, Program, When};
/// # fn stack(program: &Program) {
/// let smoke_test = Hook::new(program, "smoke-test", |event| {
///     println!("{} is there as {}", event.name, event.id);
///     Ok(())
/// });
/// let options = Options::new().hook(When::AfterCreate, &smoke_test);
/// # }
/// ```
///
/// Before and after a deletion it is called as long as the program has a hook of this name; by
/// `pulumi destroy` only with `--run-program`, because otherwise the program does not run.
#[derive(Clone)]
pub struct Hook(Arc<Inner>);

struct Inner {
    name: String,
    in_preview: bool,
    run: Arc<dyn Fn(Event) -> Result<()> + Send + Sync>,
    registered: OnceCell<Result<(), Failure>>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Hook").field(&self.0.name).finish()
    }
}

/// When a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    BeforeCreate,
    AfterCreate,
    BeforeUpdate,
    AfterUpdate,
    BeforeDelete,
    AfterDelete,
}

/// What the engine does to a resource. Objects that it does not have are empty; secrets are in them
/// as they are, and what is not known is `null`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    pub urn: String,
    /// Empty before the resource exists.
    pub id: String,
    pub name: String,
    pub r#type: String,
    pub new_inputs: Map<String, Value>,
    pub old_inputs: Map<String, Value>,
    pub new_outputs: Map<String, Value>,
    pub old_outputs: Map<String, Value>,
}

impl Hook {
    /// `name` is the hook's own in the program. The function runs on a thread of its own, and may
    /// block. In a preview it is not called.
    pub fn new(
        context: &Context,
        name: &str,
        run: impl Fn(Event) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::with(context, name, false, run)
    }

    /// One that is called in a preview too.
    pub fn in_previews_too(
        context: &Context,
        name: &str,
        run: impl Fn(Event) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::with(context, name, true, run)
    }

    fn with(
        context: &Context,
        name: &str,
        in_preview: bool,
        run: impl Fn(Event) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let hook = Self(Arc::new(Inner {
            name: name.to_owned(),
            in_preview,
            run: Arc::new(run),
            registered: OnceCell::new(),
        }));
        // The engine needs it for what is deleted too, to which nothing in the program refers.
        let (engine, registered) = (context.engine().clone(), hook.clone());
        context.engine().spawn(async move {
            if let Err(failure) = registered.register(&engine).await {
                engine.fail(failure).await;
            }
        });
        hook
    }

    /// The name, once the engine has it.
    pub(crate) async fn name(&self, engine: &Engine) -> Result<String, Failure> {
        match self.register(engine).await {
            Ok(()) => Ok(self.0.name.clone()),
            // Its own task tells.
            Err(_) => Err(Failure::Told),
        }
    }

    async fn register(&self, engine: &Engine) -> Result<(), Failure> {
        let registered = self.0.registered.get_or_init(|| self.send(engine)).await;
        registered.clone()
    }

    async fn send(&self, engine: &Engine) -> Result<(), Failure> {
        let what = format!("the hook {} was not registered", self.0.name);
        engine.require_feature("resourceHooks", "hooks").await?;
        let callbacks = engine
            .callbacks()
            .await
            .map_err(|error| Failure::refused(format!("{what}: {error:#}")))?;
        let run = Arc::clone(&self.0.run);
        let callback = callbacks.add(move |request: pulumirpc::ResourceHookRequest| {
            let run = Arc::clone(&run);
            async move {
                let called = tokio::task::spawn_blocking(move || run(request.into())).await;
                pulumirpc::ResourceHookResponse {
                    error: match called {
                        Ok(Ok(())) => String::new(),
                        Ok(Err(error)) => format!("{error:#}"),
                        Err(panic) => format!("it panicked: {panic}"),
                    },
                }
            }
        });
        engine
            .register_hook(pulumirpc::RegisterResourceHookRequest {
                name: self.0.name.clone(),
                callback: Some(callback),
                on_dry_run: self.0.in_preview,
            })
            .await
    }
}

impl When {
    pub(crate) fn list(
        self,
        hooks: &mut pulumirpc::register_resource_request::ResourceHooksBinding,
    ) -> &mut Vec<String> {
        match self {
            Self::BeforeCreate => &mut hooks.before_create,
            Self::AfterCreate => &mut hooks.after_create,
            Self::BeforeUpdate => &mut hooks.before_update,
            Self::AfterUpdate => &mut hooks.after_update,
            Self::BeforeDelete => &mut hooks.before_delete,
            Self::AfterDelete => &mut hooks.after_delete,
        }
    }
}

impl From<pulumirpc::ResourceHookRequest> for Event {
    fn from(request: pulumirpc::ResourceHookRequest) -> Self {
        let object = |object: Option<prost_types::Struct>| {
            let fields = object.unwrap_or_default().fields.into_iter();
            fields
                .map(|(name, value)| {
                    let value = wire::to_json(&wire::decode_value(value));
                    (name, value.unwrap_or_default())
                })
                .collect()
        };
        Self {
            urn: request.urn,
            id: request.id,
            name: request.name,
            r#type: request.r#type,
            new_inputs: object(request.new_inputs),
            old_inputs: object(request.old_inputs),
            new_outputs: object(request.new_outputs),
            old_outputs: object(request.old_outputs),
        }
    }
}
