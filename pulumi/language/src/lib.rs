//! Pulumi's language host for Rust.
//!
//! | module | what lives there |
//! | --- | --- |
//! | [`server`] | the process: its port, its end |
//! | [`service`] | what the engine asks of a language host |
//! | [`run`], [`output`] | one run of a program: build, environment, output, exit code |
//! | [`package`] | the Lambda function's archive, also for `cargo xtask package` |
//! | [`project`], [`lockfile`], [`toolchain`] | what the workspace's files and compiler say |
//! | [`cargo`], [`group`], [`engine`] | the tools: cargo with progress, process groups, the engine's log |

pub mod about;
pub mod cargo;
pub mod engine;
pub mod group;
pub mod install;
pub mod lockfile;
pub mod options;
pub mod output;
pub mod package;
pub mod project;
pub mod run;
pub mod server;
pub mod service;
pub mod toolchain;

/// The messages and the service of `proto/language.proto`.
pub mod proto {
    #![allow(clippy::all)]
    tonic::include_proto!("pulumirpc");
}
