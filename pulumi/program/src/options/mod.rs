//! The options of a resource.

mod settle;

use pulumi_gestalt_model::PulumiValue;
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_rust::{Output, Provider, PulumiAny};

use crate::alias::Alias;
use crate::hook::{Hook, When};
use crate::input::Input;
use crate::members::Members;
use crate::resource::{Lineage, Resource, Urn};
use crate::schema::{PackageSchema, ResourceSchema};
use crate::transform::Transform;

/// What a program says about a resource besides its inputs.
///
/// ```
/// # use pulumi_program::{Alias, Options, Urn};
/// # fn example(role_policy: &Urn) {
/// let options = Options::new()
///     .depends_on(&[role_policy])
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
    /// What needs nothing to become known, as the engine takes it.
    known: pulumirpc::RegisterResourceRequest,
    /// The engine's protocol has it, and Gestalt's crate of it not.
    read_timeout: Option<String>,
    parent: Option<Place>,
    depends_on: Vec<Place>,
    deleted_with: Option<Urn>,
    replace_with: Vec<Urn>,
    replacement_trigger: Option<Output<PulumiValue>>,
    existing: Option<Output<PulumiValue>>,
    /// The last one said first.
    providers: Vec<Output<String>>,
    aliases: Vec<Alias>,
    hooks: Vec<(When, Hook)>,
    transforms: Vec<Transform>,
}

/// A resource that is referred to, and what is under it.
#[derive(Debug, Clone)]
struct Place {
    urn: Urn,
    members: Option<Members>,
}

/// What is registered or called.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Or a function's token.
    pub r#type: String,
    pub name: String,
    /// Of the provider's plugin.
    pub version: String,
    pub schema: Option<&'static ResourceSchema>,
    pub package: Option<&'static PackageSchema>,
    pub is_component: bool,
}

/// How long an operation may take before it counts as failed, such as `10m`.
#[derive(Debug, Clone, Default)]
pub struct Timeouts {
    pub create: Option<String>,
    pub update: Option<String>,
    pub delete: Option<String>,
    /// For `pulumi refresh`.
    pub read: Option<String>,
}

impl Options {
    /// None: everything is as the engine has it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The resource under which this one is: a component, or another resource. What is under it takes
    /// its providers and transforms.
    pub fn parent(mut self, parent: &impl Resource) -> Self {
        self.parent = Some(Place::of(parent));
        self
    }

    /// What must exist before this resource, though no input says so: resources, or components with
    /// all that is under them. A resource that is itself under the component depends on what came
    /// before it.
    pub fn depends_on(mut self, resources: &[&(impl Resource + ?Sized)]) -> Self {
        self.depends_on
            .extend(resources.iter().map(|one| Place::of(*one)));
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
        self.known.delete_before_replace = delete;
        self.known.delete_before_replace_defined = true;
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

    /// Paths of properties whose changes a preview does not show.
    pub fn hide_diffs(mut self, paths: &[&str]) -> Self {
        self.known.hide_diffs.extend(owned(paths));
        self
    }

    /// Resources whose replacement replaces this one too.
    pub fn replace_with(mut self, resources: &[&(impl Resource + ?Sized)]) -> Self {
        let urns = resources.iter().map(|resource| resource.urn().clone());
        self.replace_with.extend(urns);
        self
    }

    /// A value whose change replaces the resource: `pulumi_any!(version)`.
    pub fn replacement_trigger(mut self, value: PulumiAny) -> Self {
        self.replacement_trigger = Some(Input::<PulumiAny>::any(value).into_value());
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
        self.known.import_id = id.into();
        self
    }

    /// Reads the existing resource with this id, and manages nothing: the inputs are what helps to
    /// find it, if an id is not enough.
    pub fn existing(mut self, id: impl Into<Input<String>>) -> Self {
        self.existing = Some(id.into().into_value());
        self
    }

    /// The provider that manages resources of its package, other than the default one. Said for
    /// several packages, each resource takes its own; what is under the resource takes it too.
    pub fn provider(mut self, provider: &impl Provider) -> Self {
        self.providers.insert(0, provider.get_provider_id());
        self
    }

    /// The version of the provider's plugin, other than the binding's.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.known.version = version.into();
        self
    }

    /// Where the provider's plugin is, other than the binding says.
    pub fn plugin_download_url(mut self, url: impl Into<String>) -> Self {
        self.known.plugin_download_url = url.into();
        self
    }

    /// For a provider: it finds the variable `theirs` of its environment as `ours` is here.
    pub fn environment_variable(mut self, theirs: &str, ours: &str) -> Self {
        let mappings = &mut self.known.env_var_mappings;
        mappings.insert(theirs.to_owned(), ours.to_owned());
        self
    }

    /// Another resource whose deletion takes this one along, so that it is not deleted by itself.
    pub fn deleted_with(mut self, resource: &impl Resource) -> Self {
        self.deleted_with = Some(resource.urn().clone());
        self
    }

    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        let known = pulumirpc::register_resource_request::CustomTimeouts {
            create: timeouts.create.unwrap_or_default(),
            update: timeouts.update.unwrap_or_default(),
            delete: timeouts.delete.unwrap_or_default(),
        };
        self.read_timeout = timeouts.read;
        self.known.custom_timeouts = (known != Default::default()).then_some(known);
        self
    }

    /// Has the engine call a hook when it does something to the resource.
    pub fn hook(mut self, when: When, hook: &Hook) -> Self {
        self.hooks.push((when, hook.clone()));
        self
    }

    /// Changes the resource, and all that is under it, before it is registered.
    pub fn transform(mut self, transform: Transform) -> Self {
        self.transforms.push(transform);
        self
    }

    /// What a resource of these options hands down.
    pub(crate) fn lineage(&self) -> Lineage {
        let inherited = self.inherited();
        Lineage {
            providers: [&*self.providers, &*inherited.providers].concat(),
            components: inherited.components,
            transforms: [&*self.transforms, &*inherited.transforms].concat(),
        }
    }

    /// For a resource that is registered now. When it is itself under a component that it depends
    /// on, it depends only on the resources that the component has so far, so that it does not wait
    /// for one that waits for it.
    pub(crate) fn now(mut self) -> Self {
        let above = self.inherited().components;
        let (within, others): (Vec<_>, Vec<_>) = self.depends_on.drain(..).partition(|place| {
            let members = place.members.as_ref();
            members.is_some_and(|members| above.iter().any(|one| one.is(members)))
        });
        self.depends_on = others;
        for place in within {
            let members = place.members.iter().flat_map(Members::urns);
            let urns = std::iter::once(place.urn).chain(members);
            self.depends_on
                .extend(urns.map(|urn| Place { urn, members: None }));
        }
        self
    }

    /// The list that a resource of these options belongs to.
    pub(crate) fn siblings(&self) -> Option<&Members> {
        self.parent.as_ref()?.members.as_ref()
    }

    fn inherited(&self) -> Lineage {
        let parent = self.parent.as_ref();
        parent.map_or_else(Lineage::default, |parent| parent.urn.lineage().clone())
    }
}

impl Place {
    fn of(resource: &(impl Resource + ?Sized)) -> Self {
        Self {
            urn: resource.urn().clone(),
            members: resource.members().cloned(),
        }
    }
}

fn owned(texts: &[&str]) -> impl Iterator<Item = String> {
    texts.iter().map(|&text| text.to_owned())
}
