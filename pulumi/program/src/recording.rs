//! A record of what a program registers through one context, for a resource that has to change
//! whenever one of the others changes.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use pulumi_gestalt_model::{PulumiValue, ResolvedOutput, ToPulumiValue as _};
use pulumi_gestalt_rust::Output;
use pulumi_gestalt_rust_integration::wire::{is_unset, to_json};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::panics;
use crate::resource::Urn;

/// A context that remembers every resource that is registered through it, with all of its inputs.
///
/// A binding takes it where it wants a [`Context`]. It records the inputs as the engine gets them,
/// so that an input that is added to the program later is recorded too.
///
/// ```no_run
/// # use pulumi_program::{Options, Output, Program, Recording};
/// # mod route {
/// #     pub fn create(_: &pulumi_program::Context, _: &str) {}
/// # }
/// # fn stack(program: &Program) {
/// let routes = Recording::new(program);
/// route::create(&routes, "orders");
/// let version: Output<String> = routes.definitions().map(|all| all.to_string());
/// let after_them = Options::new().depends_on(&routes.urns().iter().collect::<Vec<_>>());
/// # }
/// ```
#[derive(Debug)]
pub struct Recording {
    context: Context,
    records: Records,
}

/// The list that a context adds to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    resources: Vec<Record>,
    read: bool,
}

#[derive(Debug, Clone)]
struct Record {
    r#type: String,
    name: String,
    urn: Urn,
    inputs: Vec<(String, Output<PulumiValue>)>,
}

impl Recording {
    /// An empty one; what is registered through it is registered in `context`.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        let records = Records::default();
        Self {
            context: context.recorded_in(records.clone()),
            records,
        }
    }

    /// The URNs of the resources so far, in the order of their registration.
    #[must_use]
    pub fn urns(&self) -> Vec<Urn> {
        let list = self.records.lock();
        list.resources.iter().map(|one| one.urn.clone()).collect()
    }

    /// A list of `{"type": …, "name": …, "inputs": {…}}`, in the order of type and name. An input
    /// that is not set is absent; an asset or an archive is its path alone, not what is in it.
    ///
    /// It is unknown when an input of any of them is, a secret when one is, and depends on all that
    /// they depend on. A resource that is registered through this recording after the call ends the
    /// program: the list would lack it.
    pub fn definitions(&self) -> Output<Value> {
        let mut list = self.records.lock();
        list.read = true;
        let mut resources = list.resources.clone();
        resources.sort_by(|one, other| (&one.r#type, &one.name).cmp(&(&other.r#type, &other.name)));
        Output::from_resolved_future(async move {
            let mut together = Together::default();
            let mut definitions = Some(Vec::with_capacity(resources.len()));
            for resource in resources {
                let definition = together.definition(resource).await;
                definitions = definitions.zip(definition).map(|(mut all, definition)| {
                    all.push(definition);
                    all
                });
            }
            ResolvedOutput {
                value: definitions.map(Value::from),
                secret: together.secret,
                dependencies: together.dependencies,
            }
        })
    }
}

impl Deref for Recording {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

impl Records {
    pub(crate) fn add(
        &self,
        r#type: String,
        name: String,
        urn: Urn,
        inputs: Vec<(String, Output<PulumiValue>)>,
    ) {
        let mut list = self.lock();
        if list.read {
            drop(list);
            panics::end(format!(
                "{name} [{type}] is registered through a recording whose definitions have been \
                 read already, so that they lack it: read them after the last registration"
            ));
        }
        list.resources.push(Record {
            r#type,
            name,
            urn,
            inputs,
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
struct Together {
    secret: bool,
    dependencies: HashSet<String>,
}

impl Together {
    /// `None` when an input is unknown.
    async fn definition(&mut self, resource: Record) -> Option<Value> {
        let mut inputs = Some(Map::new());
        for (name, input) in resource.inputs {
            let input = input.to_pulumi_value().await;
            self.secret |= input.contains_secret();
            self.collect_dependencies(&input);
            if !is_unset(&input) {
                inputs = inputs.zip(to_json(&input)).map(|(mut inputs, value)| {
                    inputs.insert(name, value);
                    inputs
                });
            }
        }
        let definition = Map::from_iter([
            ("type".to_owned(), resource.r#type.into()),
            ("name".to_owned(), resource.name.into()),
            ("inputs".to_owned(), inputs?.into()),
        ]);
        Some(definition.into())
    }

    fn collect_dependencies(&mut self, value: &PulumiValue) {
        self.dependencies.extend(value.dependencies.iter().cloned());
        for child in value.content.children() {
            self.collect_dependencies(child);
        }
    }
}
