//! Components: the parts of a stack, with their resources under them.

use pulumi_gestalt_grpc_connection::session::{ComponentHandle, Session};
use pulumi_gestalt_rust::{Output, ToPulumiValue};

use crate::context::RegisterResourceRequest;
use crate::members::Members;
use crate::options::Options;
use crate::program::Program;

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
    pub urn: Output<String>,
    pub(crate) members: Members,
    pub(crate) providers: Vec<Output<String>>,
    handle: ComponentHandle,
}

impl Component {
    /// `type` has the form `package:module:Name`. Of the options, a component has `parent`,
    /// `depends_on` and aliases; what is under it inherits its `protect`, `retain_on_delete`,
    /// `deleted_with`, and of its providers the one of its package.
    pub fn new(program: &Program, r#type: &str, name: &str, options: Options) -> Self {
        let members = Members::default();
        if let Some(siblings) = options.siblings() {
            siblings.add_component(members.clone());
        }
        let providers = options.providers();
        let urn = program
            .register_resource(RegisterResourceRequest {
                type_: r#type.to_owned(),
                name: name.to_owned(),
                version: String::new(),
                object: &[],
                options: Some(options.component()),
            })
            .get_urn();
        let resolved = urn.clone();
        let handle = Session::get().component(async move { resolved.resolve().await.value });
        Self {
            urn,
            members,
            providers,
            handle,
        }
    }

    /// Makes `output` an output of this component.
    pub fn output<T>(&self, name: &str, output: &Output<T>)
    where
        T: ToPulumiValue + Send + Sync + 'static,
    {
        let output = output.clone();
        Session::get().component_output(self.handle, name.to_owned(), async move {
            output.to_pulumi_value().await
        });
    }
}
