//! The place where resources are registered.
//!
//! The binding says `pulumi_gestalt_rust::Context`, and its crate gives it this crate under that
//! name. From here a request goes to the runtime, which asks the engine.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use pulumi_gestalt_model::{PulumiValue, ResolvedOutput};
use pulumi_gestalt_rust::{FromPulumiValue, Output, Provider, PulumiAny, ToPulumiValue};
use pulumi_gestalt_rust_integration::answer::{Answer, Answered};
use pulumi_gestalt_rust_integration::engine::Engine;
use pulumi_gestalt_rust_integration::registration::resolve;

use crate::members::Members;
use crate::options::{Options, Subject};
use crate::panics;
use crate::recording::Records;
use crate::resource::{Lineage, Resource, Urn};
use crate::schema::{PackageSchema, ResourceSchema};
use crate::transform::Transform;

/// The place where resources are registered; all clones are the same place.
#[derive(Clone)]
pub struct Context {
    engine: Engine,
    transforms: Arc<Mutex<Vec<Transform>>>,
    /// Of the functions that are called through it.
    calls: Option<Options>,
    /// What remembers the resources that are registered through it.
    records: Option<Records>,
}

/// A resource, as a binding or a program registers it.
#[derive(Debug, Default)]
pub struct RegisterResourceRequest<'a> {
    pub type_: String,
    pub name: String,
    /// Of the provider's plugin; empty for whichever there is.
    pub version: String,
    pub object: &'a [ResourceRequestObjectField<'a>],
    pub options: Option<Options>,
    /// What the package's schema says of it.
    pub schema: Option<&'static ResourceSchema>,
    pub package: Option<&'static PackageSchema>,
}

/// A call of a provider's function.
#[derive(Debug, Default)]
pub struct InvokeResourceRequest<'a> {
    pub token: String,
    pub version: String,
    pub object: &'a [ResourceRequestObjectField<'a>],
    pub package: Option<&'static PackageSchema>,
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
        // A value in its own right, whatever it is: an unknown one keeps what it depends on.
        Output::from_resolved_future(async move {
            ResolvedOutput {
                value: Some(output.to_pulumi_value().await),
                secret: false,
                dependencies: Default::default(),
            }
        })
    }
}

/// The outputs of a resource or a function.
pub struct CompositeOutput {
    urn: Urn,
    answered: Answered,
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

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").finish_non_exhaustive()
    }
}

impl Context {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            transforms: Arc::default(),
            calls: None,
            records: None,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The same place, for resources that `records` remembers besides.
    pub(crate) fn recorded_in(&self, records: Records) -> Self {
        Self {
            records: Some(records),
            ..self.clone()
        }
    }

    /// The same context, for functions: a function that is called through it has these options.
    /// Functions take `provider`, `parent` (for its provider), `depends_on`, `version` and
    /// `plugin_download_url`. Registering a resource through it ends the program.
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
            calls: Some(options),
            ..self.clone()
        }
    }

    /// An output whose value is there.
    pub fn new_output<T: Clone + Send + Sync + 'static>(&self, value: &T) -> Output<T> {
        Output::new(value.clone())
    }

    /// One whose value is there, and a secret.
    pub fn new_secret<T: Clone + Send + Sync + 'static>(&self, value: &T) -> Output<T> {
        Output::new_secret(value.clone())
    }

    /// Has every resource of the program changed by `transform`, also those that are described
    /// before this is said. Those of options come first.
    pub fn transform(&self, transform: Transform) {
        let mut transforms = self
            .transforms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        transforms.push(transform);
    }

    /// Registers a resource, as soon as all its inputs are there.
    pub fn register_resource(&self, request: RegisterResourceRequest) -> CompositeOutput {
        let inputs = values(request.object);
        let subject = Subject {
            r#type: request.type_,
            name: request.name,
            version: request.version,
            schema: request.schema,
            package: request.package,
            is_component: false,
        };
        self.register(subject, inputs, request.options.unwrap_or_default(), None)
    }

    pub(crate) fn register_component(
        &self,
        r#type: &str,
        name: &str,
        inputs: Vec<(String, Output<PulumiValue>)>,
        options: Options,
        members: &Members,
    ) -> (Urn, Answered) {
        let subject = Subject {
            r#type: r#type.to_owned(),
            name: name.to_owned(),
            version: String::new(),
            schema: None,
            package: None,
            is_component: true,
        };
        let component = self.register(subject, inputs, options, Some(members));
        (component.urn, component.answered)
    }

    fn register(
        &self,
        subject: Subject,
        inputs: Vec<(String, Output<PulumiValue>)>,
        options: Options,
        members: Option<&Members>,
    ) -> CompositeOutput {
        let text = format!("{} [{}]", subject.name, subject.r#type);
        if self.calls.is_some() {
            panics::end(format!(
                "{text} is given the options of functions, by `calling`: a resource takes its \
                 own, with `create_with_options`"
            ));
        }
        let (r#type, name) = (subject.r#type.clone(), subject.name.clone());
        let options = options.now();
        let mut lineage = options.lineage();
        lineage.components.extend(members.cloned());
        let siblings = options.siblings().cloned();
        let recorded = self.records.as_ref().map(|_| inputs.clone());

        let (engine, stack) = (self.engine.clone(), Arc::clone(&self.transforms));
        let transforms = lineage.transforms.clone();
        let answered = self
            .engine
            .register(r#type.clone(), name.clone(), async move {
                let inputs = resolve(inputs).await?;
                let stack = stack.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let transforms = [transforms, stack].concat();
                options.settle(&engine, subject, inputs, &transforms).await
            });
        let urn = output_of(&answered, |answer| answer.urn());
        let urn = Urn::new(urn, lineage);
        if let Some(siblings) = siblings {
            siblings.add(urn.clone());
            if let Some(members) = members {
                siblings.add_component(members.clone());
            }
        }
        if let (Some(records), Some(inputs)) = (&self.records, recorded) {
            records.add(r#type, name, urn.clone(), inputs);
        }
        CompositeOutput {
            urn,
            answered,
            subject: text,
        }
    }

    /// Calls a provider's function, as soon as all its arguments are there.
    pub fn invoke_resource(&self, request: InvokeResourceRequest) -> CompositeOutput {
        let arguments = values(request.object);
        let options = self.calls.clone().unwrap_or_default().now();
        let subject = Subject {
            r#type: request.token.clone(),
            name: String::new(),
            version: request.version,
            schema: None,
            package: request.package,
            is_component: false,
        };
        let engine = self.engine.clone();
        let answered = self.engine.invoke(request.token.clone(), async move {
            let arguments = resolve(arguments).await?;
            options.settle_call(&engine, subject, arguments).await
        });
        let urn = output_of(&answered, |answer| answer.urn());
        CompositeOutput {
            urn: Urn::new(urn, Lineage::default()),
            answered,
            subject: request.token,
        }
    }
}

fn values(object: &[ResourceRequestObjectField]) -> Vec<(String, Output<PulumiValue>)> {
    object
        .iter()
        .map(|field| (field.name.clone(), field.value.value()))
        .collect()
}

fn output_of<T: Send + Sync + 'static>(
    answered: &Answered,
    take: impl FnOnce(&Answer) -> ResolvedOutput<T> + Send + 'static,
) -> Output<T> {
    let answered = answered.clone();
    Output::from_resolved_future(async move { take(&*answered.await) })
}

impl CompositeOutput {
    /// An output by its name. One that is not of type `T` ends the program, when it is used.
    pub fn get_field<T>(&self, key: &str) -> Output<T>
    where
        T: FromPulumiValue + Send + Sync + 'static,
    {
        let what = format!("the output {key} of {}", self.subject);
        self.field(key, move |value| {
            T::from_pulumi_value(&value)
                .unwrap_or_else(|error| panics::end(format!("{what}: {error}")))
        })
    }

    /// An output of any type.
    pub fn get_field_any(&self, key: &str) -> Output<PulumiAny> {
        self.field(key, PulumiAny::ready)
    }

    /// Unknown in a preview when the resource does not exist yet.
    pub fn get_id(&self) -> Output<String> {
        output_of(&self.answered, Answer::id)
    }

    pub fn get_urn(&self) -> Urn {
        self.urn.clone()
    }

    /// `URN::ID`, by which other resources refer to this one as their provider. It is known even
    /// in a preview in which the provider does not exist yet: the id in it then says so.
    pub fn get_provider_id(&self) -> Output<String> {
        output_of(&self.answered, Answer::provider_reference)
    }

    fn field<T: Send + Sync + 'static>(
        &self,
        key: &str,
        convert: impl FnOnce(PulumiValue) -> T + Send + 'static,
    ) -> Output<T> {
        let key = key.to_owned();
        output_of(&self.answered, move |answer| {
            let ResolvedOutput {
                value,
                secret,
                dependencies,
            } = answer.field(&key);
            ResolvedOutput {
                value: value.map(convert),
                secret,
                dependencies,
            }
        })
    }
}

impl Provider for CompositeOutput {
    fn get_provider_id(&self) -> Output<String> {
        self.get_provider_id()
    }
}

impl Resource for CompositeOutput {
    fn urn(&self) -> &Urn {
        &self.urn
    }
}
