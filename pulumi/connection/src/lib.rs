//! The wire between a Pulumi program in Rust and the Pulumi engine.
//!
//! Gestalt asks for a crate of this name and version; `[patch.crates-io]` gives it this one, which
//! says to the engine what the published one leaves out: dependencies, parents, resource options,
//! components, secrets at any depth, and failures that end a program with one message.
//!
//! | module | subject |
//! | --- | --- |
//! | `connector` | Gestalt's requests, as calls to the resource monitor |
//! | [`options`] | what a program says about a resource besides its inputs, and how that travels |
//! | [`session`] | what one run of a program shares: outputs to register, failures, the end |
//! | [`report`] | telling the user, through the engine |
//! | `wire` | values, between Gestalt's form and the protocol's |
//! | `urn` | what URNs say |

mod connector;
pub mod options;
pub mod report;
pub mod session;
mod urn;
mod wire;

pub use connector::RealPulumiConnector;
pub use wire::{SIGNATURE, UNKNOWN};
