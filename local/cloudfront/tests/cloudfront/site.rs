//! A CloudFront of its own for each test, with a distribution in front of no bucket.

use crate::inputs;
use anyhow::Result;
use async_trait::async_trait;
use cloud_cloudfront::CloudFront;
use cloud_cloudfront::ports::{Origins, Wanted};
use cloud_core::body::Data;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::request_body::RequestBody;
use cloud_iam::Caller;
use cloud_resource::deployments::Record;
use cloud_resource::resource::AnyResourceType;
use cloud_testing::{Cloud, Given, Service};
use http::{Request, Response, StatusCode};
use std::sync::Arc;

pub struct Site {
    pub cloud: Cloud<Running>,
    pub distribution: Record,
}

impl Site {
    pub async fn start() -> Result<Self> {
        let cloud = Cloud::start(()).await?;
        let (token, access) = inputs::access_control();
        let access = cloud.deploy(token, "access", access).await?;
        let (token, headers) = inputs::headers_policy();
        let headers = cloud.deploy(token, "headers", headers).await?;
        let inputs = inputs::distribution(&access.resource.id, &headers.resource.id);
        let distribution = cloud.deploy(inputs::DISTRIBUTION, "site", inputs).await?;
        Ok(Self {
            cloud,
            distribution,
        })
    }
}

pub struct Running(Arc<CloudFront>);

#[async_trait]
impl Service for Running {
    type Neighbours = ();
    type Body = String;

    async fn open(given: Given, (): ()) -> Result<Self> {
        // Nothing listens there.
        let ports = vec![1, 2, 3];
        let cloudfront = CloudFront::new(&given.context, given.iam, Arc::new(NoBucket), ports);
        Ok(Self(Arc::new(cloudfront)))
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.0.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<String> {
        let answered = self.ask(request).await;
        answered.unwrap_or_else(|error| {
            let AwsError { code, message, .. } = &error;
            let xml = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let mut answer = Response::new(xml);
            *answer.status_mut() = StatusCode::from_u16(error.status).unwrap_or_default();
            answer
        })
    }
}

impl Running {
    async fn ask(&self, request: Request<RequestBody>) -> AwsResult<Response<String>> {
        let (head, body) = request.into_parts();
        let broken = |error| AwsError::new(408, "RequestTimeout", format!("{error}"));
        let body = body.whole(usize::MAX).await.map_err(broken)?;
        let asked = self
            .0
            .http(&Caller::Account, &head.method, &head.uri, &body);
        let not_here = || AwsError::new(400, "UnknownOperationException", head.uri.to_string());
        asked.ok_or_else(not_here)?
    }
}

/// Where a bucket would be.
struct NoBucket;

#[async_trait]
impl Origins for NoBucket {
    async fn read(&self, wanted: Wanted<'_>) -> Response<Data> {
        self.refuse(&AwsError::new(404, "NoSuchBucket", wanted.bucket))
    }

    fn refuse(&self, error: &AwsError) -> Response<Data> {
        let mut answer = Response::new(Data::Whole(error.to_string().into()));
        *answer.status_mut() = StatusCode::from_u16(error.status).unwrap_or_default();
        answer
    }
}
