//! Physical names for resources whose program gives none.

use crate::package::Declared;
use crate::resource::{AutoName, New, Refusal};
use crate::value::{Property, PropertyMap};
use pulumi_gestalt_proto::pulumi::pulumirpc::check_request::AutonamingOptions;
use pulumi_gestalt_proto::pulumi::pulumirpc::check_request::autonaming_options::Mode;

/// The input property that lists the properties which the provider filled in, as in the real
/// provider's states: a name in it is kept while the resource lives, and makes way for a new
/// one when it is replaced.
pub(crate) const DEFAULTS: &str = "__defaults";

/// How many characters set two automatic names apart.
const SUFFIX: usize = 7;

/// What the engine was configured to name resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proposal {
    /// Nothing: the provider decides.
    Free,
    /// This name.
    Name(String),
    /// No automatic names.
    Disabled,
}

impl Proposal {
    /// The naming options in a call of the engine.
    pub(crate) fn of(options: Option<AutonamingOptions>) -> Self {
        match options {
            None => Self::Free,
            Some(options) => match options.mode() {
                Mode::Disable => Self::Disabled,
                Mode::Propose | Mode::Enforce if options.proposed_name.is_empty() => Self::Free,
                Mode::Propose | Mode::Enforce => Self::Name(options.proposed_name),
            },
        }
    }
}

/// Fills in the name that the inputs lack. `old` are the inputs of the resource as it is.
pub(crate) fn name(
    declared: Declared<'_>,
    new: &New,
    proposal: &Proposal,
    old: &PropertyMap,
    inputs: &mut PropertyMap,
) -> Result<(), Refusal> {
    let Some(auto) = declared.of.auto_name() else {
        return Ok(());
    };
    let prefix_property = format!("{}Prefix", auto.property);
    let has_prefix = declared
        .schema
        .input_properties
        .contains_key(&prefix_property)
        && inputs.contains_key(&prefix_property);
    if inputs.contains_key(auto.property) {
        return match has_prefix {
            true => Err(Refusal::new(
                prefix_property,
                format!("conflicts with {}: give one of the two", auto.property),
            )),
            false => Ok(()),
        };
    }

    let prefix_changed = old.get(&prefix_property) != inputs.get(&prefix_property);
    let name = match old.get(auto.property) {
        Some(name) if is_automatic(old, auto.property) && !prefix_changed => name.clone(),
        _ => {
            let prefix = match inputs.get(&prefix_property) {
                None => None,
                Some(Property::Unknown) => return Ok(()),
                Some(prefix) => prefix.as_str(),
            };
            let lower_case = declared.of.lower_case_name();
            Property::String(fresh(auto, lower_case, new, proposal, prefix)?)
        }
    };
    inputs.insert(auto.property.to_owned(), name);
    inputs.insert(
        DEFAULTS.to_owned(),
        Property::Array(vec![Property::String(auto.property.to_owned())]),
    );
    Ok(())
}

/// Whether the provider made the value of this property up.
pub(crate) fn is_automatic(inputs: &PropertyMap, property: &str) -> bool {
    match inputs.get(DEFAULTS) {
        Some(Property::Array(names)) => names.iter().any(|name| name.as_str() == Some(property)),
        _ => false,
    }
}

fn fresh(
    auto: AutoName,
    lower_case: bool,
    new: &New,
    proposal: &Proposal,
    prefix: Option<&str>,
) -> Result<String, Refusal> {
    let refuse = |reason: String| Err(Refusal::new(auto.property, reason));
    let mut name = match (prefix, proposal) {
        (Some(prefix), _) => format!("{prefix}{}", new.suffix(SUFFIX)),
        (None, Proposal::Free) => format!("{}-{}", new.name, new.suffix(SUFFIX)),
        (None, Proposal::Name(name)) => name.clone(),
        (None, Proposal::Disabled) => {
            return refuse("is required: automatic naming is disabled".to_owned());
        }
    };
    if lower_case {
        name = name.to_lowercase();
    }
    let length = name.chars().count();
    if length > auto.max_length {
        return refuse(format!(
            "the automatic name {name} has {length} characters, AWS allows {}: \
             shorten the resource's name, or set {}",
            auto.max_length, auto.property
        ));
    }
    Ok(name)
}
