//! The options of a resource.

use std::collections::HashSet;

use prost_types::value::Kind;
use pulumi_gestalt_model::{FAILED, PulumiValue, PulumiValueContent, ToPulumiValue as _};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_rust::{Output, Provider, PulumiAny};
use pulumi_gestalt_rust_integration::engine::{Engine, Failure};
use pulumi_gestalt_rust_integration::invocation::Invocation;
use pulumi_gestalt_rust_integration::registration::{Registration, Values, resolve};
use pulumi_gestalt_rust_integration::report::{Message, Severity};
use pulumi_gestalt_rust_integration::wire;
use pulumi_protocol::{PROVIDER_TYPES, UNKNOWN, urn};

use crate::alias::Alias;
use crate::hook::{Hook, When};
use crate::input::Input;
use crate::members::Members;
use crate::resource::{Lineage, Resource, Urn};
use crate::schema::{PackageSchema, ResourceSchema};
use crate::transform::{Transform, Transformed};

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

    /// For what is registered now. What is itself under a component that it depends on depends on
    /// what there is by now, and so waits for nothing that waits for it.
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

    /// All that is said of a resource, once it is known.
    pub(crate) async fn settle(
        self,
        engine: &Engine,
        subject: Subject,
        mut inputs: Values,
        transforms: &[Transform],
    ) -> Result<Registration, Failure> {
        let mut options = self;
        let package = subject.package;
        if let Some(schema) = subject.schema {
            schema.complete(&mut inputs);
            options = options.additional_secret_outputs(schema.secret_outputs);
            options = options.replace_on_changes(schema.replace_on_changes);
            for former in schema.aliases {
                options = options.alias(Alias::r#type(*former));
            }
        }
        let mut resource =
            Transformed::new(&subject.r#type, &subject.name, subject.is_component, inputs);
        for transform in transforms {
            transform.apply(&mut resource);
        }
        let set = resolve(std::mem::take(&mut resource.set)).await?;
        for more in std::mem::take(&mut resource.options) {
            options = options.and(more)?;
        }
        let mut inputs = resource.into_inputs();
        inputs.retain(|(name, _)| !set.iter().any(|(other, _)| other == name));
        inputs.extend(set);
        if let Some(schema) = subject.schema {
            // What a transform has set is as secret as anything else.
            schema.complete(&mut inputs);
        }

        let providers = options.lineage().providers;
        let mut request = options.known;
        request.custom = !subject.is_component;
        let references = resolve_providers(providers).await?;
        let is_provider = subject.r#type.starts_with(PROVIDER_TYPES);
        if subject.is_component {
            for reference in references.into_iter().rev() {
                if let Some(package) = urn::package_of_provider(&reference) {
                    request.providers.insert(package.to_owned(), reference);
                }
            }
        } else if !is_provider {
            request.provider = provider_of(&subject.r#type, references);
        }
        if request.version.is_empty() {
            request.version = subject.version;
        }
        if let Some(package) = package {
            if request.plugin_download_url.is_empty() {
                package
                    .download_url
                    .clone_into(&mut request.plugin_download_url);
            }
            if let Some(parameters) = package.request() {
                request.package_ref = engine.package(parameters).await?;
            }
        }

        if let Some(parent) = &options.parent {
            request.parent = parent.urn.resolve("its parent").await?;
        }
        let dependencies = resolve_places(&options.depends_on).await?;
        request.dependencies.extend(dependencies);
        if let Some(resource) = options.deleted_with {
            engine
                .require_feature("deletedWith", "`deleted_with`")
                .await?;
            request.deleted_with = resource.resolve("what it is deleted with").await?;
        }
        if !options.replace_with.is_empty() {
            engine
                .require_feature("replaceWith", "`replace_with`")
                .await?;
        }
        for resource in options.replace_with {
            let urn = resource.resolve("what it is replaced with").await?;
            request.replace_with.push(urn);
        }
        if let Some(trigger) = options.replacement_trigger {
            engine
                .require_feature("replacementTrigger", "`replacement_trigger`")
                .await?;
            let value = known(trigger).await?;
            request
                .dependencies
                .extend(value.dependencies.iter().cloned());
            let value = wire::encode_value(value).map_err(|inexact| {
                Failure::refused(format!("its replacement trigger {inexact}"))
            })?;
            // None at all is how the engine knows that there is no trigger.
            let is_null = matches!(value.kind, None | Some(Kind::NullValue(_)));
            request.replacement_trigger = (!is_null).then_some(value);
        }
        for alias in options.aliases {
            request.aliases.push(alias.resolve().await?);
        }
        for (when, hook) in options.hooks {
            let name = hook.name(engine).await?;
            when.list(request.hooks.get_or_insert_default()).push(name);
        }
        let existing = match options.existing {
            None => None,
            Some(id) => {
                let id = known(id).await?;
                request.dependencies.extend(id.dependencies);
                Some(match id.content {
                    PulumiValueContent::String(id) => id,
                    _ => UNKNOWN.to_owned(),
                })
            }
        };
        if let Some(reason) = subject.schema.and_then(|schema| schema.deprecation) {
            engine
                .tell(Message {
                    severity: Severity::Warning,
                    text: format!("{} is deprecated: {reason}", subject.r#type),
                    urn: urn::child(
                        match request.parent.as_str() {
                            "" => engine.stack(),
                            parent => parent,
                        },
                        &subject.r#type,
                        &subject.name,
                    ),
                })
                .await;
        }
        Ok(Registration {
            inputs,
            request,
            existing,
            read_timeout: options.read_timeout,
        })
    }

    /// All that is said of a call, once it is known.
    pub(crate) async fn settle_call(
        self,
        engine: &Engine,
        function: Subject,
        arguments: Values,
    ) -> Result<Invocation, Failure> {
        let references = resolve_providers(self.lineage().providers).await?;
        let mut request = pulumirpc::ResourceInvokeRequest {
            provider: provider_of(&function.r#type, references),
            version: match self.known.version {
                version if version.is_empty() => function.version,
                version => version,
            },
            plugin_download_url: self.known.plugin_download_url,
            ..pulumirpc::ResourceInvokeRequest::default()
        };
        if let Some(package) = function.package {
            if request.plugin_download_url.is_empty() {
                package
                    .download_url
                    .clone_into(&mut request.plugin_download_url);
            }
            if let Some(parameters) = package.request() {
                request.package_ref = engine.package(parameters).await?;
            }
        }
        let depends_on = resolve_places(&self.depends_on).await?;
        Ok(Invocation {
            arguments,
            depends_on: depends_on.into_iter().collect(),
            request,
        })
    }

    /// These options and more, which win where both say one thing.
    fn and(mut self, more: Self) -> Result<Self, Failure> {
        if more.parent.is_some() || more.existing.is_some() {
            return Err(Failure::refused(
                "a transform gives it a parent, or makes it an existing resource, and can do neither"
                    .to_owned(),
            ));
        }
        let (known, said) = (&mut self.known, more.known);
        known.protect = said.protect.or(known.protect);
        known.retain_on_delete = said.retain_on_delete.or(known.retain_on_delete);
        if said.delete_before_replace_defined {
            known.delete_before_replace = said.delete_before_replace;
            known.delete_before_replace_defined = true;
        }
        known.ignore_changes.extend(said.ignore_changes);
        known.replace_on_changes.extend(said.replace_on_changes);
        known.hide_diffs.extend(said.hide_diffs);
        let secrets = said.additional_secret_outputs;
        known.additional_secret_outputs.extend(secrets);
        known.env_var_mappings.extend(said.env_var_mappings);
        known.custom_timeouts = said.custom_timeouts.or(known.custom_timeouts.take());
        for (known, said) in [
            (&mut known.import_id, said.import_id),
            (&mut known.version, said.version),
            (&mut known.plugin_download_url, said.plugin_download_url),
        ] {
            if !said.is_empty() {
                *known = said;
            }
        }
        self.read_timeout = more.read_timeout.or(self.read_timeout);
        self.depends_on.extend(more.depends_on);
        self.deleted_with = more.deleted_with.or(self.deleted_with);
        self.replace_with.extend(more.replace_with);
        self.replacement_trigger = more.replacement_trigger.or(self.replacement_trigger);
        self.providers.splice(0..0, more.providers);
        self.aliases.extend(more.aliases);
        self.hooks.extend(more.hooks);
        Ok(self)
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

/// The first of the references that is of the package of `token`; nothing for the default one.
fn provider_of(token: &str, references: Vec<String>) -> String {
    let package = urn::package_of_token(token);
    let fits = |reference: &String| urn::package_of_provider(reference) == Some(package);
    references.into_iter().find(fits).unwrap_or_default()
}

async fn resolve_providers(providers: Vec<Output<String>>) -> Result<Vec<String>, Failure> {
    let mut references = Vec::with_capacity(providers.len());
    for provider in providers {
        let resolved = provider.resolve().await;
        match resolved.value {
            _ if resolved.dependencies.contains(FAILED) => return Err(Failure::Told),
            Some(reference) if urn::package_of_provider(&reference).is_some() => {
                references.push(reference);
            }
            Some(other) => {
                return Err(Failure::refused(format!(
                    "its provider is no reference, URN::ID, but '{other}'"
                )));
            }
            None => {
                let message = "its provider is not known: one of this program always is";
                return Err(Failure::refused(message.to_owned()));
            }
        }
    }
    Ok(references)
}

/// The URNs of what is depended on, with all that is under components.
async fn resolve_places(places: &[Place]) -> Result<HashSet<String>, Failure> {
    let mut urns = HashSet::new();
    for place in places {
        urns.insert(place.urn.resolve("what it depends on").await?);
        for member in place.members.iter().flat_map(Members::urns) {
            urns.insert(member.resolve("what it depends on").await?);
        }
    }
    Ok(urns)
}

async fn known(output: Output<PulumiValue>) -> Result<PulumiValue, Failure> {
    let value = output.to_pulumi_value().await;
    match value.has_failed() {
        true => Err(Failure::Told),
        false => Ok(value),
    }
}

fn owned(texts: &[&str]) -> impl Iterator<Item = String> {
    texts.iter().map(|&text| text.to_owned())
}
