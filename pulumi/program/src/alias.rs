//! What a resource was called before: names, types and parents that it had.

use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_rust_integration::engine::Failure;

use crate::resource::{Resource, Urn};

/// A former identity of a resource: what an alias does not say is as it is now.
///
/// ```
/// # use pulumi_program::Alias;
/// let renamed = Alias::name("orders-v1");
/// let moved_into_a_component = Alias::no_parent();
/// let both = Alias::name("orders-v1").with_no_parent();
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Alias {
    urn: Option<String>,
    name: Option<String>,
    r#type: Option<String>,
    project: Option<String>,
    stack: Option<String>,
    parent: Parent,
}

#[derive(Debug, Clone)]
enum Parent {
    Same,
    Stack,
    Resource(Urn),
}

impl Alias {
    /// The whole former URN.
    pub fn urn(urn: impl Into<String>) -> Self {
        Self {
            urn: Some(urn.into()),
            ..Self::same()
        }
    }

    /// The former name.
    pub fn name(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::same()
        }
    }

    /// The former type.
    pub fn r#type(r#type: impl Into<String>) -> Self {
        Self {
            r#type: Some(r#type.into()),
            ..Self::same()
        }
    }

    /// The former parent.
    pub fn parent(parent: &impl Resource) -> Self {
        Self {
            parent: Parent::Resource(parent.urn().clone()),
            ..Self::same()
        }
    }

    /// The former project, of the same or another backend.
    pub fn project(project: impl Into<String>) -> Self {
        Self::same().with_project(project)
    }

    /// The former stack.
    pub fn stack(stack: impl Into<String>) -> Self {
        Self::same().with_stack(stack)
    }

    /// The resource was directly under the stack.
    pub fn no_parent() -> Self {
        Self::same().with_no_parent()
    }

    pub fn with_parent(self, parent: &impl Resource) -> Self {
        Self {
            parent: Parent::Resource(parent.urn().clone()),
            ..self
        }
    }

    pub fn with_no_parent(self) -> Self {
        Self {
            parent: Parent::Stack,
            ..self
        }
    }

    pub fn with_type(self, r#type: impl Into<String>) -> Self {
        Self {
            r#type: Some(r#type.into()),
            ..self
        }
    }

    pub fn with_project(self, project: impl Into<String>) -> Self {
        Self {
            project: Some(project.into()),
            ..self
        }
    }

    pub fn with_stack(self, stack: impl Into<String>) -> Self {
        Self {
            stack: Some(stack.into()),
            ..self
        }
    }

    fn same() -> Self {
        Self {
            urn: None,
            name: None,
            r#type: None,
            project: None,
            stack: None,
            parent: Parent::Same,
        }
    }

    /// As the engine takes it.
    pub(crate) async fn resolve(self) -> Result<pulumirpc::Alias, Failure> {
        use pulumirpc::alias::{Alias as Wire, Spec, spec::Parent as Former};
        let alias = match self.urn {
            Some(urn) => Wire::Urn(urn),
            None => Wire::Spec(Spec {
                name: self.name.unwrap_or_default(),
                r#type: self.r#type.unwrap_or_default(),
                project: self.project.unwrap_or_default(),
                stack: self.stack.unwrap_or_default(),
                parent: match self.parent {
                    Parent::Same => None,
                    Parent::Stack => Some(Former::NoParent(true)),
                    Parent::Resource(urn) => {
                        Some(Former::ParentUrn(urn.resolve("its former parent").await?))
                    }
                },
            }),
        };
        Ok(pulumirpc::Alias { alias: Some(alias) })
    }
}
