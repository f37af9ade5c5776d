//! KMS' protocol from outside, over real connections.

mod client;
mod documented;
mod keys;
