//! What changes between old and new inputs of a resource, and whether that needs a replacement.

use crate::naming;
use crate::package::Declared;
use crate::schema::join;
use crate::value::{Property, PropertyMap};
use pulumi_gestalt_proto::pulumi::pulumirpc::{
    DiffResponse, PropertyDiff, diff_response::DiffChanges, property_diff::Kind,
};
use std::collections::{BTreeMap, BTreeSet};

/// A resource before and after a change.
pub(crate) struct Change<'a> {
    pub declared: Declared<'a>,
    pub old_inputs: &'a PropertyMap,
    pub new_inputs: &'a PropertyMap,
    pub old_outputs: &'a PropertyMap,
    /// The region it is to be in.
    pub new_region: &'a str,
}

/// Whether the engine must update the resource or replace it, and because of what.
pub(crate) fn diff(change: &Change<'_>) -> DiffResponse {
    let mut paths = BTreeMap::new();
    compare_objects("", change.old_inputs, change.new_inputs, &mut paths);

    let replaces_on = |path: &str| replaces(change.declared, path);
    let mut detailed: BTreeMap<String, PropertyDiff> = paths
        .into_iter()
        .map(|(path, kind)| {
            let kind = if replaces_on(&path) {
                replacing(kind)
            } else {
                kind
            };
            (path, property_diff(kind, true))
        })
        .collect();
    region_change(change, &mut detailed);

    response(detailed, must_go_first(change))
}

/// Whether a provider's new configuration changes what it manages. Its resources stay where
/// they are: a new region needs a new provider, and with it new resources.
pub(crate) fn diff_config(old: &PropertyMap, new: &PropertyMap) -> DiffResponse {
    let mut paths = BTreeMap::new();
    compare_objects("", old, new, &mut paths);
    let detailed: BTreeMap<String, PropertyDiff> = paths
        .into_iter()
        .map(|(path, kind)| {
            let moves = path == "region" && kind == Kind::Update;
            let kind = if moves { Kind::UpdateReplace } else { kind };
            (path, property_diff(kind, true))
        })
        .collect();
    response(detailed, false)
}

fn response(detailed: BTreeMap<String, PropertyDiff>, delete_before_replace: bool) -> DiffResponse {
    let top = |path: &String| path.split(['.', '[']).next().unwrap_or(path).to_owned();
    let diffs: BTreeSet<String> = detailed.keys().map(top).collect();
    let replaces: BTreeSet<String> = detailed
        .iter()
        .filter(|(_, diff)| is_replacing(diff.kind))
        .map(|(path, _)| top(path))
        .collect();
    let changes = match diffs.is_empty() {
        true => DiffChanges::DiffNone,
        false => DiffChanges::DiffSome,
    };
    DiffResponse {
        delete_before_replace: delete_before_replace && !replaces.is_empty(),
        replaces: replaces.into_iter().collect(),
        stables: Vec::new(),
        changes: changes.into(),
        diffs: diffs.into_iter().collect(),
        detailed_diff: detailed.into_iter().collect(),
        has_detailed_diff: true,
    }
}

/// Two resources cannot bear one name at a time. An automatic name is new with each
/// replacement; one that the program fixed is the same for both, so the old one goes first, as
/// the real provider does it.
fn must_go_first(change: &Change<'_>) -> bool {
    if change.declared.of.delete_before_replace() {
        return true;
    }
    let Some(auto) = change.declared.of.auto_name() else {
        return false;
    };
    let new_name = change.new_inputs.get(auto.property);
    new_name.is_some()
        && new_name == change.old_inputs.get(auto.property)
        && !naming::is_automatic(change.new_inputs, auto.property)
}

fn replaces(declared: Declared<'_>, path: &str) -> bool {
    let plain = without_indices(path);
    let below = |property: &str| {
        let rest = plain.strip_prefix(property);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let top = plain.split('.').next().unwrap_or_default();
    let by_schema = declared.schema.input_properties.get(top);
    by_schema.is_some_and(|property| property.replace_on_changes)
        || declared.of.replaces_on().iter().copied().any(below)
}

/// `a[0].b["c"]` as `a.b.c`.
fn without_indices(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(open) = rest.find('[') {
        plain.push_str(&rest[..open]);
        let close = rest[open..].find(']').map_or(rest.len(), |at| open + at);
        let inside = rest[open + 1..close].trim_matches('"');
        if inside.parse::<usize>().is_err() {
            plain.push('.');
            plain.push_str(inside);
        }
        rest = rest.get(close + 1..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// A resource cannot move, whether its own `region` or the provider's has changed. A region
/// that is now written down and was the provider's before is no change.
fn region_change(change: &Change<'_>, detailed: &mut BTreeMap<String, PropertyDiff>) {
    let Some(old_region) = change.old_outputs.get("region").and_then(Property::as_str) else {
        return;
    };
    if !change
        .declared
        .schema
        .input_properties
        .contains_key("region")
    {
        return;
    }
    let input = detailed.remove("region");
    if old_region != change.new_region {
        let by_input = input.is_some();
        detailed.insert(
            "region".to_owned(),
            property_diff(Kind::UpdateReplace, by_input),
        );
    }
}

fn compare_objects(
    path: &str,
    old: &PropertyMap,
    new: &PropertyMap,
    found: &mut BTreeMap<String, Kind>,
) {
    for (name, old) in old.iter().filter(|(name, _)| is_public(name)) {
        let path = join(path, name);
        match new.get(name) {
            Some(new) => compare(&path, old, new, found),
            None => {
                found.insert(path, Kind::Delete);
            }
        }
    }
    for name in new.keys().filter(|name| is_public(name)) {
        if !old.contains_key(name) {
            found.insert(join(path, name), Kind::Add);
        }
    }
}

fn is_public(name: &str) -> bool {
    !name.starts_with("__")
}

fn compare(path: &str, old: &Property, new: &Property, found: &mut BTreeMap<String, Kind>) {
    match (old.unwrapped(), new.unwrapped()) {
        (Property::Object(old), Property::Object(new)) => compare_objects(path, old, new, found),
        (Property::Array(old), Property::Array(new)) => {
            for index in 0..old.len().max(new.len()) {
                let path = format!("{path}[{index}]");
                match (old.get(index), new.get(index)) {
                    (Some(old), Some(new)) => compare(&path, old, new, found),
                    (Some(_), None) => {
                        found.insert(path, Kind::Delete);
                    }
                    (None, _) => {
                        found.insert(path, Kind::Add);
                    }
                }
            }
        }
        (old, new) if is_same(old, new) => {}
        _ => {
            found.insert(path.to_owned(), Kind::Update);
        }
    }
}

fn is_same(old: &Property, new: &Property) -> bool {
    match (old, new) {
        // The engine tells old assets by their hash alone.
        (Property::Asset(old), Property::Asset(new))
        | (Property::Archive(old), Property::Archive(new)) => {
            match (old.get("hash"), new.get("hash")) {
                (Some(old), Some(new)) => old == new,
                _ => old == new,
            }
        }
        (_, Property::Unknown) => false,
        (old, new) => old == new,
    }
}

fn property_diff(kind: Kind, input_diff: bool) -> PropertyDiff {
    PropertyDiff {
        kind: kind.into(),
        input_diff,
    }
}

fn replacing(kind: Kind) -> Kind {
    match kind {
        Kind::Add | Kind::AddReplace => Kind::AddReplace,
        Kind::Delete | Kind::DeleteReplace => Kind::DeleteReplace,
        Kind::Update | Kind::UpdateReplace => Kind::UpdateReplace,
    }
}

fn is_replacing(kind: i32) -> bool {
    matches!(
        Kind::try_from(kind),
        Ok(Kind::AddReplace | Kind::DeleteReplace | Kind::UpdateReplace)
    )
}
