//! What a program asks for, and what a test answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pulumi_gestalt_proto::pulumi::pulumirpc;
use pulumi_gestalt_proto::pulumi::pulumirpc::alias::Alias as WireAlias;
use pulumi_gestalt_proto::pulumi::pulumirpc::alias::spec::Parent;
use serde_json::{Map, Value};

use crate::value;

/// A resource, as the program registered it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    pub r#type: String,
    pub name: String,
    pub urn: String,
    /// The URN of the parent.
    pub parent: String,
    /// Managed by a provider; a component is not.
    pub custom: bool,
    /// The id of an existing resource, which the program only reads.
    pub read: Option<String>,
    /// An object.
    pub inputs: Value,
    /// The URNs of all that it depends on.
    pub dependencies: BTreeSet<String>,
    /// For each input that depends on something, the URNs of that.
    pub property_dependencies: BTreeMap<String, BTreeSet<String>>,
    pub options: Options,
    /// What had been answered when the program asked for this one.
    pub asked_after: Answered,
    /// The request as it came; of one that is read, what the two kinds have in common.
    pub request: pulumirpc::RegisterResourceRequest,
}

/// The URNs of what had been answered by some time.
#[derive(Clone, Default)]
pub struct Answered {
    /// In the order of the answers; it grows.
    all: Arc<Mutex<Vec<String>>>,
    /// How many of them there were.
    count: usize,
}

impl Answered {
    pub fn contains(&self, urn: &str) -> bool {
        self.has(|other| other == urn)
    }

    /// All of them, in the order of the answers.
    pub fn urns(&self) -> Vec<String> {
        self.lock().iter().take(self.count).cloned().collect()
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    pub(crate) fn add(&mut self, urn: String) {
        self.lock().push(urn);
        self.count += 1;
    }

    fn has(&self, so: impl Fn(&str) -> bool) -> bool {
        self.lock().iter().take(self.count).any(|urn| so(urn))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.urns()).finish()
    }
}

impl PartialEq for Answered {
    fn eq(&self, other: &Self) -> bool {
        self.urns() == other.urns()
    }
}

/// The options of a resource; what the program does not say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    pub protect: Option<bool>,
    pub retain_on_delete: Option<bool>,
    pub delete_before_replace: Option<bool>,
    pub ignore_changes: Vec<String>,
    pub replace_on_changes: Vec<String>,
    pub additional_secret_outputs: Vec<String>,
    pub aliases: Vec<Alias>,
    pub import: Option<String>,
    /// A provider reference, `URN::ID`.
    pub provider: Option<String>,
    pub version: Option<String>,
    pub deleted_with: Option<String>,
    /// For `create`, `update` and `delete`.
    pub timeouts: BTreeMap<&'static str, String>,
    pub hide_diffs: Vec<String>,
    /// URNs.
    pub replace_with: Vec<String>,
    pub replacement_trigger: Option<Value>,
    pub plugin_download_url: Option<String>,
    pub environment_variables: BTreeMap<String, String>,
    /// The names of hooks, by when they are called, such as `before_create`.
    pub hooks: BTreeMap<&'static str, Vec<String>>,
    /// The package that a parameter makes, by the reference that the engine gave it.
    pub package: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alias {
    pub urn: Option<String>,
    pub name: Option<String>,
    pub r#type: Option<String>,
    pub project: Option<String>,
    pub stack: Option<String>,
    pub parent: Option<String>,
    pub no_parent: bool,
}

/// A call of a provider's function.
#[derive(Debug, Clone, PartialEq)]
pub struct Invoke {
    pub token: String,
    /// An object.
    pub arguments: Value,
    pub version: String,
    /// A provider reference, `URN::ID`.
    pub provider: Option<String>,
    pub plugin_download_url: Option<String>,
}

impl Resource {
    /// Whether it depends on a resource of this name.
    pub fn depends_on(&self, name: &str) -> bool {
        self.dependency_names().contains(name)
    }

    /// The names of all that it depends on.
    pub fn dependency_names(&self) -> BTreeSet<&str> {
        self.dependencies.iter().map(|urn| name_of(urn)).collect()
    }

    /// Whether the resource of this name had been answered when the program asked for this one.
    pub fn comes_after(&self, name: &str) -> bool {
        self.asked_after.has(|urn| name_of(urn) == name)
    }

    pub(crate) fn new(
        request: pulumirpc::RegisterResourceRequest,
        read: Option<String>,
        urn: String,
        asked_after: Answered,
    ) -> Self {
        Self {
            r#type: request.r#type.clone(),
            name: request.name.clone(),
            urn,
            parent: request.parent.clone(),
            custom: request.custom,
            read,
            inputs: value::from_struct(request.object.clone().unwrap_or_default()),
            dependencies: request.dependencies.iter().cloned().collect(),
            property_dependencies: request
                .property_dependencies
                .iter()
                .filter(|(_, dependencies)| !dependencies.urns.is_empty())
                .map(|(name, dependencies)| {
                    (name.clone(), dependencies.urns.iter().cloned().collect())
                })
                .collect(),
            options: Options::new(&request),
            asked_after,
            request,
        }
    }
}

/// What the request for an existing resource has in common with that for a new one.
pub(crate) fn registration_of(
    read: pulumirpc::ReadResourceRequest,
) -> pulumirpc::RegisterResourceRequest {
    pulumirpc::RegisterResourceRequest {
        r#type: read.r#type,
        name: read.name,
        parent: read.parent,
        custom: true,
        object: read.properties,
        dependencies: read.dependencies,
        provider: read.provider,
        version: read.version,
        plugin_download_url: read.plugin_download_url,
        package_ref: read.package_ref,
        accept_secrets: read.accept_secrets,
        additional_secret_outputs: read.additional_secret_outputs,
        ..pulumirpc::RegisterResourceRequest::default()
    }
}

/// The name at the end of a URN.
pub(crate) fn name_of(urn: &str) -> &str {
    urn.splitn(4, "::").nth(3).unwrap_or(urn)
}

impl Options {
    fn new(request: &pulumirpc::RegisterResourceRequest) -> Self {
        let timeouts = request.custom_timeouts.iter().flat_map(|timeouts| {
            [
                ("create", &timeouts.create),
                ("update", &timeouts.update),
                ("delete", &timeouts.delete),
            ]
        });
        Self {
            protect: request.protect,
            retain_on_delete: request.retain_on_delete,
            delete_before_replace: request
                .delete_before_replace_defined
                .then_some(request.delete_before_replace),
            ignore_changes: request.ignore_changes.clone(),
            replace_on_changes: request.replace_on_changes.clone(),
            additional_secret_outputs: request.additional_secret_outputs.clone(),
            aliases: request.aliases.iter().map(Alias::new).collect(),
            import: said(&request.import_id),
            provider: said(&request.provider),
            version: said(&request.version),
            deleted_with: said(&request.deleted_with),
            timeouts: timeouts
                .filter_map(|(name, time)| Some((name, said(time)?)))
                .collect(),
            hide_diffs: request.hide_diffs.clone(),
            replace_with: request.replace_with.clone(),
            replacement_trigger: request.replacement_trigger.clone().map(value::from_wire),
            plugin_download_url: said(&request.plugin_download_url),
            environment_variables: request.env_var_mappings.clone().into_iter().collect(),
            hooks: request.hooks.as_ref().map(hooks).unwrap_or_default(),
            package: said(&request.package_ref),
        }
    }
}

impl Alias {
    fn new(alias: &pulumirpc::Alias) -> Self {
        match &alias.alias {
            None => Self::default(),
            Some(WireAlias::Urn(urn)) => Self {
                urn: Some(urn.clone()),
                ..Self::default()
            },
            Some(WireAlias::Spec(spec)) => Self {
                urn: None,
                name: said(&spec.name),
                r#type: said(&spec.r#type),
                project: said(&spec.project),
                stack: said(&spec.stack),
                parent: match &spec.parent {
                    Some(Parent::ParentUrn(urn)) => Some(urn.clone()),
                    _ => None,
                },
                no_parent: spec.parent == Some(Parent::NoParent(true)),
            },
        }
    }
}

fn hooks(
    hooks: &pulumirpc::register_resource_request::ResourceHooksBinding,
) -> BTreeMap<&'static str, Vec<String>> {
    let all = [
        ("before_create", &hooks.before_create),
        ("after_create", &hooks.after_create),
        ("before_update", &hooks.before_update),
        ("after_update", &hooks.after_update),
        ("before_delete", &hooks.before_delete),
        ("after_delete", &hooks.after_delete),
    ];
    let all = all.into_iter().filter(|(_, names)| !names.is_empty());
    all.map(|(when, names)| (when, names.clone())).collect()
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// How the engine answers a registration; without more, the resource is created.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Answer {
    pub(crate) outputs: Map<String, Value>,
    pub(crate) id: Option<String>,
    pub(crate) delay: Duration,
    pub(crate) after_request_of: Vec<String>,
    pub(crate) after_answer_to: Vec<String>,
    pub(crate) after_error: bool,
    pub(crate) outcome: Outcome,
    pub(crate) left_out: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) enum Outcome {
    #[default]
    Created,
    Failed(String),
    FailedAlone(String),
    Refused(String),
    EngineLost,
    Interrupted,
}

impl Answer {
    /// The resource is created.
    pub fn new() -> Self {
        Self::default()
    }

    /// An output besides the inputs, or instead of one; unknown in a preview, unless the resource is
    /// only read.
    pub fn output(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.outputs.insert(name.to_owned(), value.into());
        self
    }

    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// As for a resource that is not there yet, and that `--target` leaves out: it has no id, and
    /// no outputs but its inputs.
    pub fn leave_out() -> Self {
        Self {
            left_out: true,
            ..Self::default()
        }
    }

    /// Takes this long.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Holds this answer back until the program has asked for the resource of this name too. A
    /// program that registers that resource only after this answer never ends.
    pub fn after_request_of(mut self, name: &str) -> Self {
        self.after_request_of.push(name.to_owned());
        self
    }

    /// Comes only after the resource of this name has been answered.
    pub fn after_answer_to(mut self, name: &str) -> Self {
        self.after_answer_to.push(name.to_owned());
        self
    }

    /// Comes only after an error was shown.
    pub fn after_error(mut self) -> Self {
        self.after_error = true;
        self
    }

    /// The provider fails: the engine shows the error and takes nothing more.
    pub fn fail(message: &str) -> Self {
        Self::with(Outcome::Failed(message.to_owned()))
    }

    /// The provider fails under `--continue-on-error`: the engine shows the error and goes on.
    pub fn fail_alone(message: &str) -> Self {
        Self::with(Outcome::FailedAlone(message.to_owned()))
    }

    /// The engine refuses the registration, and shows nothing.
    pub fn refuse(message: &str) -> Self {
        Self::with(Outcome::Refused(message.to_owned()))
    }

    /// The engine is killed.
    pub fn lose_engine() -> Self {
        Self::with(Outcome::EngineLost)
    }

    /// The program gets the signal of Ctrl-C, and no answer.
    pub fn interrupt() -> Self {
        Self::with(Outcome::Interrupted)
    }

    fn with(outcome: Outcome) -> Self {
        Self {
            outcome,
            ..Self::default()
        }
    }
}
