//! Names that are the same in every account. None begins with `mysfits`: a deployer may change what is
//! called so, and must change neither itself nor the states of other stacks.

/// The stacks that are deployed from GitHub, each with an environment of its name there.
pub const STACKS: [&str; 2] = ["dev", "prod"];

/// The project whose states are kept.
pub const PROJECT: &str = "mysfits";

/// The name of the key.
pub const ALIAS: &str = "alias/pulumi-of-mysfits";

pub const PREVIEW: &str = "preview-of-mysfits";
pub const DEPLOY: &str = "deploy-of-mysfits";

/// API Gateway's role for logs.
pub const API_LOGS: &str = "logs-of-every-api";

/// The bucket of the states. Names of buckets are shared by all accounts, so this one has its own in
/// it.
pub fn state_bucket(account: &str, region: &str) -> String {
    format!("pulumi-state-of-mysfits-{account}-{region}")
}

/// The role that deploys a stack.
pub fn deploy_role(stack: &str) -> String {
    format!("{DEPLOY}-{stack}")
}
