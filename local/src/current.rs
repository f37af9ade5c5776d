//! The cloud that answers now, and its reset: an empty one takes its place while the listeners
//! stay.

use crate::cloud::{Cloud, CloudConfig};
use anyhow::{Result, ensure};
use async_trait::async_trait;
use cloud_core::clock::Clock;
use cloud_core::events::{Event, Events};
use cloud_core::folder;
use cloud_resource::account::{Account, Accounts};
use cloud_resource::package::ProviderPackage;
use cloud_s3::{S3, expiry};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::RwLock as Gate;
use tokio_util::sync::CancellationToken;

/// How long a reset waits until no work uses the old cloud any more. Work that takes longer does no
/// harm: its files are deleted.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running cloud that can be replaced.
pub struct Current {
    /// Closed while no cloud can answer.
    gate: Gate<()>,
    cloud: RwLock<Arc<Cloud>>,
    /// What may be declared, when it is not all types of the services.
    package: Option<ProviderPackage>,
    /// What happens, in this cloud and in those that take its place.
    pub events: Arc<Events>,
    /// Each cloud's own token is a child of it.
    stopping: CancellationToken,
}

impl Current {
    /// Starts the first cloud. Cancelling `stopping` stops the cloud of that time.
    pub async fn open(
        config: CloudConfig,
        clock: Clock,
        package: Option<ProviderPackage>,
        stopping: CancellationToken,
    ) -> Result<Self> {
        let events = Arc::new(Events::default());
        let token = stopping.child_token();
        let given = package.clone();
        let cloud = start(config, clock, given, Arc::clone(&events), token).await?;
        Ok(Self {
            events,
            gate: Gate::new(()),
            cloud: RwLock::new(cloud),
            package,
            stopping,
        })
    }

    /// The cloud for a new request. During a reset it waits for the end.
    pub async fn get(&self) -> Arc<Cloud> {
        let _open = self.gate.read().await;
        self.now()
    }

    /// The cloud as it is; during a reset the old one.
    pub fn now(&self) -> Arc<Cloud> {
        Arc::clone(&self.cloud.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts an empty cloud in the place of this one. Nothing is deployed in it, and it has no data
    /// and no logs; what was buffered is discarded. When that fails, the whole cloud stops.
    pub async fn reset(&self) -> Result<()> {
        let _shut = self.gate.write().await;
        ensure!(!self.stopping.is_cancelled(), "the cloud is stopping");
        let replaced = self.replace().await;
        if replaced.is_err() {
            self.stopping.cancel();
        }
        replaced
    }

    async fn replace(&self) -> Result<()> {
        let old = self.now();
        old.abandon().await;
        let released = async {
            while !old.is_released() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, released).await.is_err() {
            tracing::warn!("resetting without waiting any longer for what is under way");
        }
        let home = old.config.home.clone();
        tokio::task::spawn_blocking(move || folder::empty(&home)).await??;
        let new = start(
            old.config.clone(),
            old.context.clock.clone(),
            self.package.clone(),
            Arc::clone(&self.events),
            self.stopping.child_token(),
        )
        .await?;
        *self.cloud.write().unwrap_or_else(PoisonError::into_inner) = new;
        // Its store waits for the disk when it is closed.
        tokio::task::spawn_blocking(move || drop(old));
        self.events.push(Event::Reset {});
        Ok(())
    }

    /// Waits until the whole cloud begins to stop. A reset does not count.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Waits for the end of a reset; none begins once `stopping` is cancelled.
    pub async fn settled(&self) {
        drop(self.gate.write().await);
    }
}

/// A cloud in which everything that is deployed is live.
async fn start(
    config: CloudConfig,
    clock: Clock,
    package: Option<ProviderPackage>,
    events: Arc<Events>,
    stopping: CancellationToken,
) -> Result<Arc<Cloud>> {
    let cloud = Cloud::open_with(config, clock, package, events, stopping).await?;
    let account = &cloud.account;
    account.deployments.activate_all(&account.package).await;
    expiry::spawn(&cloud.s3);
    cloud.check_in_background();
    Ok(cloud)
}

#[async_trait]
impl Accounts for Current {
    async fn now(&self) -> Arc<Account> {
        Arc::clone(&self.get().await.account)
    }
}

#[async_trait]
impl cloud_s3::wire::Current for Current {
    async fn now(&self) -> Arc<S3> {
        Arc::clone(&self.get().await.s3)
    }
}
