//! Options as the engine takes them, once everything that they wait for is known.

use std::collections::HashSet;

use prost_types::value::Kind;
use pulumi_gestalt_model::{FAILED, PulumiValue, PulumiValueContent, ToPulumiValue as _};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_rust::Output;
use pulumi_gestalt_rust_integration::engine::{Engine, Failure};
use pulumi_gestalt_rust_integration::invocation::Invocation;
use pulumi_gestalt_rust_integration::registration::{Registration, Values, resolve};
use pulumi_gestalt_rust_integration::report::{Message, Severity};
use pulumi_gestalt_rust_integration::wire;
use pulumi_protocol::{PROVIDER_TYPES, UNKNOWN, urn};

use super::{Options, Place, Subject};
use crate::alias::Alias;
use crate::members::Members;
use crate::schema::PackageSchema;
use crate::transform::{Transform, Transformed};

impl Options {
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
            let url = &mut request.plugin_download_url;
            request.package_ref = settle_package(engine, package, url).await?;
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
            let url = &mut request.plugin_download_url;
            request.package_ref = settle_package(engine, package, url).await?;
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

/// The engine's reference to a package, which is empty for one without parameters. The package's
/// download URL is used where the program has set none.
async fn settle_package(
    engine: &Engine,
    package: &PackageSchema,
    download_url: &mut String,
) -> Result<String, Failure> {
    if download_url.is_empty() {
        package.download_url.clone_into(download_url);
    }
    match package.request() {
        Some(parameters) => engine.package(parameters).await,
        None => Ok(String::new()),
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
