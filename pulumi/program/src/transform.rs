//! Changes of resources, made in one place: tags for everything, protection for a type.

use std::fmt;
use std::sync::Arc;

use pulumi_gestalt_model::{PulumiValue, PulumiValueContent as Content};
use pulumi_gestalt_rust::{Output, PulumiAny};
use pulumi_gestalt_rust_integration::registration::Values;
use pulumi_gestalt_rust_integration::wire;
use serde_json::Value;

use crate::input::Input;
use crate::options::Options;

/// Changes resources before they are registered: all of the program by
/// [`Context::transform`](crate::Context::transform), or a resource and all that is under it by
/// [`Options::transform`].
///
/// ```no_run
/// # use pulumi_program::{Options, Program, Transform};
/// # fn stack(program: &Program) {
/// program.transform(Transform::new(|resource| {
///     if resource.takes("tags") {
///         resource.add_to_map("tags", [("team", "orders")]);
///     }
///     if resource.r#type() == "aws:s3/bucket:Bucket" {
///         resource.add_options(Options::new().protect(true));
///     }
/// }));
/// # }
/// ```
///
/// It runs when all inputs are known, or will stay unknown in a preview.
#[derive(Clone)]
pub struct Transform(Arc<dyn Fn(&mut Transformed) + Send + Sync>);

impl fmt::Debug for Transform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transform").finish_non_exhaustive()
    }
}

/// A resource that is about to be registered.
#[derive(Debug)]
pub struct Transformed {
    r#type: String,
    name: String,
    is_component: bool,
    inputs: Values,
    pub(crate) set: Vec<(String, Output<PulumiValue>)>,
    pub(crate) options: Vec<Options>,
}

impl Transform {
    pub fn new(change: impl Fn(&mut Transformed) + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }

    pub(crate) fn apply(&self, resource: &mut Transformed) {
        self.0(resource);
    }
}

impl Transformed {
    pub(crate) fn new(r#type: &str, name: &str, is_component: bool, inputs: Values) -> Self {
        Self {
            r#type: r#type.to_owned(),
            name: name.to_owned(),
            is_component,
            inputs,
            set: Vec::new(),
            options: Vec::new(),
        }
    }

    pub(crate) fn into_inputs(self) -> Values {
        self.inputs
    }

    pub fn r#type(&self) -> &str {
        &self.r#type
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_component(&self) -> bool {
        self.is_component
    }

    /// Whether the resource has an input of this name, be it set or not.
    pub fn takes(&self, input: &str) -> bool {
        self.inputs.iter().any(|(name, _)| name == input)
    }

    /// An input as JSON; `None` when it is not set, or not known. Secrets are in it as they are.
    pub fn input(&self, name: &str) -> Option<Value> {
        let value = self.value(name)?;
        match wire::is_unset(value) {
            true => None,
            false => wire::to_json(value),
        }
    }

    /// Gives an input another value: `resource.set("days", pulumi_any!(30))`.
    pub fn set(&mut self, name: &str, value: PulumiAny) {
        let value = Input::<PulumiAny>::any(value).into_value();
        self.set.retain(|(other, _)| other != name);
        self.set.push((name.to_owned(), value));
    }

    /// Adds entries to an input that is a map of texts. What is in it already stays as it is, and so
    /// does a map that is not known as a whole.
    pub fn add_to_map<K: ToString, V: ToString>(
        &mut self,
        name: &str,
        entries: impl IntoIterator<Item = (K, V)>,
    ) {
        let entries: Vec<_> = entries
            .into_iter()
            .map(|(key, value)| (key.to_string(), Content::String(value.to_string()).into()))
            .collect();
        if entries.is_empty() {
            return;
        }
        let slot = self.inputs.iter_mut().find(|(other, _)| other == name);
        let Some((_, value)) = slot else {
            let value = Content::Object(entries).into();
            self.inputs.push((name.to_owned(), value));
            return;
        };
        match &mut value.content {
            Content::Object(present) => {
                for (key, value) in entries {
                    if !present.iter().any(|(other, _)| *other == key) {
                        present.push((key, value));
                    }
                }
            }
            Content::None | Content::Absent(_) => value.content = Content::Object(entries),
            _ => {}
        }
    }

    /// Says more options; those that are said already, and are no list, give way. It cannot change
    /// the parent, nor make it an existing resource.
    pub fn add_options(&mut self, options: Options) {
        self.options.push(options);
    }

    fn value(&self, name: &str) -> Option<&PulumiValue> {
        let found = self.inputs.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value)
    }
}
