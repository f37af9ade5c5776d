//! The provider side: Pulumi's ResourceProvider protocol over the trimmed schema.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`service`] | the protocol: a method a call, and what each does |
//! | [`connection`], [`settings`] | who calls, and how that provider is configured |
//! | [`package`], [`schema`] | what may be declared |
//! | [`value`], [`urn`] | the engine's values and names |
//! | [`check`], [`naming`], [`diff`], [`outputs`], [`invoke`] | pure answers to the engine's questions |
//! | [`resource`], [`import_id`], [`types`] | what a resource type must say of itself, and those there are |
//! | [`deployments`], [`reservations`] | what is deployed, durably, and what is about to be |
//! | [`asked`] | the resource that a request is about |
//! | [`answers`], [`gone`] | records of which the engine may not know, and of what is no more |
//! | [`engine`], [`refusals`] | what the user is told |

pub mod answers;
pub mod asked;
pub mod check;
pub mod connection;
pub mod deployments;
pub mod diff;
pub mod engine;
pub mod gone;
pub mod import_id;
pub mod invoke;
pub mod naming;
pub mod outputs;
pub mod package;
pub mod refusals;
pub mod reservations;
pub mod resource;
pub mod schema;
pub mod service;
pub mod settings;
pub mod types;
pub mod urn;
pub mod value;

pub use deployments::activate_all;
pub use service::serve;
