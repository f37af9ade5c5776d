//! What may be declared here: the resource types that the embedded cloud deploys.

use super::resource::AnyResourceType;
use super::types;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A package of resource types, by their tokens.
#[derive(Clone)]
pub struct Package {
    types: Arc<BTreeMap<&'static str, Box<dyn AnyResourceType>>>,
}

impl Package {
    /// The aws package, as far as the embedded cloud has it.
    pub fn aws() -> Self {
        Self::new(types::all())
    }

    /// A package of these types.
    pub fn new(types: Vec<Box<dyn AnyResourceType>>) -> Self {
        let by_token = types.into_iter().map(|of| (of.token(), of)).collect();
        Self {
            types: Arc::new(by_token),
        }
    }

    /// The type of this token.
    pub fn resource_type(&self, token: &str) -> Option<&dyn AnyResourceType> {
        self.types.get(token).map(Box::as_ref)
    }

    /// All tokens, sorted.
    pub fn tokens(&self) -> impl Iterator<Item = &'static str> {
        self.types.keys().copied()
    }
}
