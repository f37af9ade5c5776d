//! What a delivery stream asks of the services around it, in the role it was given.

use super::delivery::Object;
use super::settings::{StreamSettings, Transform};
use super::transform::Failure;
use crate::ports::{Invoker, LogSink, ObjectStore};
use async_trait::async_trait;
use bytes::Bytes;
use cloud_core::context::{Context, finish};
use cloud_core::error::{AwsError, Meaning};
use cloud_core::events::Event;
use cloud_core::identity::{ACCOUNT_ID, arn_name};
use cloud_iam::{Caller, Iam};
use serde_json::json;
use std::sync::Arc;
use time::OffsetDateTime;

/// The services around a delivery stream; tests put others in their place, so that time can
/// stop.
#[async_trait]
pub(crate) trait Neighbours: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> OffsetDateTime;

    /// Invokes the processor. The reply is what the function answered.
    async fn invoke(
        &self,
        settings: &StreamSettings,
        transform: &Transform,
        event: Bytes,
    ) -> Result<Bytes, Failure>;

    /// Stores an object in the destination bucket; durable on return.
    async fn store(&self, settings: &StreamSettings, object: &Object) -> Result<(), Failure>;

    /// Tells the declared log stream, if there is one, what went wrong.
    async fn log(&self, settings: &StreamSettings, failure: &Failure);

    /// Tells the person who watches.
    fn happened(&self, _event: Event) {}
}

/// The services of the cloud.
pub(crate) struct Services {
    pub(crate) context: Context,
    pub(crate) iam: Arc<Iam>,
    pub(crate) functions: Arc<dyn Invoker>,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) logs: Arc<dyn LogSink>,
}

impl Services {
    /// Firehose assumes roles with the account as external id, and with no other condition key.
    fn assume(&self, role_arn: &str) -> Result<Caller, AwsError> {
        let external_id = [("sts:ExternalId", ACCOUNT_ID)];
        let session = self
            .iam
            .assume_role(role_arn, "firehose.amazonaws.com", &external_id);
        session.map(Caller::Role)
    }
}

#[async_trait]
impl Neighbours for Services {
    fn now(&self) -> OffsetDateTime {
        self.context.clock.now()
    }

    async fn invoke(
        &self,
        settings: &StreamSettings,
        transform: &Transform,
        event: Bytes,
    ) -> Result<Bytes, Failure> {
        let role_arn = transform
            .role_arn
            .as_ref()
            .unwrap_or(&settings.destination.role_arn);
        let caller = self.assume(role_arn).map_err(|error| {
            detail(&settings.name, &error);
            Failure::new(
                "Lambda.AssumeRoleAccessDenied",
                "Access was denied. Ensure that the trust policy for the provided IAM role \
                 allows Firehose to assume the role.",
            )
        })?;
        let invocation = self
            .functions
            .invoke(&caller, &transform.function_arn, event)
            .await
            .map_err(|error| {
                detail(&settings.name, &error);
                refused_invocation(&error)
            })?;
        match invocation.failed {
            false => Ok(invocation.payload),
            true => {
                let payload = String::from_utf8_lossy(&invocation.payload);
                tracing::info!(stream = settings.name, %payload, "the processor failed");
                Err(Failure::FUNCTION_ERROR)
            }
        }
    }

    async fn store(&self, settings: &StreamSettings, object: &Object) -> Result<(), Failure> {
        let failed = |error: AwsError| {
            detail(&settings.name, &error);
            refused_store(&error)
        };
        let caller = self
            .assume(&settings.destination.role_arn)
            .map_err(|error| failed(AwsError::new(403, "AccessDenied", error.message)))?;
        let objects = Arc::clone(&self.objects);
        let bucket = arn_name(&settings.destination.bucket_arn).to_owned();
        let Object { key, body, headers } = object.clone();
        // A stream that is stopped must not leave half of an object.
        let stored = finish(&self.context.tasks, async move {
            objects.put(&caller, &bucket, &key, body, headers).await
        });
        stored.await.map_err(failed)
    }

    fn happened(&self, event: Event) {
        self.context.events.push(event);
    }

    async fn log(&self, settings: &StreamSettings, failure: &Failure) {
        tracing::warn!(
            stream = settings.name, code = %failure.code, message = %failure.message,
            "a delivery failed"
        );
        self.happened(Event::DeliveryFailure {
            stream: settings.name.clone(),
            code: failure.code.to_string(),
            message: failure.message.to_string(),
        });
        let destination = &settings.destination;
        let Some(target) = &destination.logging else {
            return;
        };
        let mut message = json!({
            "deliveryStreamARN": settings.arn,
            "destination": destination.bucket_arn,
            "deliveryStreamVersionId": settings.version.to_string(),
            "message": failure.message,
            "errorCode": failure.code,
        });
        if let Some(transform) = &destination.transform
            && failure.code.starts_with("Lambda.")
        {
            message["processor"] = transform.function_arn.clone().into();
        }
        let written = match self.assume(&destination.role_arn) {
            Ok(caller) => self.logs.write(
                &caller,
                &settings.region,
                &target.group,
                &target.stream,
                &[message.to_string()],
            ),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(stream = settings.name, %error, "the declared log was not written");
        }
    }
}

/// The reason in full, for the reader of the cloud's own log.
fn detail(stream: &str, error: &AwsError) {
    tracing::info!(stream, %error, "a call of a delivery stream was refused");
}

/// Codes and messages as in AWS's page monitoring-with-cloudwatch-logs.
fn refused_invocation(error: &AwsError) -> Failure {
    match error.meaning() {
        Meaning::Denied => Failure::new(
            "Lambda.InvokeAccessDenied",
            "Access was denied. Ensure that the access policy allows access to the Lambda \
             function.",
        ),
        Meaning::Missing => Failure::new(
            "Lambda.ResourceNotFound",
            "The specified Lambda function does not exist. Use a different function that does \
             exist.",
        ),
        Meaning::Throttled => Failure::new(
            "Lambda.InvokeLimitExceeded",
            "The Lambda concurrent execution limit is exceeded. Increase the concurrent \
             execution limit.",
        ),
        Meaning::Exists | Meaning::Invalid | Meaning::Failed => Failure {
            code: format!("Lambda.{}", error.code).into(),
            message: error.message.clone().into(),
        },
    }
}

/// Codes and messages as in AWS's page monitoring-with-cloudwatch-logs.
fn refused_store(error: &AwsError) -> Failure {
    match error.meaning() {
        Meaning::Missing => Failure::new(
            "S3.NoSuchBucket",
            "The specified bucket does not exist. Create the bucket or use a different bucket \
             that does exist.",
        ),
        Meaning::Denied => Failure::new(
            "S3.AccessDenied",
            "Access was denied. Ensure that the trust policy for the provided IAM role allows \
             Firehose to assume the role, and the access policy allows access to the S3 bucket.",
        ),
        _ => Failure::new(
            "InternalError",
            "An internal error occurred while attempting to deliver data. Delivery will be \
             retried; if the error persists, then it will be reported to AWS for resolution.",
        ),
    }
}
