//! What Firehose needs of other services.

use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::error::AwsResult;
use cloud_iam::Caller;

/// Where functions are invoked.
#[async_trait]
pub trait Invoker: Send + Sync + 'static {
    /// Invokes a function, and waits for what it answers.
    async fn invoke(
        &self,
        caller: &Caller,
        function: &str,
        payload: Bytes,
    ) -> AwsResult<Invocation>;
}

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What the function answered, or its error.
    pub payload: Bytes,
    /// Whether the function failed, timed out or crashed.
    pub failed: bool,
}

/// Where objects are stored.
#[async_trait]
pub trait ObjectStore: Send + Sync + 'static {
    /// Stores an object, if the caller may; durable on return.
    async fn put(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        body: Bytes,
        headers: ObjectHeaders,
    ) -> AwsResult<()>;
}

/// What is stored with an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectHeaders {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
}

/// Where a stream logs what goes wrong.
pub trait LogSink: Send + Sync + 'static {
    /// Appends messages to a log stream, which is created when it is missing, if the caller may.
    fn write(
        &self,
        caller: &Caller,
        region: &str,
        group: &str,
        stream: &str,
        messages: &[String],
    ) -> AwsResult<()>;
}
