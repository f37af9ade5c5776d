//! A resource, as options refer to it.

use std::ops::Deref;
use std::sync::Arc;

use pulumi_gestalt_model::{PulumiValue, ResolvedOutput, ToPulumiValue};
use pulumi_gestalt_rust::Output;
use pulumi_gestalt_rust_integration::engine::Failure;

use crate::members::Members;
use crate::transform::Transform;

/// The engine's name of a resource: the output `urn` of a resource of the binding.
///
/// It is no plain output, so that a name or an ARN is never taken for a resource:
///
/// ```compile_fail
/// # use pulumi_program::{Options, Output};
/// # fn example(arn: &Output<String>) {
/// Options::new().depends_on(&[arn]);
/// # }
/// ```
///
/// As a value it is a text.
#[derive(Debug, Clone)]
#[must_use]
pub struct Urn {
    text: Output<String>,
    lineage: Arc<Lineage>,
}

/// What a resource hands down to those that have it as their parent.
#[derive(Debug, Default, Clone)]
pub(crate) struct Lineage {
    /// References of providers, the nearest one first; each resource takes the first of its package.
    pub providers: Vec<Output<String>>,
    /// The components that it is under, and the one that it is.
    pub components: Vec<Members>,
    pub transforms: Vec<Transform>,
}

/// What options can refer to: a URN, a component, and what a binding or
/// [`register_resource`](crate::Context::register_resource) gives.
pub trait Resource {
    fn urn(&self) -> &Urn;

    #[doc(hidden)]
    fn members(&self) -> Option<&Members> {
        None
    }
}

impl Urn {
    /// A URN that comes from elsewhere, such as an output of another stack. When it is no URN, or
    /// is not known, the resources that refer to it are not registered, with an error.
    pub fn of(text: &Output<String>) -> Self {
        Self {
            text: text.clone(),
            lineage: Arc::default(),
        }
    }

    pub(crate) fn new(text: Output<String>, lineage: Lineage) -> Self {
        Self {
            text,
            lineage: Arc::new(lineage),
        }
    }

    pub(crate) fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// The text, for what `role` says.
    pub(crate) async fn resolve(&self, role: &str) -> Result<String, Failure> {
        let ResolvedOutput {
            value,
            dependencies,
            ..
        } = self.text.resolve().await;
        if dependencies.contains(pulumi_gestalt_model::FAILED) {
            return Err(Failure::Told);
        }
        match value {
            Some(text) if pulumi_protocol::urn::parse(&text).is_some() => Ok(text),
            Some(text) => Err(Failure::refused(format!(
                "{role} is no URN but '{text}': give the resource, or its output `urn`"
            ))),
            None => Err(Failure::refused(format!(
                "the URN of {role} is not known: that of a resource of this program always is"
            ))),
        }
    }
}

impl Deref for Urn {
    type Target = Output<String>;

    fn deref(&self) -> &Output<String> {
        &self.text
    }
}

impl ToPulumiValue for Urn {
    fn to_pulumi_value(&self) -> impl Future<Output = PulumiValue> + Send {
        self.text.to_pulumi_value()
    }
}

impl Resource for Urn {
    fn urn(&self) -> &Urn {
        self
    }
}
