//! AWS's protocols from outside, over real connections.

mod absent;
mod access;
mod buckets;
mod client;
mod cloudfront;
mod deploy;
mod documented;
mod edge;
mod hangups;
mod invalidations;
mod kms;
mod lists;
mod mangled;
mod objects;
mod operator;
mod resources;
mod signatures;
mod tools;
mod uploads;
mod versions;
mod waiting;
