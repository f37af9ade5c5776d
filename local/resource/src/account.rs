//! The account of one cloud, as the engine sees it.

use crate::deployments::Deployments;
use crate::package::ProviderPackage;
use async_trait::async_trait;
use cloud_core::context::Context;
use std::sync::Arc;

/// What may be declared in an account, and what is deployed.
pub struct Account {
    pub context: Context,
    pub package: ProviderPackage,
    pub deployments: Arc<Deployments>,
}

/// Where the account is that answers at the moment: a reset puts another in its place.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// The account for a call that comes in now; in the middle of a reset it waits for the end.
    async fn now(&self) -> Arc<Account>;
}
