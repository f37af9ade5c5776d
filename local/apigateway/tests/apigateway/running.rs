//! An API Gateway of its own for each test. No API calls Firehose or logs here: that is tested
//! in the app, with both.

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use cloud_apigateway::ports::{Actions, LogSink};
use cloud_apigateway::{ApiGateway, receive};
use cloud_core::clock::Clock;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::request_body::RequestBody;
use cloud_iam::Caller;
use cloud_resource::account::Account;
use cloud_resource::resource::AnyResourceType;
use cloud_testing::{Cloud, Given, Service};
use http::{Request, Response};
use http_body_util::Full;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use time::macros::datetime;

/// An API Gateway in a folder of its own. Its clock does not move.
pub struct Running(Cloud<Front>);

impl Running {
    pub async fn start() -> Result<Self> {
        Ok(Self(Cloud::start(()).await?))
    }

    /// Stops and starts again, with everything in memory lost.
    pub async fn restart(self) -> Result<Self> {
        Ok(Self(self.0.restart().await?))
    }

    pub fn account(&self) -> Arc<Account> {
        Arc::clone(&self.0.account)
    }

    /// Where APIs are.
    pub fn port(&self) -> u16 {
        self.0.port()
    }
}

struct Front(Arc<ApiGateway>);

#[async_trait]
impl Service for Front {
    type Neighbours = ();
    type Body = Full<Bytes>;

    fn clock((): &()) -> Clock {
        Clock::manual(datetime!(2026-03-04 05:06:07.089 UTC))
    }

    async fn open(given: Given, (): ()) -> Result<Self> {
        let none = Arc::new(Nobody);
        Ok(Self(Arc::new(ApiGateway::new(
            &given.context,
            given.iam,
            Arc::<Nobody>::clone(&none),
            none,
            given.port,
        ))))
    }

    fn resource_types(&self) -> Vec<Box<dyn AnyResourceType>> {
        self.0.resource_types()
    }

    async fn answer(&self, request: Request<RequestBody>) -> Response<Full<Bytes>> {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let answer = match receive(request).await {
            Ok(request) => self.0.handle(peer, request).await,
            Err(refusal) => refusal,
        };
        answer.map(Full::new)
    }
}

/// A Firehose and a log that no test here has to do with.
struct Nobody;

#[async_trait]
impl Actions for Nobody {
    fn names(&self) -> &'static [&'static str] {
        &[
            "DescribeDeliveryStream",
            "ListDeliveryStreams",
            "PutRecord",
            "PutRecordBatch",
        ]
    }

    async fn call(&self, _: &Caller, _: &str, action: &str, _: &[u8]) -> AwsResult<Bytes> {
        Err(not_here(action))
    }
}

impl LogSink for Nobody {
    fn write(&self, _: &Caller, _: &str, group: &str, _: &str, _: &[String]) -> AwsResult<()> {
        Err(not_here(group))
    }
}

fn not_here(what: &str) -> AwsError {
    AwsError::new(400, "NotHere", format!("{what} belongs to another service"))
}
