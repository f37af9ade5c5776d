//! What a program says about a resource besides its inputs, and how that travels.
//!
//! Gestalt's `CustomResourceOptions` has one slot, the provider: an output of a string. These
//! options travel in it as JSON behind a prefix that no provider reference can have, so that the
//! generated binding stays as it is, and so that the URNs in them are awaited before the resource
//! is registered.

use anyhow::{Context as _, Result};
use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::alias::spec::Parent;
use pulumi_gestalt_proto::pulumi::pulumirpc::register_resource_request::CustomTimeouts;
use serde::{Deserialize, Serialize};

use crate::urn;

/// The options of a call travel among its arguments, under this name, for which Gestalt has no slot
/// at all. What the call waits for besides is what that argument depends on.
pub const ARGUMENT: &str = "pulumi-call-options";

/// Changes with every change of [`ResourceOptions`].
const PREFIX: &str = "pulumi-resource-options/2 ";

/// The options of one resource, every URN in them known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceOptions {
    /// A component: no provider manages it, it only groups others.
    pub component: bool,
    /// A parent other than the stack.
    pub parent: Option<String>,
    pub depends_on: Vec<String>,
    pub protect: Option<bool>,
    pub retain_on_delete: Option<bool>,
    pub delete_before_replace: Option<bool>,
    pub ignore_changes: Vec<String>,
    pub replace_on_changes: Vec<String>,
    pub additional_secret_outputs: Vec<String>,
    pub aliases: Vec<Alias>,
    /// The id of an existing resource that is taken over instead of created.
    pub import: Option<String>,
    /// The id of an existing resource that is read and not managed; it may be unknown.
    pub existing: Option<String>,
    /// Provider references, `URN::ID`, the last one said first. A resource has that one, a component
    /// one of each package.
    pub providers: Vec<String>,
    /// Those of the components that the resource is under, the nearest one first.
    pub inherited_providers: Vec<String>,
    /// The version of the provider's plugin.
    pub version: Option<String>,
    pub deleted_with: Option<String>,
    pub timeouts: Timeouts,
}

/// A former identity of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Alias {
    Urn(String),
    /// What is `None` is as it is now.
    Spec {
        name: Option<String>,
        r#type: Option<String>,
        parent: Option<AliasParent>,
    },
}

/// The parent that a resource had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum AliasParent {
    Stack,
    Urn(String),
}

/// How long an operation may take, such as `10m`; an empty one is the provider's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    pub create: String,
    pub update: String,
    pub delete: String,
}

impl ResourceOptions {
    /// The form that travels in the place of a provider reference.
    pub fn encode(&self) -> String {
        format!("{PREFIX}{}", serde_json::json!(self))
    }

    /// Reads what arrived in the place of a provider reference: options, or a plain reference.
    pub(crate) fn decode(provider: Option<String>) -> Result<Self> {
        let Some(provider) = provider else {
            return Ok(Self::default());
        };
        match provider.strip_prefix(PREFIX) {
            Some(json) => serde_json::from_str(json).context("its options cannot be read"),
            None => Ok(Self {
                providers: vec![provider],
                ..Self::default()
            }),
        }
    }

    /// The provider that reads an existing resource of this type, or has this function: the engine
    /// hands those of components down to what it creates alone.
    pub(crate) fn reader(&self, token: &str) -> Option<String> {
        let package = token.split(':').next();
        let fits = |provider: &&String| urn::package_of_provider(provider) == package;
        let own = self.providers.first();
        own.or_else(|| self.inherited_providers.iter().find(fits))
            .cloned()
    }

    /// Fills in what these options say; the parent and the dependencies are the caller's.
    pub(crate) fn apply(self, request: &mut pulumirpc::RegisterResourceRequest) {
        request.custom = !self.component;
        request.protect = self.protect;
        request.retain_on_delete = self.retain_on_delete;
        request.delete_before_replace = self.delete_before_replace.unwrap_or_default();
        request.delete_before_replace_defined = self.delete_before_replace.is_some();
        request.ignore_changes = self.ignore_changes;
        request.replace_on_changes = self.replace_on_changes;
        request.additional_secret_outputs = self.additional_secret_outputs;
        request.aliases = self.aliases.into_iter().map(Into::into).collect();
        request.alias_specs = true;
        request.import_id = self.import.unwrap_or_default();
        if self.component {
            // What is under a component takes its provider by the package.
            for provider in self.providers.iter().rev() {
                if let Some(package) = urn::package_of_provider(provider) {
                    let package = package.to_owned();
                    request.providers.insert(package, provider.clone());
                }
            }
        }
        request.provider = self.providers.into_iter().next().unwrap_or_default();
        request.deleted_with = self.deleted_with.unwrap_or_default();
        if let Some(version) = self.version {
            request.version = version;
        }
        if self.timeouts != Timeouts::default() {
            request.custom_timeouts = Some(CustomTimeouts {
                create: self.timeouts.create,
                update: self.timeouts.update,
                delete: self.timeouts.delete,
            });
        }
    }
}

impl From<Alias> for pulumirpc::Alias {
    fn from(alias: Alias) -> Self {
        use pulumirpc::alias::{Alias as Wire, Spec};
        let alias = match alias {
            Alias::Urn(urn) => Wire::Urn(urn),
            Alias::Spec {
                name,
                r#type,
                parent,
            } => Wire::Spec(Spec {
                name: name.unwrap_or_default(),
                r#type: r#type.unwrap_or_default(),
                parent: parent.map(|parent| match parent {
                    AliasParent::Stack => Parent::NoParent(true),
                    AliasParent::Urn(urn) => Parent::ParentUrn(urn),
                }),
                ..Spec::default()
            }),
        };
        Self { alias: Some(alias) }
    }
}
