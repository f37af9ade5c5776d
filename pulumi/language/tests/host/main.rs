//! The language host as the engine sees it: its process, and the protocol.

#![allow(clippy::unwrap_used)]

mod build;
mod end;
mod harness;
mod look;
mod package;
mod questions;
mod run;
