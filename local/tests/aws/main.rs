//! AWS's protocols from outside, over real connections.

mod absent;
mod access;
mod analytics;
mod buckets;
mod client;
mod cloudfront;
mod conditions;
mod console;
mod deploy;
mod digests;
mod documented;
mod edge;
mod hangups;
mod held;
mod invalidations;
mod kms;
mod late;
mod lists;
mod logs;
mod mangled;
mod objects;
mod operator;
#[path = "../../testing/pypi.rs"]
mod pypi;
mod refusals;
mod regions;
mod repeated;
mod resources;
mod signatures;
mod slow;
mod tools;
mod uploads;
mod versions;
mod viewers;
mod waiting;
mod wire;
