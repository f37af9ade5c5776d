//! A value, with what is secret and what it depends on.

use std::collections::HashSet;
use std::fmt;

use crate::output::{FAILED, ResolvedOutput};

/// The engine's numbers have 64 bits with a fraction: up to this, and down to its negative, every
/// whole number is exact.
pub const EXACT: i128 = (1 << 53) - 1;

/// A value as the engine has it, or will get it.
#[derive(Debug, Clone, PartialEq)]
pub struct PulumiValue {
    pub content: PulumiValueContent,
    pub secret: bool,
    /// The URNs of the resources that it was computed from.
    pub dependencies: HashSet<String>,
}

/// What a value is.
#[derive(Clone, PartialEq)]
pub enum PulumiValueContent {
    String(String),
    /// Generated code makes and takes whole numbers of this size.
    Integer(i32),
    /// A whole number that is no [`Integer`](Self::Integer).
    Large(i128),
    Number(f64),
    Boolean(bool),
    Array(Vec<PulumiValue>),
    Object(Vec<(String, PulumiValue)>),
    /// `null`, or unset.
    None,
    /// Not known before the update has run.
    Nothing,
    /// A field that an object lacks, with what to say if there has to be one.
    Absent(&'static str),
}

impl PulumiValue {
    /// Not known yet.
    pub fn nothing() -> Self {
        PulumiValueContent::Nothing.into()
    }

    /// `null`.
    pub fn none() -> Self {
        PulumiValueContent::None.into()
    }

    /// Whether it, or anything in it, comes of what failed.
    pub fn has_failed(&self) -> bool {
        self.dependencies.contains(FAILED) || self.content.children().any(Self::has_failed)
    }

    /// As what an output has become.
    pub fn into_resolved(self) -> ResolvedOutput<Self> {
        ResolvedOutput {
            secret: self.secret,
            dependencies: self.dependencies.clone(),
            value: (self.content != PulumiValueContent::Nothing).then_some(self),
        }
    }

    /// Whether it is a secret, or anything in it is.
    pub fn contains_secret(&self) -> bool {
        self.secret || self.content.children().any(Self::contains_secret)
    }
}

impl From<PulumiValueContent> for PulumiValue {
    fn from(content: PulumiValueContent) -> Self {
        Self {
            content,
            secret: false,
            dependencies: HashSet::new(),
        }
    }
}

impl PulumiValueContent {
    /// The values in a list or in a map.
    pub fn children(&self) -> impl Iterator<Item = &PulumiValue> {
        let (items, entries) = match self {
            Self::Array(items) => (items.as_slice(), [].as_slice()),
            Self::Object(entries) => ([].as_slice(), entries.as_slice()),
            _ => ([].as_slice(), [].as_slice()),
        };
        items.iter().chain(entries.iter().map(|(_, value)| value))
    }

    /// The content of a whole number.
    pub fn whole(number: i128) -> Self {
        i32::try_from(number).map_or(Self::Large(number), Self::Integer)
    }

    pub fn as_whole(&self) -> Option<i128> {
        match self {
            Self::Integer(number) => Some((*number).into()),
            Self::Large(number) => Some(*number),
            _ => None,
        }
    }
}

/// The kind alone: the value may be a secret, and errors show this.
impl fmt::Debug for PulumiValueContent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::String(_) => "String",
            Self::Integer(_) | Self::Large(_) => "Integer",
            Self::Number(_) => "Number",
            Self::Boolean(_) => "Boolean",
            Self::Array(_) => "Array",
            Self::Object(_) => "Object",
            Self::None | Self::Absent(_) => "None",
            Self::Nothing => "Nothing",
        })
    }
}
