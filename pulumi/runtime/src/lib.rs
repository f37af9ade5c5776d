//! The way between a Pulumi program in Rust and the Pulumi engine.
//!
//! Gestalt asks for a crate of this name and version; `[patch.crates-io]` gives it this one, the
//! only one under `pulumi_gestalt_rust`. It tells the engine what the published crates leave out,
//! and needs one task for each registration where they have four layers.
//!
//! | module | subject |
//! | --- | --- |
//! | [`engine`] | the connection of one program: its tasks, its failures, its end |
//! | [`registration`] | a resource, from its resolved inputs to the engine's answer |
//! | [`invocation`] | a call of a provider's function |
//! | [`answer`] | what the engine answers, and how outputs wait for it |
//! | [`outputs`] | what the stack and its components give |
//! | [`callbacks`] | what the engine calls in the program |
//! | [`report`] | telling the user, through the engine |
//! | `extended` | what Gestalt's crate of the protocol does not have |
//! | `waits` | who waits for whom |
//! | [`wire`] | values, between Gestalt's form and the protocol's |
//! | `gestalt` | what `pulumi_gestalt_rust` itself asks for |

#![warn(missing_debug_implementations)]

pub mod answer;
pub mod callbacks;
pub mod engine;
mod extended;
mod gestalt;
pub mod invocation;
pub mod outputs;
pub mod registration;
pub mod report;
mod waits;
pub mod wire;

pub use gestalt::*;
