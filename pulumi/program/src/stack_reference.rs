//! What another stack has exported.

use pulumi_gestalt_model::{PulumiValue, PulumiValueContent, ResolvedOutput};
use pulumi_gestalt_rust::{FromPulumiValue, Output, PulumiAny, ToPulumiValue as _};

use crate::context::{RegisterResourceRequest, ResourceRequestObjectField};
use crate::options::Options;
use crate::panics;
use crate::program::Program;
use crate::resource::{Resource, Urn};

const TYPE: &str = "pulumi:pulumi:StackReference";

/// Another stack, as a source of its outputs.
///
/// ```no_run
/// # use pulumi_program::{Options, Output, Program, StackReference};
/// # fn stack(program: &Program) {
/// let network = StackReference::new(program, "network", "acme/network/prod", Options::new());
/// let subnets: Output<Vec<String>> = network.output("subnets");
/// let gateway: Output<Option<String>> = network.output("gateway");
/// # }
/// ```
#[derive(Debug)]
pub struct StackReference {
    pub urn: Urn,
    stack: String,
    outputs: Output<PulumiAny>,
}

impl StackReference {
    /// `name` is the reference's own, as every resource has one; `stack` is
    /// `ORGANIZATION/PROJECT/STACK`. In a backend without organizations the first part is
    /// `organization`.
    pub fn new(program: &Program, name: &str, stack: &str, options: Options) -> Self {
        let resource = program.register_resource(RegisterResourceRequest {
            type_: TYPE.to_owned(),
            name: name.to_owned(),
            version: String::new(),
            object: &[ResourceRequestObjectField {
                name: "name".to_owned(),
                value: &Output::new(stack.to_owned()),
            }],
            options: Some(options.existing(stack)),
            ..RegisterResourceRequest::default()
        });
        Self {
            urn: resource.get_urn(),
            stack: stack.to_owned(),
            outputs: resource.get_field_any("outputs"),
        }
    }

    /// An output by its name; one that is a secret there is a secret here. As an `Option` it is
    /// `None` when the stack has no such output, which otherwise ends the program, as does one that
    /// is not of type `T`; both only when it is used.
    pub fn output<T>(&self, name: &str) -> Output<T>
    where
        T: FromPulumiValue + Send + Sync + 'static,
    {
        let what = format!("the output {name} of the stack {}", self.stack);
        let name = name.to_owned();
        let outputs = self.outputs.clone();
        Output::from_resolved_future(async move {
            let outputs = outputs.resolve().await;
            let mut resolved = ResolvedOutput {
                value: None,
                secret: false,
                dependencies: outputs.dependencies,
            };
            if let Some(outputs) = outputs.value {
                let value = find(outputs.to_pulumi_value().await, &name);
                resolved.secret = value.contains_secret();
                resolved.value = Some(
                    T::from_pulumi_value(&value)
                        .unwrap_or_else(|error| panics::end(format!("{what}: {error}"))),
                );
            }
            resolved
        })
    }
}

impl Resource for StackReference {
    fn urn(&self) -> &Urn {
        &self.urn
    }
}

fn find(outputs: PulumiValue, name: &str) -> PulumiValue {
    let entries = match outputs.content {
        PulumiValueContent::Object(entries) => entries,
        _ => Vec::new(),
    };
    let found = entries.into_iter().find(|(other, _)| other == name);
    found.map_or_else(
        || PulumiValueContent::Absent("there is none of this name").into(),
        |(_, value)| value,
    )
}
