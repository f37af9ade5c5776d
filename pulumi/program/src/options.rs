//! The options of a resource.

use pulumi_gestalt_grpc_connection::UNKNOWN;
use pulumi_gestalt_grpc_connection::options as wire;
use pulumi_gestalt_model::{PulumiValue, PulumiValueContent, ResolvedOutput};
use pulumi_gestalt_rust::{CustomResourceOptions, Output, Provider, ToPulumiValue as _};

use crate::component::Component;
use crate::input::Input;
use crate::members::Members;

/// What a program says about a resource besides its inputs.
///
/// ```
/// # use pulumi_program::{Alias, Options, Output};
/// # fn example(role_policy: Output<String>) {
/// let options = Options::new()
///     .depends_on(&[&role_policy])
///     .protect(true)
///     .ignore_changes(&["tags"])
///     .alias(Alias::name("orders-v1"));
/// # }
/// ```
///
/// The generated binding's `create_with_options` takes them.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Options {
    known: wire::ResourceOptions,
    parent: Option<Output<String>>,
    /// What stands beside the resource, when its parent is a component.
    siblings: Option<Members>,
    depends_on: Vec<Output<String>>,
    deleted_with: Option<Output<String>>,
    existing: Option<Output<PulumiValue>>,
    own_providers: Vec<Output<String>>,
    inherited_providers: Vec<Output<String>>,
    aliases: Vec<Alias>,
}

/// A resource, as an option refers to it.
pub trait Urn {
    fn urn(&self) -> &Output<String>;

    #[doc(hidden)]
    fn members(&self) -> Option<&Members> {
        None
    }

    /// What is under it is managed by these providers, the first that fits.
    #[doc(hidden)]
    fn providers(&self) -> &[Output<String>] {
        &[]
    }
}

impl Urn for Output<String> {
    fn urn(&self) -> &Output<String> {
        self
    }
}

impl Urn for Component {
    fn urn(&self) -> &Output<String> {
        &self.urn
    }

    fn members(&self) -> Option<&Members> {
        Some(&self.members)
    }

    fn providers(&self) -> &[Output<String>] {
        &self.providers
    }
}

/// How long an operation may take before it counts as failed, such as `10m`.
#[derive(Debug, Clone, Default)]
pub struct Timeouts {
    pub create: Option<String>,
    pub update: Option<String>,
    pub delete: Option<String>,
}

impl Options {
    /// None: everything is as the engine has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The resource under which this one stands: a component, or the URN of a resource.
    pub fn parent(mut self, parent: &impl Urn) -> Self {
        self.parent = Some(parent.urn().clone());
        self.siblings = parent.members().cloned();
        self.inherited_providers = parent.providers().to_vec();
        self
    }

    /// What must exist before this resource, though no input says so: resources, by their URNs,
    /// or components with all that is under them by now.
    pub fn depends_on(mut self, resources: &[&(impl Urn + ?Sized)]) -> Self {
        for resource in resources {
            self.depends_on.push(resource.urn().clone());
            let members = resource.members().map(Members::urns);
            self.depends_on.extend(members.unwrap_or_default());
        }
        self
    }

    /// Refuses to delete the resource.
    pub fn protect(mut self, protect: bool) -> Self {
        self.known.protect = Some(protect);
        self
    }

    /// Leaves the resource where it is when it leaves the stack.
    pub fn retain_on_delete(mut self, retain: bool) -> Self {
        self.known.retain_on_delete = Some(retain);
        self
    }

    /// Deletes the resource before its replacement is created.
    pub fn delete_before_replace(mut self, delete: bool) -> Self {
        self.known.delete_before_replace = Some(delete);
        self
    }

    /// Paths of inputs, such as `tags` or `rules[0].name`, whose changes are left alone.
    pub fn ignore_changes(mut self, paths: &[&str]) -> Self {
        self.known.ignore_changes.extend(owned(paths));
        self
    }

    /// Paths of inputs whose changes replace the resource.
    pub fn replace_on_changes(mut self, paths: &[&str]) -> Self {
        self.known.replace_on_changes.extend(owned(paths));
        self
    }

    /// Outputs that are secret, though the provider does not say so.
    pub fn additional_secret_outputs(mut self, names: &[&str]) -> Self {
        self.known.additional_secret_outputs.extend(owned(names));
        self
    }

    /// A former identity of the resource, so that it is recognised after a change of it.
    pub fn alias(mut self, alias: Alias) -> Self {
        self.aliases.push(alias);
        self
    }

    /// Takes over the existing resource with this id instead of creating one.
    pub fn import(mut self, id: impl Into<String>) -> Self {
        self.known.import = Some(id.into());
        self
    }

    /// Reads the existing resource with this id, and manages nothing: the inputs are what helps to
    /// find it, if an id is not enough.
    pub fn existing(mut self, id: impl Into<Input<String>>) -> Self {
        self.existing = Some(id.into().into_value());
        self
    }

    /// The provider that manages the resource, other than the default one. A component may have one
    /// of each package.
    pub fn provider(mut self, provider: &impl Provider) -> Self {
        self.own_providers.insert(0, provider.get_provider_id());
        self
    }

    /// The version of the provider's plugin, other than the binding's.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.known.version = Some(version.into());
        self
    }

    /// Another resource whose deletion takes this one along, so that it is not deleted by itself.
    pub fn deleted_with(mut self, resource: &impl Urn) -> Self {
        self.deleted_with = Some(resource.urn().clone());
        self
    }

    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.known.timeouts = wire::Timeouts {
            create: timeouts.create.unwrap_or_default(),
            update: timeouts.update.unwrap_or_default(),
            delete: timeouts.delete.unwrap_or_default(),
        };
        self
    }

    pub(crate) fn component(mut self) -> Self {
        self.known.component = true;
        self
    }

    /// Gestalt has a slot for the provider alone; the options travel in it as text, and the
    /// connection to the engine takes them out again.
    pub(crate) fn into_gestalt(self) -> CustomResourceOptions {
        let encoded = Output::from_resolved_future(async move {
            ResolvedOutput {
                value: Some(self.resolve().await.encode()),
                secret: false,
                dependencies: Default::default(),
            }
        });
        CustomResourceOptions {
            provider: Some(encoded),
        }
    }

    /// What travels among the arguments of a function.
    pub(crate) fn into_argument(self) -> Output<PulumiValue> {
        Output::from_resolved_future(async move {
            let options = self.resolve().await;
            let mut argument = PulumiValue::from(PulumiValueContent::String(options.encode()));
            argument.dependencies = options.depends_on.into_iter().collect();
            ResolvedOutput {
                value: Some(argument),
                secret: false,
                dependencies: Default::default(),
            }
        })
    }

    /// The providers of what is under a component of these options.
    pub(crate) fn providers(&self) -> Vec<Output<String>> {
        [&*self.own_providers, &*self.inherited_providers].concat()
    }

    /// The list that a resource of these options belongs to.
    pub(crate) fn siblings(&self) -> Option<&Members> {
        self.siblings.as_ref()
    }

    async fn resolve(self) -> wire::ResourceOptions {
        let mut options = self.known;
        if let Some(parent) = self.parent {
            options.parent = parent.resolve().await.value;
        }
        for urn in self.depends_on {
            options.depends_on.extend(urn.resolve().await.value);
        }
        if let Some(urn) = self.deleted_with {
            options.deleted_with = urn.resolve().await.value;
        }
        for provider in self.own_providers {
            options.providers.extend(provider.resolve().await.value);
        }
        for provider in self.inherited_providers {
            let provider = provider.resolve().await.value;
            options.inherited_providers.extend(provider);
        }
        if let Some(id) = self.existing {
            let id = id.to_pulumi_value().await;
            options.depends_on.extend(id.dependencies);
            options.existing = Some(match id.content {
                PulumiValueContent::String(id) => id,
                _ => UNKNOWN.to_owned(),
            });
        }
        for alias in self.aliases {
            options.aliases.push(alias.resolve().await);
        }
        options
    }
}

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
    parent: Parent,
}

#[derive(Debug, Clone)]
enum Parent {
    Same,
    Stack,
    Resource(Output<String>),
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
    pub fn parent(parent: &impl Urn) -> Self {
        Self {
            parent: Parent::Resource(parent.urn().clone()),
            ..Self::same()
        }
    }

    /// The resource stood directly under the stack.
    pub fn no_parent() -> Self {
        Self::same().with_no_parent()
    }

    pub fn with_parent(self, parent: &impl Urn) -> Self {
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

    fn same() -> Self {
        Self {
            urn: None,
            name: None,
            r#type: None,
            parent: Parent::Same,
        }
    }

    async fn resolve(self) -> wire::Alias {
        if let Some(urn) = self.urn {
            return wire::Alias::Urn(urn);
        }
        wire::Alias::Spec {
            name: self.name,
            r#type: self.r#type,
            parent: match self.parent {
                Parent::Same => None,
                Parent::Stack => Some(wire::AliasParent::Stack),
                Parent::Resource(urn) => urn.resolve().await.value.map(wire::AliasParent::Urn),
            },
        }
    }
}

fn owned(texts: &[&str]) -> impl Iterator<Item = String> {
    texts.iter().map(|&text| text.to_owned())
}
