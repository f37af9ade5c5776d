//! The values of a Pulumi program in Rust: outputs, and what they look like on the way to the
//! engine and back.
//!
//! Gestalt and the code that it generates ask for a crate of this name and version;
//! `[patch.crates-io]` gives them this one. It has the same names, and holds what the published
//! one cannot: whole numbers of 64 bits, secrets among plain values, and nested objects without
//! their optional fields.
//!
//! | module | subject |
//! | --- | --- |
//! | `value` | a value, with what is secret and what it depends on |
//! | `output` | a value that is not there yet |
//! | `to_value` | from Rust's types to values |
//! | `from_value` | from values to Rust's types |
//! | `any` | a value of no particular type |
//! | `error` | why a value is not of a type, and what is not there at all |

#![warn(missing_debug_implementations)]

mod any;
mod error;
mod from_value;
mod output;
mod to_value;
mod value;

pub use any::PulumiValueMiddleware;
pub use error::{Error, Result};
pub use from_value::FromPulumiValue;
pub use output::{FAILED, Output, ResolvedOutput};
pub use to_value::ToPulumiValue;
pub use value::{EXACT, PulumiValue, PulumiValueContent};

/// What generated code and Gestalt's macros name besides.
#[doc(hidden)]
pub mod __private {
    pub use crate::any::{
        PulumiValueMiddleware, pulumi_value_middleware, pulumi_value_middleware_array,
        pulumi_value_middleware_object, to_pulumi_value_middleware,
    };
    pub use crate::error::{Instead, rootcause};
    pub use crate::to_value::{
        ToPulumiObjectFieldFuture, to_pulumi_object_concurrent, to_pulumi_object_field,
    };
    pub use futures;
}
