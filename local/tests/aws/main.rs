//! AWS's protocols from outside, over real connections.

mod absent;
mod analytics;
#[path = "../shared/cloud.rs"]
mod cloud;
mod cloudfront;
mod console;
mod documented;
mod edge;
#[path = "../../cloudfront/tests/cloudfront/inputs.rs"]
mod inputs;
mod late;
mod logs;
mod mangled;
mod operator;
mod origins;
mod regions;
mod roles;
mod signatures;
mod slow;
mod tools;
mod viewers;
mod waiting;

/// A whole cloud, and the client that speaks to it.
mod client {
    pub use crate::cloud::Cloud;
    pub use cloud_testing::client::{Answer, Call, http, signature};
}
