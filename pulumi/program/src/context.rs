//! Gestalt's context, as the generated binding finds it.
//!
//! The binding says `pulumi_gestalt_rust::Context`, and its crate gives it this crate under that
//! name. So the generated code stays as it is, and a resource gets what Gestalt drops on the way:
//! its options, and what an unknown or absent output depends on.

use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use pulumi_gestalt_grpc_connection::UNKNOWN;
use pulumi_gestalt_grpc_connection::options::ARGUMENT;
use pulumi_gestalt_model::{PulumiValue, PulumiValueContent, ResolvedOutput};
use pulumi_gestalt_rust as gestalt;
use pulumi_gestalt_rust::{FromPulumiValue, Output, Provider, PulumiAny, ToPulumiValue};

use crate::options::Options;
use crate::panics;
use crate::recording::Records;

/// The place where resources are registered.
pub struct Context {
    gestalt: Arc<gestalt::Context>,
    /// Of the functions that are called through it.
    calls: Option<Options>,
    /// What remembers the resources that are registered through it.
    records: Option<Records>,
}

/// A resource, as a binding or a program registers it.
#[derive(Debug)]
pub struct RegisterResourceRequest<'a> {
    pub type_: String,
    pub name: String,
    /// Of the provider's plugin; empty for whichever there is.
    pub version: String,
    pub object: &'a [ResourceRequestObjectField<'a>],
    pub options: Option<Options>,
}

/// A call of a provider's function.
#[derive(Debug)]
pub struct InvokeResourceRequest<'a> {
    pub token: String,
    pub version: String,
    pub object: &'a [ResourceRequestObjectField<'a>],
}

/// One input of a resource, or argument of a function.
pub struct ResourceRequestObjectField<'a> {
    pub name: String,
    pub value: &'a dyn Field,
}

impl fmt::Debug for ResourceRequestObjectField<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResourceRequestObjectField")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// An output of any type, as an input.
pub trait Field {
    fn value(&self) -> Output<PulumiValue>;
}

impl<T: ToPulumiValue + Send + Sync + 'static> Field for Output<T> {
    fn value(&self) -> Output<PulumiValue> {
        let output = self.clone();
        // Known to Gestalt, whatever it is: it keeps what a value depends on only so.
        Output::from_resolved_future(async move {
            ResolvedOutput {
                value: Some(output.to_pulumi_value().await),
                secret: false,
                dependencies: HashSet::new(),
            }
        })
    }
}

/// The outputs of a resource or a function.
pub struct CompositeOutput {
    gestalt: gestalt::CompositeOutput,
    origin: Arc<Origin>,
    /// For messages: `NAME [TYPE]`, or a function's token.
    subject: String,
}

impl fmt::Debug for CompositeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("CompositeOutput")
            .field(&self.subject)
            .finish()
    }
}

/// What outputs depend on.
enum Origin {
    Resource(Output<String>),
    Function(Vec<Output<PulumiValue>>),
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").finish_non_exhaustive()
    }
}

impl Context {
    pub(crate) fn new() -> Self {
        Self {
            gestalt: Arc::new(gestalt::Context::new()),
            calls: None,
            records: None,
        }
    }

    /// The same place, for resources that `records` remembers besides.
    pub(crate) fn recorded_in(&self, records: Records) -> Self {
        Self {
            gestalt: Arc::clone(&self.gestalt),
            calls: self.calls.clone(),
            records: Some(records),
        }
    }

    /// The same place, for functions: what is called through it has these options, of which
    /// functions have `provider`, `parent`, whose provider they take, `depends_on` and `version`.
    /// A resource that is registered through it ends the program.
    ///
    /// ```no_run
    /// # use pulumi_program::{Options, Program, Provider};
    /// # mod get_region {
    /// #     pub fn invoke(_: &pulumi_program::Context) {}
    /// # }
    /// # fn stack(program: &Program, london: &impl Provider) {
    /// let region = get_region::invoke(&program.calling(Options::new().provider(london)));
    /// # }
    /// ```
    #[must_use]
    pub fn calling(&self, options: Options) -> Self {
        Self {
            gestalt: Arc::clone(&self.gestalt),
            calls: Some(options),
            records: self.records.clone(),
        }
    }

    /// Registers a resource, as soon as all its inputs are there.
    pub fn register_resource(&self, request: RegisterResourceRequest) -> CompositeOutput {
        let subject = format!("{} [{}]", request.name, request.type_);
        if self.calls.is_some() {
            panics::end(format!(
                "{subject} is given the options of functions, by `calling`: a resource takes its \
                 own, with `create_with_options`"
            ));
        }
        let values: Vec<_> = request
            .object
            .iter()
            .map(|field| field.value.value())
            .collect();
        let siblings = request
            .options
            .as_ref()
            .and_then(Options::siblings)
            .cloned();
        let gestalt = self
            .gestalt
            .register_resource(gestalt::RegisterResourceRequest {
                type_: request.type_.clone(),
                name: request.name.clone(),
                version: request.version,
                object: &fields(request.object, &values),
                options: request.options.map(Options::into_gestalt),
            });
        if let Some(siblings) = siblings {
            siblings.add(gestalt.get_urn());
        }
        if let Some(records) = &self.records {
            let names = request.object.iter().map(|field| field.name.clone());
            let inputs = names.zip(values).collect();
            records.add(request.type_, request.name, gestalt.get_urn(), inputs);
        }
        CompositeOutput {
            origin: Arc::new(Origin::Resource(gestalt.get_urn())),
            gestalt,
            subject,
        }
    }

    /// Calls a provider's function, as soon as all its arguments are there.
    pub fn invoke_resource(&self, request: InvokeResourceRequest) -> CompositeOutput {
        let subject = request.token.clone();
        let mut values: Vec<_> = request
            .object
            .iter()
            .map(|field| field.value.value())
            .collect();
        values.extend(self.calls.clone().map(Options::into_argument));
        let mut arguments = fields(request.object, &values);
        if self.calls.is_some() {
            arguments.extend(
                values
                    .last()
                    .map(|options| gestalt::ResourceRequestObjectField {
                        name: ARGUMENT.to_owned(),
                        value: options,
                    }),
            );
        }
        let gestalt = self
            .gestalt
            .invoke_resource(gestalt::InvokeResourceRequest {
                token: request.token,
                version: request.version,
                object: &arguments,
            });
        CompositeOutput {
            gestalt,
            origin: Arc::new(Origin::Function(values)),
            subject,
        }
    }
}

impl Deref for Context {
    type Target = gestalt::Context;

    fn deref(&self) -> &gestalt::Context {
        &self.gestalt
    }
}

fn fields<'a>(
    object: &[ResourceRequestObjectField],
    values: &'a [Output<PulumiValue>],
) -> Vec<gestalt::ResourceRequestObjectField<'a>> {
    object
        .iter()
        .zip(values)
        .map(|(field, value)| gestalt::ResourceRequestObjectField {
            name: field.name.clone(),
            value,
        })
        .collect()
}

impl CompositeOutput {
    /// An output by its name. One that is not of type `T` ends the program, when it is used.
    pub fn get_field<T>(&self, key: &str) -> Output<T>
    where
        T: FromPulumiValue + Send + Sync + 'static,
    {
        let what = format!("the output {key} of {}", self.subject);
        self.with_origin(self.gestalt.get_field_any(key), move |value| {
            T::from_pulumi_value(&value)
                .unwrap_or_else(|error| panics::end(format!("{what}: {error}")))
        })
    }

    /// An output of any type.
    pub fn get_field_any(&self, key: &str) -> Output<PulumiAny> {
        self.with_origin(self.gestalt.get_field_any(key), PulumiAny::ready)
    }

    /// Unknown in a preview when the resource does not exist yet.
    pub fn get_id(&self) -> Output<String> {
        self.with_origin(self.gestalt.get_id(), text)
    }

    pub fn get_urn(&self) -> Output<String> {
        self.gestalt.get_urn()
    }

    /// `URN::ID`, by which other resources refer to this one as their provider. It is known even
    /// in a preview in which the provider does not exist yet: the id in it then says so.
    pub fn get_provider_id(&self) -> Output<String> {
        let (urn, id) = (self.get_urn(), self.get_id());
        Output::from_resolved_future(async move {
            let (urn, id) = (urn.resolve().await, id.resolve().await);
            let id = id.value.as_deref().unwrap_or(UNKNOWN).to_owned();
            ResolvedOutput {
                value: urn.value.map(|urn| format!("{urn}::{id}")),
                secret: false,
                dependencies: urn.dependencies,
            }
        })
    }

    /// Gestalt forgets what a value depends on that is unknown or absent.
    fn with_origin<V, T>(
        &self,
        output: Output<V>,
        convert: impl FnOnce(PulumiValue) -> T + Send + 'static,
    ) -> Output<T>
    where
        V: ToPulumiValue + Clone + Send + Sync + 'static,
        T: Send + Sync + 'static,
    {
        let origin = self.origin.clone();
        Output::from_resolved_future(async move {
            let mut resolved = output.resolve().await;
            resolved.dependencies.extend(origin.dependencies().await);
            let value = match resolved.value {
                None => None,
                Some(value) => Some(convert(value.to_pulumi_value().await)),
            };
            ResolvedOutput {
                value,
                secret: resolved.secret,
                dependencies: resolved.dependencies,
            }
        })
    }
}

impl Provider for CompositeOutput {
    fn get_provider_id(&self) -> Output<String> {
        self.get_provider_id()
    }
}

impl Origin {
    async fn dependencies(&self) -> HashSet<String> {
        match self {
            Self::Resource(urn) => urn.resolve().await.value.into_iter().collect(),
            Self::Function(arguments) => {
                let mut all = HashSet::new();
                for argument in arguments {
                    all.extend(argument.to_pulumi_value().await.dependencies);
                }
                all
            }
        }
    }
}

fn text(value: PulumiValue) -> String {
    match value.content {
        PulumiValueContent::String(text) => text,
        other => panics::end(format!("the engine gave {other:?} where a text belongs")),
    }
}
