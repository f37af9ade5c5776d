//! What API Gateway needs of other services.

use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::error::AwsResult;
use cloud_iam::Caller;

/// The actions of Firehose, which integrations call.
#[async_trait]
pub trait Actions: Send + Sync + 'static {
    /// The names of those that exist.
    fn names(&self) -> &'static [&'static str];

    /// Calls one in a region, if the caller may. Gives the body of the 200 answer.
    async fn call(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        body: &[u8],
    ) -> AwsResult<Bytes>;
}

/// Where stages log their requests.
pub trait LogSink: Send + Sync + 'static {
    /// Appends messages to a stream, which is created when it is missing, if the caller may.
    fn write(
        &self,
        caller: &Caller,
        region: &str,
        group: &str,
        stream: &str,
        messages: &[String],
    ) -> AwsResult<()>;
}
