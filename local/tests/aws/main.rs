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
mod logs;
mod mangled;
mod objects;
mod operator;
mod resources;
mod tools;
mod uploads;
mod versions;
