//! S3's protocol and its resource types from outside, over real connections.

mod access;
mod buckets;
mod client;
mod conditions;
mod digests;
mod documented;
mod hangups;
mod held;
mod lists;
mod objects;
mod refusals;
mod repeated;
mod resources;
mod uploads;
mod versions;
mod wire;
