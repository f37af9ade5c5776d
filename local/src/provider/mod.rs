//! The provider side: Pulumi's ResourceProvider protocol over the trimmed schema.

pub mod deployments;
pub mod package;
pub mod resource;
pub mod service;
pub mod types;

pub use deployments::activate_all;
pub use service::serve;
