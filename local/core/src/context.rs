//! What all services of one cloud share.

use crate::clock::Clock;
use crate::error::{AwsError, AwsResult};
use crate::events::Events;
use crate::faults::Faults;
use crate::store::Store;
use crate::troubles::Troubles;
use std::ops::Deref;
use std::sync::{Arc, Weak};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle to what is shared; clones share it.
#[derive(Clone)]
pub struct Context(Arc<Shared>);

/// What services share. A service reads the time, keeps records and reports troubles through it,
/// and knows no other service.
pub struct Shared {
    /// The time of day.
    pub clock: Clock,
    /// Durable records.
    pub store: Store,
    /// What is to go wrong, by request.
    pub faults: Faults,
    /// What is wrong.
    pub troubles: Troubles,
    /// What happens. Outlives a reset.
    pub events: Arc<Events>,
    /// The background tasks that a stopping cloud waits for: spawn them here.
    pub tasks: TaskTracker,
    /// Cancelled when the cloud stops: background tasks finish what they hold and end.
    pub stopping: CancellationToken,
    /// Cancelled when nothing that is under way is of any use any more: it is broken off.
    pub abandoned: CancellationToken,
}

impl Context {
    /// The context of a cloud that runs until `stopping` is cancelled.
    pub fn new(
        clock: Clock,
        store: Store,
        troubles: Troubles,
        events: Arc<Events>,
        stopping: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            clock,
            store,
            faults: Faults::default(),
            troubles,
            events,
            tasks: TaskTracker::new(),
            stopping,
            abandoned: CancellationToken::new(),
        }))
    }

    /// Tells when the last service of the cloud is gone: then nothing can be upgraded any more.
    pub fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.0)
    }
}

impl Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The answer to a request whose cloud was reset before it was done. A client tries again, and
/// reaches the new cloud.
pub fn reset_meanwhile() -> AwsError {
    AwsError::new(
        503,
        "ServiceUnavailable",
        "The embedded cloud was reset while the request was under way",
    )
}

/// Does work that waits for the disk, or takes its time, where no request has to wait for it: on
/// one of tokio's threads for blocking work.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> AwsResult<T> + Send + 'static,
) -> AwsResult<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(AwsError::internal)?
}

/// Up to so many bytes of a body are hashed where they are: that takes a fraction of a
/// millisecond, not much more than the way to another thread and back.
const SHORT: usize = 64 * 1024;

/// Does work that takes its time in proportion to the length of a body, hashing say: at once when
/// the body is short, else where no request has to wait for it.
pub async fn in_proportion<T: Send + 'static>(
    length: usize,
    work: impl FnOnce() -> AwsResult<T> + Send + 'static,
) -> AwsResult<T> {
    match length <= SHORT {
        true => work(),
        false => blocking(work).await,
    }
}

/// Runs work to its end, even when its caller goes away in the middle of it.
pub async fn finish<T, E>(
    tasks: &TaskTracker,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<AwsError> + Send + 'static,
{
    match tasks.spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(AwsError::internal(error).into()),
    }
}
