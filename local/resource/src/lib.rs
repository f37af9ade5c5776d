//! Pulumi's ResourceProvider protocol over the trimmed schema. It knows no service: each brings its
//! resource types, and the app makes a package of them.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`service`] | the protocol: a method a call, and what each does |
//! | [`connection`], [`settings`] | who calls, and how that provider is configured |
//! | [`account`] | the account of one cloud, as the engine sees it |
//! | [`package`], [`schema`] | what may be declared |
//! | [`value`], [`urn`] | the engine's values and names |
//! | [`check`], [`naming`], [`diff`], [`outputs`], [`invoke`] | pure answers to the engine's questions |
//! | [`resource`], [`import_id`] | what a resource type must say of itself |
//! | [`deployments`], [`reservations`] | what is deployed, durably, and what is about to be |
//! | [`asked`] | the resource that a request is about |
//! | [`answers`], [`gone`] | records of which the engine may not know, and of what is no more |
//! | [`engine`], [`refusals`] | what the user is told |

pub mod account;
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
pub mod urn;
pub mod value;

pub use service::serve;
