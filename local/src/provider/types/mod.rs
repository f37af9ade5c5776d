//! The resource types that can be deployed, a module a service.

use super::resource::AnyResourceType;

/// Every resource type of the embedded cloud.
pub fn all() -> Vec<Box<dyn AnyResourceType>> {
    Vec::new()
}
