//! AWS's protocols from outside, over real connections.

mod absent;
mod access;
mod buckets;
mod client;
mod cloudfront;
mod console;
mod deploy;
mod documented;
mod edge;
mod hangups;
mod held;
mod invalidations;
mod kms;
mod late;
mod lists;
mod mangled;
mod objects;
mod operator;
#[path = "../../testing/pypi.rs"]
mod pypi;
mod refusals;
mod repeated;
mod resources;
mod signatures;
mod tools;
mod uploads;
mod versions;
mod viewers;
