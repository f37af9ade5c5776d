//! Values that a template computes with.

use crate::json::Json;
use std::sync::Arc;

/// A value; cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Part of a payload, or a plain value.
    Json(Json),
    /// A list of the template's own.
    List(Arc<[Value]>),
    /// A map of the template's own.
    Map(Arc<[(Arc<str>, Value)]>),
}

impl Value {
    pub(crate) const NULL: Self = Self::Json(Json::Null);

    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self::Json(Json::string(text))
    }

    pub(crate) fn bool(value: bool) -> Self {
        Self::Json(Json::Bool(value))
    }

    pub(crate) fn integer(value: usize) -> Self {
        Self::Json(i64::try_from(value).map_or(Json::Null, Json::Integer))
    }

    /// Whether `#if` takes it for true: everything is but null and false (Velocity 1.7).
    pub(crate) fn holds(&self) -> bool {
        !matches!(self, Self::Json(Json::Null | Json::Bool(false)))
    }

    /// Writes the value as a template prints it. An array of a payload is printed as JSON, an
    /// object as Java prints a map; so API Gateway does.
    pub(crate) fn print(&self, out: &mut String) {
        match self {
            Self::Json(Json::Null) => {}
            other => other.print_nested(out),
        }
    }

    fn print_nested(&self, out: &mut String) {
        match self {
            Self::Json(Json::String(text)) => out.push_str(text),
            Self::Json(Json::Object(members)) => {
                let members = members.iter();
                print_map(
                    members.map(|(name, value)| (&**name, Self::Json(value.clone()))),
                    out,
                );
            }
            Self::Json(other) => out.push_str(&other.to_string()),
            Self::List(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    element.print_nested(out);
                }
                out.push(']');
            }
            Self::Map(members) => {
                print_map(
                    members.iter().map(|(name, value)| (&**name, value.clone())),
                    out,
                );
            }
        }
    }

    /// The value as text: what it prints.
    pub(crate) fn printed(&self) -> String {
        let mut text = String::new();
        self.print(&mut text);
        text
    }

    /// A member of a map or object; null when there is none.
    pub(crate) fn member(&self, name: &str) -> Self {
        match self {
            Self::Json(json) => json.member(name).cloned().map_or(Self::NULL, Self::Json),
            Self::Map(members) => members
                .iter()
                .find(|(member, _)| &**member == name)
                .map_or(Self::NULL, |(_, value)| value.clone()),
            Self::List(_) => Self::NULL,
        }
    }

    /// An element of a list or array; null when there is none.
    pub(crate) fn element(&self, index: usize) -> Self {
        match self {
            Self::Json(json) => json.element(index).cloned().map_or(Self::NULL, Self::Json),
            Self::List(elements) => elements.get(index).cloned().unwrap_or(Self::NULL),
            Self::Map(_) => Self::NULL,
        }
    }

    /// How many elements or members there are; nothing for what has none.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::Json(Json::Array(elements)) => Some(elements.len()),
            Self::Json(Json::Object(members)) => Some(members.len()),
            Self::Json(_) => None,
            Self::List(elements) => Some(elements.len()),
            Self::Map(members) => Some(members.len()),
        }
    }

    /// The names of a map's or object's members.
    pub(crate) fn names(&self) -> Option<Vec<Arc<str>>> {
        match self {
            Self::Json(Json::Object(members)) => {
                Some(members.iter().map(|(name, _)| Arc::clone(name)).collect())
            }
            Self::Map(members) => Some(members.iter().map(|(name, _)| Arc::clone(name)).collect()),
            _ => None,
        }
    }

    /// What a loop goes through: elements, or a map's values. Nothing for what is no collection.
    pub(crate) fn items(&self, at_most: usize) -> Vec<Self> {
        match self {
            Self::Json(Json::Array(elements)) => {
                let elements = elements.iter().take(at_most);
                elements.cloned().map(Self::Json).collect()
            }
            Self::Json(Json::Object(members)) => {
                let values = members.iter().take(at_most).map(|(_, value)| value);
                values.cloned().map(Self::Json).collect()
            }
            Self::Json(_) => Vec::new(),
            Self::List(elements) => elements.iter().take(at_most).cloned().collect(),
            Self::Map(members) => {
                let values = members.iter().take(at_most).map(|(_, value)| value);
                values.cloned().collect()
            }
        }
    }
}

fn print_map<'a>(members: impl Iterator<Item = (&'a str, Value)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        out.push_str(name);
        out.push('=');
        value.print_nested(out);
    }
    out.push('}');
}
