//! AWS's protocols from outside, over real connections.

mod access;
mod analytics;
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
mod resources;
mod tools;
mod uploads;
mod versions;
