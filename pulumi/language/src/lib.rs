//! Pulumi's language host for Rust.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`server`] | the process: its port, its end |
//! | [`service`] | what the engine asks of a language host |
//! | [`run`], [`output`] | one run of a program: build, environment, output, exit code |
//! | [`install`], [`about`], [`lockfile`] | what is installed, and what the lock file says |
//! | [`engine`] | the engine's log |
//!
//! How the Lambda function becomes a zip, and what else is known of a workspace, is in
//! [`pulumi_package`], which `cargo xtask package` uses too.

pub mod about;
pub mod engine;
pub mod install;
pub mod lockfile;
pub mod options;
pub mod output;
pub mod run;
pub mod server;
pub mod service;
pub mod workspace;

/// The messages and the service of `proto/language.proto`. They are generated beforehand: the
/// generator and what it needs are thirty crates, which everybody would compile first. It is in
/// `generator/`, a workspace of its own.
pub mod proto {
    #![allow(clippy::all)]
    include!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/proto/language.generated"
    ));
}
