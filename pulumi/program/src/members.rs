//! The resources under a component, for those that depend on all of it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::resource::Urn;

/// The resources and components that have a component as their parent; it grows while the program
/// describes them.
#[derive(Debug, Clone, Default)]
pub struct Members(Arc<Mutex<List>>);

#[derive(Debug, Default)]
struct List {
    urns: Vec<Urn>,
    components: Vec<Members>,
}

impl Members {
    pub(crate) fn add(&self, urn: Urn) {
        self.list(|list| list.urns.push(urn));
    }

    pub(crate) fn add_component(&self, members: Self) {
        self.list(|list| list.components.push(members));
    }

    /// All URNs by now, at any depth.
    pub(crate) fn urns(&self) -> Vec<Urn> {
        let (mut urns, components) = self.list(|list| (list.urns.clone(), list.components.clone()));
        urns.extend(components.iter().flat_map(Self::urns));
        urns
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn list<T>(&self, with: impl FnOnce(&mut List) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
