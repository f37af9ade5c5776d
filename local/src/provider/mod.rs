//! The provider side: Pulumi's ResourceProvider protocol over the trimmed schema.

pub mod resource;
pub mod types;
