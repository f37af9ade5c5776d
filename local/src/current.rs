//! The cloud that answers at the moment, and its reset: an empty one takes its place while the
//! listeners stay.

use cloud_core::clock::Clock;
use crate::cloud::{Cloud, CloudConfig};
use cloud_core::events::{Event, Events};
use cloud_core::folder;
use crate::provider::types::lambda::Function;
use crate::provider::{activate_all, package::Package, resource::ResourceType};
use cloud_s3::expiry;
use anyhow::{Result, ensure};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::RwLock as Gate;
use tokio_util::sync::CancellationToken;

/// How long a reset waits for what is under way to let go of the old cloud. What does not can
/// do no harm: it works on deleted files.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running cloud that can be replaced.
pub struct Current {
    /// Shut while there is no cloud that could answer.
    gate: Gate<()>,
    cloud: RwLock<Arc<Cloud>>,
    /// What happens, in this cloud and in those that take its place.
    pub events: Arc<Events>,
    /// Each cloud's own token is a child of it.
    stopping: CancellationToken,
}

impl Current {
    /// Starts the cloud that answers first. Cancelling `stopping` stops whichever there is.
    pub async fn open(
        config: CloudConfig,
        clock: Clock,
        package: Package,
        stopping: CancellationToken,
    ) -> Result<Self> {
        let events = Arc::new(Events::default());
        let token = stopping.child_token();
        let cloud = start(config, clock, package, Arc::clone(&events), token).await?;
        Ok(Self {
            events,
            gate: Gate::new(()),
            cloud: RwLock::new(cloud),
            stopping,
        })
    }

    /// The cloud for a request that comes in now; in the middle of a reset it waits for the end.
    pub async fn get(&self) -> Arc<Cloud> {
        let _open = self.gate.read().await;
        self.now()
    }

    /// The cloud as it is, in the middle of a reset the old one.
    pub fn now(&self) -> Arc<Cloud> {
        Arc::clone(&self.cloud.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts an empty cloud in the place of this one: nothing deployed, no data, no logs, and
    /// what is buffered is discarded. When that fails the whole cloud stops.
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
            // One is here, the other in the slot.
            while Arc::strong_count(&old) > 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, released).await.is_err() {
            tracing::warn!("resetting without waiting any longer for what is under way");
        }
        folder::empty(&old.config.home)?;
        let new = start(
            old.config.clone(),
            old.clock.clone(),
            old.package.clone(),
            Arc::clone(&self.events),
            self.stopping.child_token(),
        )
        .await?;
        *self.cloud.write().unwrap_or_else(PoisonError::into_inner) = new;
        self.events.push(Event::Reset {});
        Ok(())
    }

    /// Waits until the whole cloud begins to stop. A reset is not that.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }

    /// Waits for the end of a reset; none begins once `stopping` is cancelled.
    pub async fn settled(&self) {
        drop(self.gate.write().await);
    }
}

/// A cloud with everything live that is deployed.
async fn start(
    config: CloudConfig,
    clock: Clock,
    package: Package,
    events: Arc<Events>,
    stopping: CancellationToken,
) -> Result<Arc<Cloud>> {
    let cloud = Cloud::open_with(config, clock, package, events, stopping).await?;
    for record in cloud.deployments.all() {
        if record.token == Function::TOKEN {
            let output = |name| record.resource.output(name);
            cloud.lambda.expect(output("arn"), output("codeSha256"));
        }
    }
    activate_all(&cloud).await;
    expiry::spawn(&cloud);
    cloud.check_in_background();
    Ok(cloud)
}
