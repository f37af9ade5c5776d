//! Components: the parts of a stack, with their resources under them.

use pulumi_gestalt_model::PulumiValue;
use pulumi_gestalt_rust::{Output, ToPulumiValue};
use pulumi_gestalt_rust_integration::outputs::ComponentHandle;

use crate::context::Context;
use crate::input::Input;
use crate::members::Members;
use crate::options::Options;
use crate::resource::{Resource, Urn};

/// A resource that groups others: `pulumi up` shows those that have it as their parent under it.
///
/// ```no_run
/// # use pulumi_program::{Component, Options, Output, Program};
/// # fn stack(program: &Program, bucket_name: Output<String>) {
/// let storage = Component::new(program, "shop:index:Storage", "storage", Options::new());
/// let in_storage = Options::new().parent(&storage);
/// // bucket::create_with_options(program, "orders", args, in_storage.clone());
/// storage.output("bucket", &bucket_name);
/// # }
/// ```
#[derive(Debug)]
pub struct Component {
    pub urn: Urn,
    members: Members,
    context: Context,
    handle: ComponentHandle,
}

impl Component {
    /// `type` has the form `package:module:Name`. Of the options a component itself takes `parent`,
    /// `depends_on` and aliases. The resources under it inherit its `protect`, `retain_on_delete`,
    /// `deleted_with` and transforms, and the provider of their package.
    pub fn new(context: &Context, r#type: &str, name: &str, options: Options) -> Self {
        Self::with_inputs(context, r#type, name, Vec::new(), options)
    }

    /// The same, with inputs: the engine keeps them in the state, and a preview shows when they
    /// change.
    ///
    /// ```no_run
    /// # use pulumi_program::{Component, Input, Options, Program};
    /// # fn stack(program: &Program) {
    /// let days: Input<i32> = 30.into();
    /// let inputs = vec![("retentionInDays".to_owned(), days.into())];
    /// let storage =
    ///     Component::with_inputs(program, "shop:index:Storage", "storage", inputs, Options::new());
    /// # }
    /// ```
    pub fn with_inputs(
        context: &Context,
        r#type: &str,
        name: &str,
        inputs: Vec<(String, Output<PulumiValue>)>,
        options: Options,
    ) -> Self {
        let members = Members::default();
        let (urn, answered) = context.register_component(r#type, name, inputs, options, &members);
        Self {
            handle: context.engine().component(answered),
            context: context.clone(),
            urn,
            members,
        }
    }

    /// Makes `output` an output of this component.
    pub fn output<T>(&self, name: &str, output: &Output<T>)
    where
        T: ToPulumiValue + Send + Sync + 'static,
    {
        let output = output.clone();
        let value = async move { output.to_pulumi_value().await };
        self.context
            .engine()
            .component_output(self.handle, name.to_owned(), value);
    }
}

impl Resource for Component {
    fn urn(&self) -> &Urn {
        &self.urn
    }

    fn members(&self) -> Option<&Members> {
        Some(&self.members)
    }
}

impl<T> From<Input<T>> for Output<PulumiValue> {
    fn from(input: Input<T>) -> Self {
        input.into_value()
    }
}
