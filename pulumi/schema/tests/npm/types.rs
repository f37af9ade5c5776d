//! TypeScript's types, as far as the SDK's declarations use them.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::vec::IntoIter;

use anyhow::{Context, Result, bail, ensure};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    Word(String),
    /// By its token.
    Named(String),
    /// A class of the SDK: a resource that is given for its id.
    Class(String),
    Array(Box<Type>),
    Map(Box<Type>),
    Union(BTreeSet<Type>),
    Archive,
    Asset,
    Undefined,
}

impl Type {
    pub fn parse(text: &str) -> Result<Self> {
        let mut tokens = tokens(text).into_iter().peekable();
        let parsed = alternatives(&mut tokens)?;
        ensure!(tokens.next().is_none(), "more than a type");
        Ok(parsed)
    }

    /// A union of one is that one; assets, as TypeScript spells them, are one.
    pub fn union(alternatives: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = BTreeSet::new();
        for alternative in alternatives {
            match alternative {
                Self::Union(inner) => flat.extend(inner),
                other => {
                    flat.insert(other);
                }
            }
        }
        if flat.contains(&Self::Asset) {
            flat.remove(&Self::Archive);
        }
        match flat.pop_first() {
            Some(only) if flat.is_empty() => only,
            Some(first) => {
                flat.insert(first);
                Self::Union(flat)
            }
            None => Self::Undefined,
        }
    }

    pub fn optional(self) -> Self {
        Self::union([self, Self::Undefined])
    }

    pub fn is_optional(&self) -> bool {
        match self {
            Self::Union(alternatives) => alternatives.contains(&Self::Undefined),
            other => *other == Self::Undefined,
        }
    }

    /// Without the alternatives that the binding leaves out, at any depth: resources in place of
    /// their ids, and what the selection names.
    pub fn without(&self, dropped: &BTreeSet<String>) -> Self {
        let is_kept = |alternative: &&Self| match alternative {
            Self::Class(_) => false,
            Self::Named(token) => !dropped.contains(token),
            _ => true,
        };
        match self {
            Self::Array(items) => Self::Array(Box::new(items.without(dropped))),
            Self::Map(values) => Self::Map(Box::new(values.without(dropped))),
            Self::Union(alternatives) => {
                let kept = alternatives.iter().filter(is_kept);
                Self::union(kept.map(|alternative| alternative.without(dropped)))
            }
            other => other.clone(),
        }
    }
}

type Tokens = Peekable<IntoIter<String>>;

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() || letter == '_' || letter == '.' {
            word.push(letter);
            continue;
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        if !letter.is_whitespace() && letter != ';' {
            tokens.push(letter.to_string());
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

fn alternatives(tokens: &mut Tokens) -> Result<Type> {
    let mut found = vec![single(tokens)?];
    while tokens.next_if_eq("|").is_some() {
        found.push(single(tokens)?);
    }
    Ok(Type::union(found))
}

fn single(tokens: &mut Tokens) -> Result<Type> {
    let token = tokens.next().context("a type is missing")?;
    let mut found = match token.as_str() {
        "pulumi.Input" | "pulumi.Output" => {
            expect(tokens, "<")?;
            let inner = alternatives(tokens)?;
            expect(tokens, ">")?;
            inner
        }
        "{" => {
            for part in ["[", "key", ":", "string", "]", ":"] {
                expect(tokens, part)?;
            }
            let values = alternatives(tokens)?;
            expect(tokens, "}")?;
            Type::Map(Box::new(values))
        }
        "string" | "number" | "boolean" => Type::Word(token),
        "undefined" => Type::Undefined,
        "pulumi.asset.Archive" => Type::Archive,
        "pulumi.asset.Asset" => Type::Asset,
        name => named(name)?,
    };
    while tokens.next_if_eq("[").is_some() {
        expect(tokens, "]")?;
        found = Type::Array(Box::new(found));
    }
    Ok(found)
}

fn named(name: &str) -> Result<Type> {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["inputs" | "outputs" | "enums", module, name] => {
            Ok(Type::Named(format!("aws:{module}/{name}:{name}")))
        }
        [class] if class.starts_with(char::is_uppercase) => Ok(Type::Class(class.to_owned())),
        _ => bail!("{name} is not understood"),
    }
}

fn expect(tokens: &mut Tokens, wanted: &str) -> Result<()> {
    let found = tokens.next();
    ensure!(
        found.as_deref() == Some(wanted),
        "{found:?} is where {wanted} should be"
    );
    Ok(())
}
