//! Tests a Pulumi program without Pulumi: an engine inside the test, which runs the program's
//! binary, answers what it registers, and keeps a record of it.
//!
//! A test in `tests/` of the program's package, with this crate under `[dev-dependencies]`, has
//! the binary as `env!("CARGO_BIN_EXE_NAME")`:
//!
//! ```no_run
//! use pulumi_mock::{Answer, Mock};
//! use serde_json::json;
//!
//! # fn main() -> anyhow::Result<()> {
//! let run = Mock::new()
//!     .config("shop:currency", "EUR")
//!     .function("aws:index/getRegion:getRegion", json!({ "region": "eu-west-1" }))
//!     .answer(|resource| match resource.r#type.as_str() {
//!         "aws:s3/bucket:Bucket" => Answer::new().output("arn", "arn:aws:s3:::orders"),
//!         _ => Answer::new(),
//!     })
//!     .run("target/debug/infra")?; // in a test: env!("CARGO_BIN_EXE_infra")
//! assert_eq!(run.exit_code, Some(0), "{run}");
//!
//! let policy = run.resource("orders-policy")?;
//! assert_eq!(policy.inputs["bucket"], json!("orders-id"));
//! assert!(policy.depends_on("orders"));
//! # Ok(())
//! # }
//! ```
//!
//! A resource that no answer is given for is created: its outputs are its inputs, its id is its
//! name with `-id` after it. Other outputs that the program reads have to be in an answer: the
//! message `the output arn of orders [aws:s3/bucket:Bucket]: Expected String, got None` says which
//! one is missing. With [`Mock::preview`] nothing has an id, and outputs that an answer adds are
//! unknown, so the same answers serve both.
//!
//! What a program only reads, an existing resource or another stack, is among the resources too, with
//! the id in [`Resource::read`], and is answered like them: the outputs of another stack are in
//! the output `outputs`.
//!
//! A run is no error because the program fails: [`Run::exit_code`] and [`Run::errors`] say how it
//! ended, and a `Run` displayed says all. A program that has shown its errors ends with
//! [`FAILED_AND_REPORTED`]. An assertion in an answer that fails does fail the run.
//!
//! Values are [`serde_json::Value`]s, in which a secret, an unknown value, a file or an archive
//! look as [`value`] says.

#![warn(missing_debug_implementations)]

mod engine;
mod hooks;
mod journal;
mod mock;
mod resource;
mod run;
mod service;
pub mod value;

pub use mock::Mock;
pub use resource::{Alias, Answer, Answered, Invoke, Options, Resource};
pub use run::{Event, FAILED_AND_REPORTED, Log, Run, Severity};
