//! The provider side as Pulumi's engine sees it: gRPC calls against a whole cloud in-process,
//! with a small package of its own.

mod check;
mod configure;
mod diff;
mod life;
mod malformed;
mod operations;
mod preview;
mod repository;
mod support;
mod world;
