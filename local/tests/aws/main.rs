//! AWS's protocols from outside, over real connections.

mod access;
mod buckets;
mod client;
mod cloudfront;
mod deploy;
mod documented;
mod edge;
mod hangups;
mod kms;
mod lists;
mod mangled;
mod objects;
mod operator;
#[path = "../../testing/pypi.rs"]
mod pypi;
mod resources;
mod tools;
mod uploads;
mod versions;
mod viewers;
