//! Uniform resource names, the engine's names for resources.

use pulumi_protocol::urn;
use std::fmt;

/// `urn:pulumi:STACK::PROJECT::PARENT-TYPES$TYPE::NAME`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urn {
    text: String,
    pub stack: String,
    pub project: String,
    /// The type's token, without the types of its parents.
    pub token: String,
    /// The logical name.
    pub name: String,
    /// Whether it belongs to a component.
    pub has_parent: bool,
}

impl Urn {
    /// Takes a URN apart.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = urn::parse(text)?;
        Some(Self {
            text: text.to_owned(),
            stack: parts.stack.to_owned(),
            project: parts.project.to_owned(),
            token: parts.own_type().to_owned(),
            name: parts.name.to_owned(),
            has_parent: parts.outermost_type().is_some(),
        })
    }

    /// The whole URN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
