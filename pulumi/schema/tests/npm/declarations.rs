//! Finds interfaces, classes and enumerations in `.d.ts` files.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::types::Type;

pub type Members = BTreeMap<String, Type>;

pub fn interface(source: &str, name: &str) -> Result<Members> {
    let body = block(source, &format!("export interface {name} {{"));
    members(body.context("not found")?)
}

pub fn class(source: &str, name: &str) -> Result<Members> {
    let body = block(source, &format!("export declare class {name} extends "));
    members(body.context("not found")?)
}

/// An interface inside a namespace of the file: `types/input.d.ts` has one a module.
pub fn in_namespace(source: &str, module: &str, name: &str) -> Result<Members> {
    let namespace = block(source, &format!("export declare namespace {module} {{"));
    let body = block(
        namespace.context("no such namespace")?,
        &format!("    interface {name} {{"),
    );
    members(body.context("not found")?)
}

/// The values of `export declare const Name: { readonly A: "a"; … }`.
pub fn constants(source: &str, name: &str) -> BTreeSet<String> {
    let body = block(source, &format!("export declare const {name}: {{"));
    let lines = body.unwrap_or_default().lines();
    lines
        .filter_map(|line| {
            let (_, value) = line.trim().strip_prefix("readonly ")?.split_once(": \"")?;
            Some(value.strip_suffix("\";")?.to_owned())
        })
        .collect()
}

/// The text between the brackets after `head`.
fn block<'a>(source: &'a str, head: &str) -> Option<&'a str> {
    let start = source.find(head)?;
    let open = start + source[start..].find('{')?;
    let mut depth = 0_usize;
    for (at, letter) in source[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&source[open + 1..open + at]);
        }
    }
    None
}

/// `name?: type;`, with or without `readonly`; methods and constructors are passed over.
fn members(body: &str) -> Result<Members> {
    let mut members = Members::new();
    let mut depth = 0_usize;
    let mut statement = String::new();
    for letter in body.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                let text = std::mem::take(&mut statement);
                add(text.trim(), &mut members)?;
                continue;
            }
            _ => {}
        }
        statement.push(letter);
    }
    Ok(members)
}

fn add(statement: &str, members: &mut Members) -> Result<()> {
    let statement = statement.strip_prefix("readonly ").unwrap_or(statement);
    let Some((name, annotation)) = statement.split_once(": ") else {
        return Ok(());
    };
    if name.contains(['(', ' ']) {
        return Ok(());
    }
    let parsed = Type::parse(annotation).with_context(|| format!("{name}: {annotation}"))?;
    let (name, parsed) = match name.strip_suffix('?') {
        Some(name) => (name, parsed.optional()),
        None => (name, parsed),
    };
    members.insert(name.to_owned(), parsed);
    Ok(())
}
