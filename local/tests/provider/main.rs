//! The provider side as Pulumi's engine sees it: gRPC calls against a whole cloud in-process,
//! with a small package of its own.

mod account;
mod books;
mod check;
#[path = "../shared/cloud.rs"]
#[expect(dead_code, reason = "the tests of AWS's own protocols use all of it")]
mod cloud;
mod configure;
mod declared;
mod diff;
mod imports;
mod life;
mod listener;
mod malformed;
mod operations;
mod preview;
mod renamed;
mod repository;
mod support;
mod world;
mod written;
