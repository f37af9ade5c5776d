//! A KMS of its own for each test.

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::request_body::RequestBody;
use cloud_iam::Caller;
use cloud_kms::Kms;
use cloud_resource::resource::AnyResourceType;
pub use cloud_testing::client::{Answer, Call};
use cloud_testing::{Given, Service, json};
use http::{Request, Response};
use http_body_util::Full;
use std::ops::Deref;
use std::sync::Arc;

/// A running KMS, and who is calling.
pub struct Cloud(cloud_testing::Cloud<Running>);

pub struct Running(Arc<Kms>);

impl Cloud {
    pub async fn start() -> Result<Self> {
        Ok(Self(cloud_testing::Cloud::start(()).await?))
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
    type Body = Full<Bytes>;

    async fn open(given: Given, (): ()) -> Result<Self> {
        Ok(Self(Arc::new(Kms::new(given.iam, given.deployments))))
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.0.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        json::answer(json::read(request).await.and_then(|asked| {
            let (region, action) = (&asked.region, &asked.action);
            self.0.call(&Caller::Account, region, action, &asked.body)
        }))
    }
}
