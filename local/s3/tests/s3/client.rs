//! An S3 of its own for each test, and a client that signs what it sends.

use anyhow::Result;
use async_trait::async_trait;
use cloud_core::request_body::RequestBody;
use cloud_resource::resource::AnyResourceType;
use cloud_s3::S3;
use cloud_s3::wire::{Current, Endpoint};
pub use cloud_testing::client::{Answer, Call, http};
use cloud_testing::{Given, Service};
use http::{Request, Response};
use std::ops::Deref;
use std::sync::Arc;

/// A running S3, and who is calling.
pub struct Cloud(cloud_testing::Cloud<Running>);

pub struct Running {
    pub s3: Arc<S3>,
    endpoint: Endpoint,
}

impl Cloud {
    pub async fn start() -> Result<Self> {
        Ok(Self(cloud_testing::Cloud::start(()).await?))
    }

    /// One with an empty bucket named `bucket`.
    pub async fn with_bucket() -> Result<Self> {
        let cloud = Self::start().await?;
        cloud.put("/bucket").send().await?.expect(200)?;
        Ok(cloud)
    }

    /// The same data folder in a new process, as it were.
    pub async fn restart(self) -> Result<Self> {
        Ok(Self(self.0.restart().await?))
    }

    /// Makes the bucket keep versions.
    pub async fn set_versioning(&self, status: &str) -> Result<()> {
        let xml =
            format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let call = self.put("/bucket").query("versioning", "").body(xml);
        call.send().await?.expect(200)?;
        Ok(())
    }
}

impl Deref for Cloud {
    type Target = cloud_testing::Cloud<Running>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

#[async_trait]
impl Service for Running {
    type Neighbours = ();
    type Body = s3s::Body;

    async fn open(given: Given, (): ()) -> Result<Self> {
        let s3 = S3::open(&given.home.join("s3"), &given.context, given.iam).await?;
        let s3 = Arc::new(s3);
        Ok(Self {
            endpoint: Endpoint::new(Arc::new(Always(Arc::clone(&s3)))),
            s3,
        })
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.s3.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<s3s::Body> {
        self.endpoint.answer(request).await
    }
}

/// An S3 that no other takes the place of.
struct Always(Arc<S3>);

#[async_trait]
impl Current for Always {
    async fn now(&self) -> Arc<S3> {
        Arc::clone(&self.0)
    }
}
