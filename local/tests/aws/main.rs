//! AWS's protocols from outside, over real connections.

mod access;
mod buckets;
mod client;
mod edge;
mod lists;
mod objects;
mod operator;
mod uploads;
mod versions;
