//! A digest of everything that a deployment of the API shows: it changes whenever any of it
//! changes.
//!
//! API Gateway answers with the API as it was when its last deployment was made. So every resource
//! under the API is registered through one recording, and the deployment's trigger is made of all
//! that the recording has: all inputs of all of them. Nobody has to list an input here, and none
//! can be forgotten.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// A digest of the definitions of resources, as
/// [`Recording::definitions`](pulumi_program::Recording::definitions) gives them: the keys of a
/// `Value` are sorted, so it does not depend on the order of inputs.
pub fn digest(definitions: &Value) -> String {
    let digest = Sha256::digest(definitions.to_string().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
