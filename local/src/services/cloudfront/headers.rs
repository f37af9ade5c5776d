//! Response headers policies: what a distribution adds to, and takes from, an answer.

use http::{HeaderMap, HeaderName, HeaderValue};

/// A response headers policy, ready to be applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// Taken from the origin's answer before anything is added.
    pub removed: Vec<HeaderName>,
    pub added: Vec<HeaderRule>,
}

/// A header to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRule {
    pub name: HeaderName,
    pub value: HeaderValue,
    /// Whether it takes the place of the origin's header of the same name; without it, the
    /// origin's stays.
    pub replaces: bool,
}

impl ResponseHeaders {
    /// Changes the headers of an answer.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.removed {
            headers.remove(name);
        }
        for rule in &self.added {
            if rule.replaces || !headers.contains_key(&rule.name) {
                headers.insert(rule.name.clone(), rule.value.clone());
            }
        }
    }
}
