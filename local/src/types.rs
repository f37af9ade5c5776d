//! The resource types that can be deployed, a module a service.

mod apigateway;
mod athena;
mod cloudfront;
mod cloudwatch;
mod codecommit;
mod firehose;
mod glue;
mod iam;
pub mod lambda;
mod log_delivery;
mod managed_policy;
mod monitoring;
mod notifications;
mod s3;

use super::resource::AnyResourceType;

/// Every resource type of the embedded cloud.
pub fn all() -> Vec<Box<dyn AnyResourceType>> {
    let mut types: Vec<Box<dyn AnyResourceType>> = vec![
        Box::new(athena::NamedQuery),
        Box::new(athena::Workgroup),
        Box::new(cloudfront::CachePolicy),
        Box::new(cloudfront::Distribution),
        Box::new(cloudfront::OriginAccessControl),
        Box::new(cloudfront::ResponseHeadersPolicy),
        Box::new(cloudwatch::LogGroup),
        Box::new(cloudwatch::LogStream),
        Box::new(codecommit::Repository),
        Box::new(firehose::FirehoseDeliveryStream),
        Box::new(glue::CatalogDatabase),
        Box::new(glue::CatalogTable),
        Box::new(iam::Role),
        Box::new(iam::RolePolicy),
        Box::new(lambda::Function),
        Box::new(lambda::Permission),
        Box::new(log_delivery::LogDelivery),
        Box::new(log_delivery::LogDeliveryDestination),
        Box::new(log_delivery::LogDeliverySource),
        Box::new(managed_policy::Policy),
        Box::new(monitoring::Dashboard),
        Box::new(monitoring::LogMetricFilter),
        Box::new(monitoring::MetricAlarm),
        Box::new(notifications::Topic),
        Box::new(notifications::TopicPolicy),
        Box::new(notifications::TopicSubscription),
        Box::new(s3::Bucket),
        Box::new(s3::BucketLifecycleConfiguration),
        Box::new(s3::BucketObjectv2),
        Box::new(s3::BucketOwnershipControls),
        Box::new(s3::BucketPolicy),
        Box::new(s3::BucketPublicAccessBlock),
        Box::new(s3::BucketServerSideEncryptionConfiguration),
        Box::new(s3::BucketVersioning),
    ];
    types.extend(apigateway::all());
    types
}
