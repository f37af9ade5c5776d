//! The cloud as a whole: its services, and what they share.

use cloud_core::clock::Clock;
use cloud_core::error::AwsError;
use cloud_core::events::Events;
use cloud_core::faults::Faults;
use cloud_core::folder;
use crate::log;
use crate::provider::{deployments::Deployments, package::Package};
use crate::services::{
    apigateway::ApiGateway,
    cloudfront::CloudFront,
    firehose::Firehose,
    iam::Iam,
    lambda::{Isolation, Lambda},
    logs::Logs,
    s3::S3,
};
use cloud_core::store::Store;
use cloud_core::troubles::{Problem, Troubles};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Where a cloud keeps its data and listens.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    /// The folder of all state; created when it is missing.
    pub home: PathBuf,
    /// The addresses that resources are given, such as an API's `invokeUrl`.
    pub endpoints: Endpoints,
    /// The program that enters namespaces for a function, if there is one.
    pub launcher: Option<PathBuf>,
    /// How many bytes each delivery stream's journal may take on disk.
    pub max_journal_bytes: u64,
}

/// The ports of the cloud's listeners, all on 127.0.0.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Pulumi's ResourceProvider protocol.
    pub provider: u16,
    /// AWS's own protocols, for every service: `AWS_ENDPOINT_URL`.
    pub aws: u16,
    /// Deployed REST APIs, under `/API-ID/STAGE/`.
    pub api: u16,
    /// Distributions, a port each, so that each is an origin of its own: all that may be given
    /// out. They listen from the start, taken or not.
    pub sites: Vec<u16>,
}

/// All services of one account. Shared by every listener and every background task.
pub struct Cloud {
    pub config: CloudConfig,
    pub clock: Clock,
    /// When it was opened, on the machine's clock.
    pub started: OffsetDateTime,
    pub store: Store,
    /// What may be declared, and what is deployed.
    pub package: Package,
    pub deployments: Deployments,
    pub iam: Iam,
    pub logs: Logs,
    pub s3: S3,
    pub lambda: Lambda,
    pub firehose: Firehose,
    pub apigateway: ApiGateway,
    pub cloudfront: CloudFront,
    /// What happens. Outlives a reset.
    pub events: Arc<Events>,
    /// What is to go wrong, by request.
    pub faults: Faults,
    /// What is wrong.
    pub troubles: Troubles,
    /// Whether all that is on disk was read since the start.
    pub checked: AtomicBool,
    /// Cancelled when the cloud stops: background tasks finish what they hold and end.
    pub stopping: CancellationToken,
    /// Cancelled when nothing that is under way is of any use any more: it is broken off.
    pub abandoned: CancellationToken,
    /// The background tasks that a stopping cloud waits for: spawn them here.
    pub tasks: TaskTracker,
}

/// What a request is told whose cloud was reset before it was done. A client tries again, and
/// meets the new cloud.
pub fn reset_meanwhile() -> AwsError {
    AwsError::new(
        503,
        "ServiceUnavailable",
        "The embedded cloud was reset while the request was under way",
    )
}
/// What the cloud's own log is called where troubles are named.
const LOG: &str = "the cloud's own log";

/// Runs work to its end, even when whoever asked for it goes away in the middle of it.
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

impl Cloud {
    /// Opens the data folder and its services. Nothing listens yet, and no resource is live
    /// until the provider has activated its records.
    pub async fn open_with(
        config: CloudConfig,
        clock: Clock,
        package: Package,
        events: Arc<Events>,
        stopping: CancellationToken,
    ) -> Result<Arc<Self>> {
        folder::create(&config.home).with_context(|| {
            format!(
                "the data folder {} cannot be created",
                config.home.display()
            )
        })?;
        let troubles = Troubles::open(&config.home);
        let store = Store::open(&config.home.join(folder::STORE), &troubles)?;
        let isolation = Isolation::probe(config.launcher.as_deref()).await;
        if let Some(reason) = isolation.reason() {
            tracing::info!(
                reason,
                "functions run in copies of their code, without namespaces"
            );
        }
        Ok(Arc::new(Self {
            iam: Iam::new(Arc::clone(&events)),
            logs: Logs::open(&config.home.join("logs"), clock.clone(), &troubles)?,
            s3: S3::open(
                &config.home.join("s3"),
                store.clone(),
                clock.clone(),
                &troubles,
            )
            .await?,
            lambda: Lambda::open(&config.home.join("lambda"), isolation, &troubles)?,
            firehose: Firehose::open(&config.home.join("firehose"))?,
            apigateway: ApiGateway::default(),
            cloudfront: CloudFront::default(),
            events,
            faults: Faults::default(),
            package,
            deployments: Deployments::open(store.clone())?,
            troubles,
            checked: AtomicBool::new(false),
            stopping,
            abandoned: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
            clock,
            started: OffsetDateTime::now_utc(),
            store,
        }))
    }

    /// Reads what is large once more in the background, for what is damaged: logs, and bodies of
    /// objects. What is small was read when it was opened.
    pub fn check_in_background(self: &Arc<Self>) {
        self.logs.check();
        let cloud = Arc::downgrade(self);
        self.logs.in_background(move || {
            if let Some(cloud) = cloud.upgrade() {
                cloud.s3.check(&cloud.stopping);
                cloud.checked.store(true, Ordering::Relaxed);
            }
        });
    }

    /// What does not work now, the log included.
    pub fn problems(&self) -> Vec<Problem> {
        match log::lost() {
            (0, _) => self.troubles.ended(LOG),
            (lines, true) => {
                let what = format!("it cannot be written; {lines} lines are lost");
                self.troubles.set(LOG, what);
            }
            (lines, false) => {
                let what = format!("it could not be written for a while; {lines} lines are lost");
                self.troubles.set(LOG, what);
            }
        }
        self.troubles.problems()
    }

    /// Ends all that is under way and discards what waits to be delivered, before the data is
    /// deleted. From then on nothing is taken that would be acknowledged and nowhere: what
    /// comes too late is refused.
    pub async fn abandon(&self) {
        self.abandoned.cancel();
        self.store.close().await;
        self.logs.close();
        self.firehose.discard_all().await;
        self.lambda.stop();
        self.stopping.cancel();
        self.tasks.close();
    }
}
