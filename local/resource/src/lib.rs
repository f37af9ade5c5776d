//! Pulumi's ResourceProvider protocol over the trimmed schema. It knows no service: each brings its
//! resource types, and the app makes a package of them.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `service`, `provider` | the protocol: how a call is taken, and a method for each |
//! | `connection`, `settings` | who calls, and how that provider is configured |
//! | [`account`] | the account of one cloud, as the engine sees it |
//! | [`package`], `schema` | what may be declared |
//! | [`value`], `urn` | the engine's values and names |
//! | `check`, `naming`, `diff`, `outputs`, `invoke` | pure answers to the engine's questions |
//! | [`resource`], `bound`, `import_id` | what a resource type must say of itself, typed and over JSON |
//! | [`deployments`], [`status`] | what is deployed, durably, and how it is doing |
//! | `creation`, `reservations` | how a resource is created, and the ids that are kept for it |
//! | `asked` | the resource that a request is about |
//! | `answers`, `gone` | records that the engine may not know, and of resources that are gone |
//! | `engine`, `refusals` | what the user is told |

#![warn(unreachable_pub)]

pub mod account;
mod answers;
mod asked;
mod bound;
mod check;
mod connection;
mod creation;
pub mod deployments;
mod diff;
mod engine;
mod gone;
mod import_id;
mod invoke;
mod naming;
mod outputs;
pub mod package;
mod provider;
mod refusals;
mod reservations;
pub mod resource;
mod schema;
mod service;
mod settings;
pub mod status;
mod urn;
pub mod value;

pub use service::serve;
