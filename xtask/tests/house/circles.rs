//! Which files of a crate need each other, by the paths that they name.

use crate::crates::{Crate, crates_of_local};
use crate::{files, root};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// More than three files that need each other are one subject in too many files, or no subject.
#[test]
fn files_of_local_need_each_other_in_small_circles_alone() -> Result<()> {
    const MOST: usize = 3;
    let sources = files(".rs")?;
    let root = root()?;
    for (name, Crate { folder, .. }) in crates_of_local()? {
        let source = folder.strip_prefix(&root)?.join("src");
        let modules: BTreeMap<Vec<String>, &str> = sources
            .iter()
            .filter(|(path, _)| !path.ends_with("tests.rs"))
            .filter_map(|(path, text)| {
                let module = module_of(path.strip_prefix(&source).ok()?)?;
                Some((module, text.split("\n#[cfg(test)]\nmod tests {").next()?))
            })
            .collect();
        let needs: BTreeMap<_, BTreeSet<_>> = modules
            .iter()
            .map(|(module, text)| (module.clone(), needed(module, text, &modules)))
            .collect();
        for module in modules.keys() {
            let there = reached(module, &needs);
            let circle: Vec<_> = there
                .iter()
                .filter(|other| reached(other, &needs).contains(module))
                .map(|other| other.join("::"))
                .collect();
            assert!(circle.len() <= MOST, "{name} has the circle {circle:?}");
        }
    }
    Ok(())
}

/// The path of the module that a file below `src` is. Roots and the files that only list others
/// (`mod.rs`) re-export, so that what is said of them says nothing: they are none.
fn module_of(path: &Path) -> Option<Vec<String>> {
    let mut parts: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    match parts.last()?.as_str() {
        "lib" | "main" => return None,
        "mod" => {
            parts.pop();
        }
        _ => {}
    }
    Some(parts)
}

/// The modules that a file names in its paths.
fn needed(
    module: &[String],
    text: &str,
    modules: &BTreeMap<Vec<String>, &str>,
) -> BTreeSet<Vec<String>> {
    let mut needed = BTreeSet::new();
    for (start, base) in [
        ("crate::", Vec::new()),
        (
            "super::super::",
            module[..module.len().saturating_sub(2)].to_vec(),
        ),
        ("super::", module[..module.len() - 1].to_vec()),
    ] {
        for (at, _) in text.match_indices(start) {
            let before = &text[..at];
            let line = before.rsplit('\n').next().unwrap_or_default();
            if before.ends_with("super::") || line.trim_start().starts_with("//") {
                continue;
            }
            let rest = &text[at + start.len()..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let named = rest[..end.unwrap_or(rest.len())].split("::");
            let mut path = base.clone();
            let mut deepest = None;
            for part in named {
                path.push(part.to_owned());
                if modules.contains_key(&path) {
                    deepest = Some(path.clone());
                }
            }
            needed.extend(deepest);
        }
    }
    // A module and what is below it are one subject.
    needed.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    needed
}

/// All that a module needs, directly or not.
fn reached(
    module: &[String],
    needs: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
) -> BTreeSet<Vec<String>> {
    let mut there = BTreeSet::new();
    let mut waiting = vec![module.to_vec()];
    while let Some(next) = waiting.pop() {
        for other in needs.get(&next).into_iter().flatten() {
            if there.insert(other.clone()) {
                waiting.push(other.clone());
            }
        }
    }
    there
}
