//! The delivery stream: clicks in, through the processor, into the bucket.

use aws::cloudwatch::{log_group, log_stream};
use aws::iam::{role, role_policy};
use aws::kinesis::firehose_delivery_stream as stream;
use aws::lambda::permission;
use aws::types::kinesis::{
    FirehoseDeliveryStreamExtendedS3Configuration as Destination,
    FirehoseDeliveryStreamExtendedS3ConfigurationCloudwatchLoggingOptions as Logging,
    FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfiguration as Processing,
    FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessor as ProcessorStep,
    FirehoseDeliveryStreamExtendedS3ConfigurationProcessingConfigurationProcessorParameter as Parameter,
    FirehoseDeliveryStreamServerSideEncryption as Encryption,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, Urn, all};

use crate::bucket::PrivateBucket;
use crate::config;
use crate::policy;
use crate::processor::Processor;
use crate::scope::Scope;

/// MB that Firehose gathers before it calls the processor.
///
/// The worst legal reply must fit Lambda's 6 MB, and enrichment makes the shortest click eleven times
/// as long. The processor proves its bound in `lambda/src/reply.rs`: 4.9 MB for 0.3 MB of them and
/// the one large record that may have filled the buffer; 0.4 MB could give 6.1.
///
/// It must not be Firehose's own default: AWS does not store that, and every preview would show a
/// difference.
const PROCESSOR_BUFFER_MB: &str = "0.3";

/// The prefix of records that the processor refused. It needs the type of the error and the time,
/// because Firehose adds no date to it.
///
/// [`FAILED_PREFIX`] is what it becomes for them.
const ERROR_PREFIX: &str = "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/";

/// The keys of records that the processor failed begin with this, before the hour: the type of the
/// error is `processing-failed`.
pub const FAILED_PREFIX: &str = "processing-failed/";

pub struct Delivery {
    pub stream_name: Output<String>,
    pub stream_arn: Output<String>,
}

impl Delivery {
    pub fn new(scope: &Scope<'_>, bucket: &PrivateBucket, processor: &Processor) -> Self {
        let program = scope.program;
        let component = scope.component("Delivery", "delivery");
        let options = Options::new().parent(&component);

        let group = log_group::create_with_options(
            program,
            "mysfits-delivery",
            log_group::LogGroupArgs::builder()
                .retention_in_days(scope.config.log_retention.cast_signed())
                .build_struct(),
            options.clone(),
        );
        let errors = log_stream::create_with_options(
            program,
            "mysfits-delivery",
            log_stream::LogStreamArgs::builder()
                .log_group_name(group.name.clone())
                .build_struct(),
            options.clone(),
        );
        let role = Role::new(scope, &component, bucket, processor, &errors.arn);

        let destination = all((
            &bucket.arn,
            &role.arn,
            &processor.arn,
            &group.name,
            &errors.name,
        ));
        let settings = scope.config.delivery.clone();
        let destination = destination.map(move |(bucket, role, function, group, stream)| {
            let logging = Logging::builder()
                .enabled(true)
                .log_group_name(group)
                .log_stream_name(stream)
                .build_struct();
            destination_of(&settings, bucket, role, &function, logging)
        });
        let stream = stream::create_with_options(
            program,
            "mysfits-clicks",
            stream::FirehoseDeliveryStreamArgs::builder()
                .name(scope.config.delivery.stream_name.clone())
                .destination("extended_s3")
                .extended_s3_configuration(destination)
                .server_side_encryption(encrypted())
                .build_struct(),
            // Firehose tries the role while it creates the stream.
            options
                .clone()
                .depends_on(&[&role.policy])
                .protect(scope.config.storage.protect),
        );
        permission::create_with_options(
            program,
            "mysfits-delivery",
            permission::PermissionArgs::builder()
                .action("lambda:InvokeFunction")
                .function(processor.name.clone())
                .principal("firehose.amazonaws.com")
                .source_account(scope.account.clone())
                .source_arn(stream.arn.clone())
                .build_struct(),
            options,
        );
        component.output("stream", &stream.name);
        Self {
            stream_name: stream.name,
            stream_arn: stream.arn,
        }
    }
}

/// What Firehose may do on the stream's behalf.
struct Role {
    arn: Output<String>,
    policy: Urn,
}

impl Role {
    fn new(
        scope: &Scope<'_>,
        parent: &Component,
        bucket: &PrivateBucket,
        processor: &Processor,
        errors: &Output<String>,
    ) -> Self {
        let options = Options::new().parent(parent);
        let trust = scope
            .account
            .map(|account| policy::trust_with_external_id("firehose.amazonaws.com", &account));
        let role = role::create_with_options(
            scope.program,
            "mysfits-delivery",
            role::RoleArgs::builder()
                .description("What Firehose may do with clicks: process them, and store them")
                .assume_role_policy(trust)
                .build_struct(),
            options.clone(),
        );
        let permissions = all((&bucket.arn, &processor.arn, errors))
            .map(|(bucket, function, errors)| permissions(&bucket, &function, errors));
        let policy = role_policy::create_with_options(
            scope.program,
            "mysfits-delivery",
            role_policy::RolePolicyArgs::builder()
                .role(role.name)
                .policy(permissions)
                .build_struct(),
            options,
        );
        Self {
            arn: role.arn,
            policy: policy.urn,
        }
    }
}

/// While it waits in the stream, with a key of Firehose's own, which costs nothing and needs no
/// policy.
fn encrypted() -> Encryption {
    Encryption::builder()
        .enabled(true)
        .key_type("AWS_OWNED_CMK")
        .build_struct()
}

fn destination_of(
    settings: &config::Delivery,
    bucket: String,
    role: String,
    function: &str,
    logging: Logging,
) -> Destination {
    Destination::builder()
        .bucket_arn(bucket)
        .role_arn(role)
        .prefix(settings.prefix.clone())
        .error_output_prefix(ERROR_PREFIX)
        .buffering_interval(settings.buffer_interval.cast_signed())
        .buffering_size(settings.buffer_size.cast_signed())
        .compression_format(settings.compression)
        .cloudwatch_logging_options(logging)
        .processing_configuration(processing(settings, function))
        .build_struct()
}

/// Parameters at their defaults (retries, role) are left out: AWS does not store them.
fn processing(settings: &config::Delivery, function: &str) -> Processing {
    let parameter = |name: &str, value: String| {
        Parameter::builder()
            .parameter_name(name)
            .parameter_value(value)
            .build_struct()
    };
    let step = ProcessorStep::builder()
        .type_("Lambda")
        .parameters(vec![
            parameter("LambdaArn", latest(function)),
            parameter("BufferSizeInMBs", PROCESSOR_BUFFER_MB.to_owned()),
            parameter(
                "BufferIntervalInSeconds",
                settings.processor_buffer_interval.to_string(),
            ),
        ])
        .build_struct();
    Processing::builder()
        .enabled(true)
        .processors(vec![step])
        .build_struct()
}

fn permissions(bucket: &str, function: &str, errors: String) -> String {
    policy::document(&[
        policy::allow(
            "Store",
            &[
                "s3:AbortMultipartUpload",
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
                "s3:PutObject",
            ],
            &[bucket.to_owned(), format!("{bucket}/*")],
        ),
        policy::allow("Process", &["lambda:InvokeFunction"], &[latest(function)]),
        policy::allow("LogErrors", &["logs:PutLogEvents"], &[errors]),
    ])
}

/// Firehose wants to know which version of the function it calls.
fn latest(function: &str) -> String {
    format!("{function}:$LATEST")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lambda's limit for the payload of a synchronous answer.
    const LARGEST_REPLY: usize = 6_000_000;
    /// Bytes that the three values of a mysfit may have together, as the processor takes them. The
    /// longest in the catalogue have 26.
    const LONGEST_VALUES: usize = 3 * 64;
    /// The longest recordId seen from Firehose.
    const LONGEST_ID: usize = 160;
    /// Firehose takes no larger record, and one may come on top of what fits a buffer.
    const LARGEST_RECORD: usize = 1_000 * 1024;

    #[test]
    fn the_worst_legal_reply_fits() -> Result<(), std::num::ParseFloatError> {
        let id = "b41ff031-141e-4a8d-bb56-158a22bea0b3";
        let click = format!(r#"{{"userId":"u","mysfitId":"{id}"}}"#).len();
        let added =
            r#","goodevil":"","lawchaos":"","species":"","clickedAt":"2026-01-01T00:00:00.000Z""#;
        let click_id = r#","clickId":"""#.len() + id.len();
        let added = added.len() + LONGEST_VALUES + click_id + "\n".len();
        let around = r#"{"recordId":"","result":"Ok","data":""},"#.len() + LONGEST_ID;
        let reply = |record: usize| around + (record + added).div_ceil(3) * 4;
        let buffer = PROCESSOR_BUFFER_MB.parse::<f64>()? * 1024.0 * 1024.0;
        let records = (buffer / click as f64).ceil();
        let worst = records * reply(click) as f64 + reply(LARGEST_RECORD) as f64;
        assert!(worst <= LARGEST_REPLY as f64, "{worst}");
        Ok(())
    }
}
