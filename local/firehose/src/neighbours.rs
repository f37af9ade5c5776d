//! What a delivery stream asks of the services around it, in the role it was given.

use super::delivery::Object;
use super::settings::{Settings, Transform};
use super::transform::Failure;
use cloud_core::context::finish;
use cloud_core::error::AwsError;
use cloud_core::events::Event;
use cloud_core::identity::{ACCOUNT_ID, arn_name};
use cloud_iam::Caller;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use std::sync::{Arc, Weak};
use time::OffsetDateTime;

/// The services around a delivery stream; tests put others in their place, so that time can
/// stand still.
#[async_trait]
pub trait Neighbours: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> OffsetDateTime;

    /// Invokes the processor. The reply is what the function answered.
    async fn invoke(
        &self,
        settings: &Settings,
        transform: &Transform,
        event: Bytes,
    ) -> Result<Bytes, Failure>;

    /// Stores an object in the destination bucket; durable on return.
    async fn store(&self, settings: &Settings, object: &Object) -> Result<(), Failure>;

    /// Tells the declared log stream, if there is one, what went wrong.
    async fn log(&self, settings: &Settings, failure: &Failure);

    /// Tells the person who watches.
    fn happened(&self, _event: Event) {}
}

/// The services of the cloud.
pub struct Services {
    /// Weak, because the cloud owns its streams.
    pub cloud: Weak<Cloud>,
}

/// What every failure looks like when the cloud is gone.
const STOPPED: Failure = Failure::new("InternalError", "The cloud has stopped.");

impl Services {
    fn cloud(&self) -> Result<Arc<Cloud>, Failure> {
        self.cloud.upgrade().ok_or(STOPPED)
    }
}

/// Firehose assumes roles with the account as external id, and with no other condition key.
fn assume(cloud: &Cloud, role_arn: &str) -> Result<Caller, AwsError> {
    cloud
        .iam
        .assume_role(
            role_arn,
            "firehose.amazonaws.com",
            &[("sts:ExternalId", ACCOUNT_ID)],
        )
        .map(Caller::Role)
}

#[async_trait]
impl Neighbours for Services {
    fn now(&self) -> OffsetDateTime {
        self.cloud
            .upgrade()
            .map_or_else(OffsetDateTime::now_utc, |cloud| cloud.clock.now())
    }

    async fn invoke(
        &self,
        settings: &Settings,
        transform: &Transform,
        event: Bytes,
    ) -> Result<Bytes, Failure> {
        let cloud = self.cloud()?;
        let role_arn = transform
            .role_arn
            .as_ref()
            .unwrap_or(&settings.destination.role_arn);
        let caller = assume(&cloud, role_arn).map_err(|error| {
            detail(&settings.name, &error);
            Failure::new(
                "Lambda.AssumeRoleAccessDenied",
                "Access was denied. Ensure that the trust policy for the provided IAM role \
                 allows Firehose to assume the role.",
            )
        })?;
        let invocation = cloud
            .lambda_invoke(&caller, &transform.function_arn, event)
            .await
            .map_err(|error| {
                detail(&settings.name, &error);
                refused_invocation(&error)
            })?;
        match invocation.function_error {
            None => Ok(invocation.payload),
            Some(_) => {
                let payload = String::from_utf8_lossy(&invocation.payload);
                tracing::info!(stream = settings.name, %payload, "the processor failed");
                Err(Failure::FUNCTION_ERROR)
            }
        }
    }

    async fn store(&self, settings: &Settings, object: &Object) -> Result<(), Failure> {
        let cloud = self.cloud()?;
        let failed = |error: AwsError| {
            detail(&settings.name, &error);
            refused_store(&error)
        };
        let caller = assume(&cloud, &settings.destination.role_arn)
            .map_err(|error| failed(AwsError::new(403, "AccessDenied", error.message)))?;
        let tasks = cloud.tasks.clone();
        let bucket = arn_name(&settings.destination.bucket_arn).to_owned();
        let Object { key, body, headers } = object.clone();
        // A stream that is stopped must not leave half of an object.
        let stored = finish(&tasks, async move {
            cloud
                .s3_put_object(&caller, &bucket, &key, body, headers)
                .await
        });
        stored.await.map(|_version| ()).map_err(failed)
    }

    fn happened(&self, event: Event) {
        if let Some(cloud) = self.cloud.upgrade() {
            cloud.events.push(event);
        }
    }

    async fn log(&self, settings: &Settings, failure: &Failure) {
        let Ok(cloud) = self.cloud() else { return };
        tracing::warn!(
            stream = settings.name, code = %failure.code, message = %failure.message,
            "a delivery failed"
        );
        self.happened(Event::Trouble {
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
        let written = match assume(&cloud, &destination.role_arn) {
            Ok(caller) => cloud.logs_write(
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

/// The reason in full, for whoever reads the cloud's own log.
fn detail(stream: &str, error: &AwsError) {
    tracing::info!(stream, %error, "a call of a delivery stream was refused");
}

/// Codes and messages as in AWS's page monitoring-with-cloudwatch-logs.
fn refused_invocation(error: &AwsError) -> Failure {
    match (error.status, error.code.as_ref()) {
        (403, _) => Failure::new(
            "Lambda.InvokeAccessDenied",
            "Access was denied. Ensure that the access policy allows access to the Lambda \
             function.",
        ),
        (404, _) => Failure::new(
            "Lambda.ResourceNotFound",
            "The specified Lambda function does not exist. Use a different function that does \
             exist.",
        ),
        (429, _) => Failure::new(
            "Lambda.InvokeLimitExceeded",
            "The Lambda concurrent execution limit is exceeded. Increase the concurrent \
             execution limit.",
        ),
        (_, code) => Failure {
            code: format!("Lambda.{code}").into(),
            message: error.message.clone().into(),
        },
    }
}

/// Codes and messages as in AWS's page monitoring-with-cloudwatch-logs.
fn refused_store(error: &AwsError) -> Failure {
    match (error.status, error.code.as_ref()) {
        (_, "NoSuchBucket") => Failure::new(
            "S3.NoSuchBucket",
            "The specified bucket does not exist. Create the bucket or use a different bucket \
             that does exist.",
        ),
        (403, _) => Failure::new(
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
