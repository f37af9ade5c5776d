//! Services plugged into the ports of others. Only the app knows which service calls which.

use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::body::Data;
use cloud_core::error::{AwsError, AwsResult};
use cloud_firehose::Firehose;
use cloud_firehose::ports::{Invocation, Invoker, ObjectHeaders, ObjectStore};
use cloud_iam::Caller;
use cloud_lambda::Lambda;
use cloud_logs::Logs;
use cloud_s3::{S3, origin};
use http::Response;
use std::sync::Arc;

/// A service, as the ports of others take it.
pub(crate) struct Plug<S>(pub(crate) Arc<S>);

/// Lambda, Firehose and API Gateway each have a port of their own for a log.
macro_rules! log_sink {
    ($port:path) => {
        impl $port for Plug<Logs> {
            fn write(
                &self,
                caller: &Caller,
                region: &str,
                group: &str,
                stream: &str,
                messages: &[String],
            ) -> AwsResult<()> {
                self.0.write(caller, region, group, stream, messages)
            }
        }
    };
}
log_sink!(cloud_apigateway::ports::LogSink);
log_sink!(cloud_firehose::ports::LogSink);
log_sink!(cloud_lambda::ports::LogSink);

#[async_trait]
impl Invoker for Plug<Lambda> {
    async fn invoke(
        &self,
        caller: &Caller,
        function: &str,
        payload: Bytes,
    ) -> AwsResult<Invocation> {
        let invocation = self.0.invoke(caller, function, payload).await?;
        Ok(Invocation {
            payload: invocation.payload,
            failed: invocation.function_error.is_some(),
        })
    }
}

#[async_trait]
impl ObjectStore for Plug<S3> {
    async fn put(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        body: Bytes,
        headers: ObjectHeaders,
    ) -> AwsResult<()> {
        let headers = cloud_s3::ObjectHeaders {
            content_type: headers.content_type,
            content_encoding: headers.content_encoding,
            ..cloud_s3::ObjectHeaders::default()
        };
        let put = self.0.put_object(caller, bucket, key, body, headers);
        put.await.map(|_version| ())
    }
}

#[async_trait]
impl cloud_cloudfront::ports::Origins for Plug<S3> {
    async fn read(&self, wanted: cloud_cloudfront::ports::Wanted<'_>) -> Response<Data> {
        let request = origin::Request {
            caller: wanted.caller,
            bucket: wanted.bucket,
            key: wanted.key,
            method: wanted.method,
            headers: wanted.headers,
            context: wanted.context,
        };
        self.0.answer(request).await
    }

    fn refuse(&self, error: &AwsError) -> Response<Data> {
        origin::refusal(error)
    }
}

#[async_trait]
impl cloud_apigateway::ports::Actions for Plug<Firehose> {
    fn names(&self) -> &'static [&'static str] {
        cloud_firehose::OPERATIONS
    }

    async fn call(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        self.0.call(caller, region, action, body).await
    }
}
