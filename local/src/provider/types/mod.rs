//! The resource types that can be deployed, a module a service.

mod apigateway;
mod codecommit;
mod iam;

use super::resource::AnyResourceType;

/// Every resource type of the embedded cloud.
pub fn all() -> Vec<Box<dyn AnyResourceType>> {
    let mut types: Vec<Box<dyn AnyResourceType>> = vec![
        Box::new(codecommit::Repository),
        Box::new(iam::Role),
        Box::new(iam::RolePolicy),
    ];
    types.extend(apigateway::all());
    types
}
