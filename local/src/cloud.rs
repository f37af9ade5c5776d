//! The cloud as a whole: its services, and what they share.

use crate::log;
use crate::plugs::Plug;
use anyhow::{Context as _, Result};
use cloud_apigateway::ApiGateway;
use cloud_cloudfront::CloudFront;
use cloud_codecommit::CodeCommit;
use cloud_core::clock::Clock;
use cloud_core::context::Context;
use cloud_core::events::Events;
use cloud_core::folder;
use cloud_core::store::Store;
use cloud_core::troubles::{Problem, Troubles};
use cloud_firehose::{Firehose, Ports};
use cloud_iam::Iam;
use cloud_kms::Kms;
use cloud_lambda::{Isolation, Lambda};
use cloud_logs::Logs;
use cloud_resource::account::Account;
use cloud_resource::deployments::Deployments;
use cloud_resource::package::ProviderPackage;
use cloud_s3::S3;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

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
    /// Ports for distributions: each has its own, so that each is an origin of its own. All of them
    /// listen from the start, used or not.
    pub sites: Vec<u16>,
}

/// All services of one account. Shared by every listener.
pub struct Cloud {
    pub config: CloudConfig,
    /// When it was opened, on the machine's clock.
    pub started: OffsetDateTime,
    pub context: Context,
    /// What may be declared, and what is deployed.
    pub account: Arc<Account>,
    pub iam: Arc<Iam>,
    pub kms: Arc<Kms>,
    pub logs: Arc<Logs>,
    pub s3: Arc<S3>,
    pub lambda: Arc<Lambda>,
    pub firehose: Arc<Firehose>,
    pub apigateway: Arc<ApiGateway>,
    pub cloudfront: Arc<CloudFront>,
    pub codecommit: Arc<CodeCommit>,
    /// Whether all that is on disk was read since the start.
    pub checked: AtomicBool,
}

/// The name of the cloud's own log among troubles.
const LOG: &str = "the cloud's own log";

impl Cloud {
    /// Opens the data folder and its services, and plugs them into each other. Nothing listens
    /// yet, and no resource is live until its record is activated. Without a package, all types of
    /// the services may be declared.
    pub async fn open_with(
        config: CloudConfig,
        clock: Clock,
        package: Option<ProviderPackage>,
        events: Arc<Events>,
        stopping: CancellationToken,
    ) -> Result<Arc<Self>> {
        let home = config.home.as_path();
        folder::create(home)
            .with_context(|| format!("the data folder {} cannot be created", home.display()))?;
        let troubles = Troubles::open(home);
        let store = Store::open(&home.join(folder::STORE), &troubles).await?;
        let context = Context::new(clock, store, troubles, events, stopping);
        let isolation = Isolation::probe(config.launcher.as_deref()).await;
        if let Some(reason) = isolation.reason() {
            tracing::info!(
                reason,
                "functions run in copies of their code, without namespaces"
            );
        }

        let iam = Iam::new(Arc::clone(&context.events), context.clock.clone());
        let iam = Arc::new(iam);
        let logs = Logs::open(&home.join("logs"), &context, Arc::clone(&iam))?;
        let logs = Arc::new(logs);
        let s3 = S3::open(&home.join("s3"), &context, Arc::clone(&iam)).await?;
        let s3 = Arc::new(s3);
        let lambda = Arc::new(Lambda::open(
            &home.join("lambda"),
            isolation,
            &context,
            Arc::clone(&iam),
            Arc::new(Plug(Arc::clone(&logs))),
            config.endpoints.aws,
        )?);
        let firehose = Arc::new(Firehose::new(
            &home.join("firehose"),
            config.max_journal_bytes,
            &context,
            &iam,
            Ports {
                functions: Arc::new(Plug(Arc::clone(&lambda))),
                objects: Arc::new(Plug(Arc::clone(&s3))),
                logs: Arc::new(Plug(Arc::clone(&logs))),
            },
        ));
        let apigateway = Arc::new(ApiGateway::new(
            &context,
            Arc::clone(&iam),
            Arc::new(Plug(Arc::clone(&firehose))),
            Arc::new(Plug(Arc::clone(&logs))),
            config.endpoints.api,
        ));
        let cloudfront = Arc::new(CloudFront::new(
            &context,
            Arc::clone(&iam),
            Arc::new(Plug(Arc::clone(&s3))),
            config.endpoints.sites.clone(),
        ));

        let deployments = Arc::new(Deployments::open(context.store.clone()).await?);
        let kms = Arc::new(Kms::new(Arc::clone(&iam), Arc::clone(&deployments)));
        let codecommit = Arc::new(CodeCommit::new(
            &home.join("codecommit"),
            &context,
            Arc::clone(&iam),
            Arc::clone(&deployments),
            config.endpoints.aws,
        ));
        let package = match package {
            Some(package) => package,
            None => ProviderPackage::aws(
                [
                    iam.resource_types(),
                    kms.resource_types(),
                    logs.resource_types(),
                    s3.resource_types(),
                    lambda.resource_types(),
                    firehose.resource_types(),
                    apigateway.resource_types(),
                    cloudfront.resource_types(),
                    codecommit.resource_types(),
                    cloud_declared::resource_types(&deployments),
                ]
                .into_iter()
                .flatten()
                .collect(),
            )?,
        };
        Ok(Arc::new(Self {
            iam,
            kms,
            logs,
            s3,
            lambda,
            firehose,
            apigateway,
            cloudfront,
            codecommit,
            account: Arc::new(Account {
                context: context.clone(),
                package,
                deployments,
            }),
            checked: AtomicBool::new(false),
            config,
            started: OffsetDateTime::now_utc(),
            context,
        }))
    }

    /// Looks for damage in the background, in what is too large to be read when it is opened: logs,
    /// packages, and bodies of objects.
    pub fn check_in_background(self: &Arc<Self>) {
        self.logs.check();
        let cloud = Arc::downgrade(self);
        self.logs.in_background(move || {
            if let Some(cloud) = cloud.upgrade() {
                cloud.lambda.check(&cloud.context.stopping);
                cloud.s3.check(&cloud.context.stopping);
                cloud.checked.store(true, Ordering::Relaxed);
            }
        });
    }

    /// What does not work now, the log included.
    pub fn problems(&self) -> Vec<Problem> {
        let troubles = &self.context.troubles;
        match log::lost() {
            (0, _) => troubles.ended(LOG),
            (lines, true) => {
                let what = format!("it cannot be written; {lines} lines are lost");
                troubles.set(LOG, what);
            }
            (lines, false) => {
                let what = format!("it could not be written for a while; {lines} lines are lost");
                troubles.set(LOG, what);
            }
        }
        troubles.problems()
    }

    /// Ends all work and discards what waits to be delivered, before the data is deleted. From then
    /// on requests are refused: their records would be acknowledged and then lost.
    pub async fn abandon(&self) {
        self.context.abandoned.cancel();
        self.context.store.close().await;
        self.logs.close();
        self.firehose.discard_all().await;
        self.lambda.stop();
        self.context.stopping.cancel();
        self.context.tasks.close();
    }

    /// Whether no work uses it any more. Two references are left: the caller's, and that of the
    /// cloud that answers.
    pub fn is_released(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) <= 2
            && Arc::strong_count(&self.account) == 1
            && self.context.tasks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use crate::server::{Server, ServerConfig};
    use anyhow::{Result, bail};
    use cloud_resource::package::Declared;

    #[tokio::test]
    async fn what_the_types_say_of_properties_is_about_properties_there_are() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let server = Server::start(ServerConfig::new(folder.path())).await?;
        let cloud = server.cloud();
        let package = &cloud.account.package;
        for token in package.tokens() {
            let Some(Declared { of, schema }) = package.resource_type(token) else {
                bail!("{token} is not declared");
            };
            let inputs = &schema.input_properties;
            let replacing = of.replaces_on().iter().copied();
            for property in replacing.chain(of.auto_name().map(|auto| auto.property)) {
                let top = property.split('.').next().unwrap_or_default();
                assert!(inputs.contains_key(top), "{token} has no input {property}");
            }
        }
        Ok(())
    }
}
