//! Pulumi's ResourceProvider protocol over the trimmed schema. It knows no service: each brings its
//! resource types, and the app makes a package of them.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `service` | the protocol: a method a call, and what each does |
//! | `connection`, `settings` | who calls, and how that provider is configured |
//! | [`account`] | the account of one cloud, as the engine sees it |
//! | [`package`], `schema` | what may be declared |
//! | [`value`], `urn` | the engine's values and names |
//! | `check`, `naming`, `diff`, `outputs`, `invoke` | pure answers to the engine's questions |
//! | [`resource`], `import_id` | what a resource type must say of itself |
//! | [`deployments`], `reservations` | what is deployed, durably, and what is about to be |
//! | `asked` | the resource that a request is about |
//! | `answers`, `gone` | records of which the engine may not know, and of what is no more |
//! | `engine`, `refusals` | what the user is told |

#![warn(unreachable_pub)]

pub mod account;
mod answers;
mod asked;
mod check;
mod connection;
pub mod deployments;
mod diff;
mod engine;
mod gone;
mod import_id;
mod invoke;
mod naming;
mod outputs;
pub mod package;
mod refusals;
mod reservations;
pub mod resource;
mod schema;
mod service;
mod settings;
mod urn;
pub mod value;

pub use service::serve;
