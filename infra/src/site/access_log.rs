//! Who read what on the site: CloudFront's standard logging (v2), into CloudWatch.

use aws::cloudwatch::{
    log_delivery, log_delivery_destination as destination, log_delivery_source as source, log_group,
};
use aws::types::cloudwatch::LogDeliveryDestinationDeliveryDestinationConfiguration as Configuration;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output};

use crate::scope::Scope;

/// A distribution is in no region, but its logs are delivered from this one alone:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html>.
const REGION: &str = "us-east-1";

/// What is written of a request. No cookies and no query strings: the site has none.
const FIELDS: [&str; 12] = [
    "date",
    "time",
    "x-edge-location",
    "c-ip",
    "cs-method",
    "cs-uri-stem",
    "sc-status",
    "sc-bytes",
    "time-taken",
    "x-edge-result-type",
    "cs-protocol-version",
    "ssl-protocol",
];

pub fn create(scope: &Scope<'_>, parent: &Component, distribution: &Output<String>) {
    let program = scope.program;
    let options = Options::new().parent(parent);
    let group = log_group::create_with_options(
        program,
        "mysfits-site",
        log_group::LogGroupArgs::builder()
            .region(REGION)
            .retention_in_days(scope.config.log_retention.cast_signed())
            .build_struct(),
        options.clone(),
    );
    let from = source::create_with_options(
        program,
        "mysfits-site",
        source::LogDeliverySourceArgs::builder()
            .region(REGION)
            .resource_arn(distribution.clone())
            .log_type("ACCESS_LOGS")
            .build_struct(),
        options.clone(),
    );
    let to = destination::create_with_options(
        program,
        "mysfits-site",
        destination::LogDeliveryDestinationArgs::builder()
            .region(REGION)
            .output_format("json")
            .delivery_destination_configuration(group.arn.map(|group| {
                Configuration::builder()
                    .destination_resource_arn(group)
                    .build_struct()
            }))
            .build_struct(),
        options.clone(),
    );
    log_delivery::create_with_options(
        program,
        "mysfits-site",
        log_delivery::LogDeliveryArgs::builder()
            .region(REGION)
            .delivery_source_name(from.name)
            .delivery_destination_arn(to.arn)
            .record_fields(FIELDS)
            .build_struct(),
        options,
    );
}
