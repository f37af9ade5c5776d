//! The extended S3 destination: from what is declared to what Firehose can do.

use crate::{
    Compression, DEFAULT_INTERVAL_SECONDS, DEFAULT_SIZE_MB, Destination, Hints, INTERVAL_SECONDS,
    LogTarget, MEBIBYTE, PrefixError, Prefixes, SIZE_MB, Transform, processor,
};
use cloud_core::log_names::{group_name_problem, stream_name_problem};
use cloud_resource::resource::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// The longest prefix as it is declared (API reference, `ExtendedS3DestinationConfiguration`).
const MAX_PREFIX: usize = 1024;

/// The longest file extension (the same).
const MAX_EXTENSION: usize = 128;

/// The property that all of this is under.
const PATH: &str = "extendedS3Configuration";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ExtendedS3 {
    bucket_arn: String,
    role_arn: String,
    prefix: Option<String>,
    error_output_prefix: Option<String>,
    buffering_size: Option<u64>,
    buffering_interval: Option<u64>,
    compression_format: Option<String>,
    file_extension: Option<String>,
    custom_time_zone: Option<String>,
    kms_key_arn: Option<String>,
    s3_backup_mode: Option<String>,
    cloudwatch_logging_options: Option<LoggingOptions>,
    processing_configuration: Option<Processing>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LoggingOptions {
    enabled: Option<bool>,
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Processing {
    enabled: Option<bool>,
    processors: Option<Vec<Processor>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Processor {
    #[serde(rename = "type")]
    kind: String,
    parameters: Option<Vec<Parameter>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Parameter {
    parameter_name: String,
    parameter_value: String,
}

impl Parameter {
    fn is_default(&self) -> bool {
        let is = |default: f64| self.parameter_value.trim().parse() == Ok(default);
        match self.parameter_name.as_str() {
            "NumberOfRetries" => is(f64::from(processor::DEFAULT_RETRIES)),
            "BufferSizeInMBs" => is(processor::DEFAULT_SIZE_MB),
            "BufferIntervalInSeconds" => is(processor::DEFAULT_INTERVAL_SECONDS as f64),
            _ => false,
        }
    }
}

/// What is wrong, collected: a user wants to hear of all of it at once.
#[derive(Default)]
struct Refusals(Vec<Refusal>);

impl Refusals {
    fn add(&mut self, property: &str, reason: impl Into<String>) {
        self.0
            .push(Refusal::new(format!("{PATH}.{property}"), reason));
    }

    /// The value when it is in the range, the default when there is none.
    fn ranged<T: PartialOrd + Display>(
        &mut self,
        property: &str,
        value: Option<T>,
        allowed: &RangeInclusive<T>,
        default: T,
    ) -> T {
        match value {
            None => default,
            Some(value) if allowed.contains(&value) => value,
            Some(value) => {
                let (least, most) = (allowed.start(), allowed.end());
                self.add(property, format!("{value} is not within {least} to {most}"));
                default
            }
        }
    }
}

impl ExtendedS3 {
    /// The destination, or everything that AWS or the embedded cloud refuses about it.
    pub(super) fn parse(&self) -> Result<Destination, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        self.refuse_unsupported(&mut refusals);
        if !self.bucket_arn.starts_with("arn:aws:s3:::") {
            refusals.add(
                "bucketArn",
                format!("{:?} is not the ARN of a bucket", self.bucket_arn),
            );
        }
        if !self.role_arn.starts_with("arn:aws:iam::") {
            refusals.add(
                "roleArn",
                format!("{:?} is not the ARN of a role", self.role_arn),
            );
        }
        let size = refusals.ranged(
            "bufferingSize",
            self.buffering_size,
            &SIZE_MB,
            DEFAULT_SIZE_MB,
        );
        let interval = refusals.ranged(
            "bufferingInterval",
            self.buffering_interval,
            &INTERVAL_SECONDS,
            DEFAULT_INTERVAL_SECONDS,
        );
        let prefixes = self.prefixes(&mut refusals);
        let compression = self.compression(&mut refusals);
        let transform = self.transform(&mut refusals);
        let logging = self.logging(&mut refusals);
        match prefixes {
            Some(prefixes) if refusals.0.is_empty() => Ok(Destination {
                role_arn: self.role_arn.clone(),
                bucket_arn: self.bucket_arn.clone(),
                prefix: self.prefix.clone().unwrap_or_default(),
                error_output_prefix: self.error_output_prefix.clone(),
                prefixes,
                buffering: Hints {
                    size: usize::try_from(size).unwrap_or(usize::MAX) * MEBIBYTE,
                    interval: Duration::from_secs(interval),
                },
                compression,
                file_extension: self.file_extension.clone().filter(|text| !text.is_empty()),
                transform,
                logging,
            }),
            _ => Err(refusals.0),
        }
    }

    /// Takes out the processor's parameters that are given as they are by default: AWS does not
    /// store them, and so shows a difference forever
    /// (<https://github.com/hashicorp/terraform-provider-aws/issues/33014>).
    pub(super) fn forget_defaults(&mut self) {
        let processors = self
            .processing_configuration
            .iter_mut()
            .flat_map(|processing| processing.processors.iter_mut().flatten());
        for processor in processors {
            if let Some(parameters) = &mut processor.parameters {
                parameters.retain(|parameter| !parameter.is_default());
            }
        }
    }

    fn refuse_unsupported(&self, refusals: &mut Refusals) {
        if let Some(zone) = &self.custom_time_zone
            && !zone.is_empty()
            && zone != "UTC"
        {
            refusals.add(
                "customTimeZone",
                format!("the embedded cloud names objects in UTC, not in {zone}"),
            );
        }
        if self.kms_key_arn.is_some() {
            refusals.add("kmsKeyArn", "the embedded cloud encrypts nothing with KMS");
        }
        if let Some(mode) = &self.s3_backup_mode
            && mode != "Disabled"
        {
            refusals.add(
                "s3BackupMode",
                format!("the embedded cloud has no backup of source records: {mode}"),
            );
        }
        if let Some(extension) = &self.file_extension
            && !extension.is_empty()
        {
            let fits = extension.len() <= MAX_EXTENSION
                && extension.len() > 1
                && extension.starts_with('.')
                && extension.bytes().all(|byte| {
                    byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || b"!-_.*'()".contains(&byte)
                });
            if !fits {
                refusals.add(
                    "fileExtension",
                    "must be a '.' and up to 127 characters out of a-z, 0-9 and !-_.*'()",
                );
            }
        }
    }

    fn prefixes(&self, refusals: &mut Refusals) -> Option<Prefixes> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let error_prefix = self.error_output_prefix.as_deref();
        for (property, text) in [
            ("prefix", Some(prefix)),
            ("errorOutputPrefix", error_prefix),
        ] {
            if text.is_some_and(|text| text.chars().count() > MAX_PREFIX) {
                refusals.add(
                    property,
                    format!("must have at most {MAX_PREFIX} characters"),
                );
            }
        }
        match Prefixes::parse(prefix, error_prefix) {
            Ok(prefixes) => Some(prefixes),
            Err(PrefixError::Prefix(reason)) => {
                refusals.add("prefix", reason);
                None
            }
            Err(PrefixError::ErrorOutputPrefix(reason)) => {
                refusals.add("errorOutputPrefix", reason);
                None
            }
        }
    }

    fn compression(&self, refusals: &mut Refusals) -> Compression {
        match self.compression_format.as_deref() {
            None | Some("UNCOMPRESSED") => Compression::Uncompressed,
            Some("GZIP") => Compression::Gzip,
            Some(other) => {
                let reason = match other {
                    "ZIP" | "Snappy" | "HADOOP_SNAPPY" => {
                        format!(
                            "the embedded cloud compresses with GZIP or not at all, not {other}"
                        )
                    }
                    _ => format!("{other:?} is no compression format"),
                };
                refusals.add("compressionFormat", reason);
                Compression::Uncompressed
            }
        }
    }

    fn logging(&self, refusals: &mut Refusals) -> Option<LogTarget> {
        let options = self.cloudwatch_logging_options.as_ref()?;
        if options.enabled != Some(true) {
            return None;
        }
        let mut name =
            |property: &str, name: &Option<String>, problem: fn(&str) -> Option<&'static str>| {
                let property = format!("cloudwatchLoggingOptions.{property}");
                match name {
                    None => refusals.add(&property, "must be given when logging is enabled"),
                    Some(name) => {
                        if let Some(problem) = problem(name) {
                            refusals.add(&property, problem);
                        }
                    }
                }
                name.clone().unwrap_or_default()
            };
        Some(LogTarget {
            group: name("logGroupName", &options.log_group_name, group_name_problem),
            stream: name(
                "logStreamName",
                &options.log_stream_name,
                stream_name_problem,
            ),
        })
    }

    fn transform(&self, refusals: &mut Refusals) -> Option<Transform> {
        let processing = self.processing_configuration.as_ref()?;
        let processors = processing.processors.as_deref().unwrap_or_default();
        for (index, processor) in processors.iter().enumerate() {
            if processor.kind != "Lambda" {
                refusals.add(
                    &format!("processingConfiguration.processors[{index}].type"),
                    format!(
                        "the embedded cloud has the processor Lambda, not {}",
                        processor.kind
                    ),
                );
                return None;
            }
        }
        match processors {
            [] => {
                if processing.enabled == Some(true) {
                    refusals.add(
                        "processingConfiguration.processors",
                        "must hold a processor when processing is enabled",
                    );
                }
                None
            }
            [processor] => {
                let transform = Parameters::of(processor).transform(refusals);
                (processing.enabled == Some(true)).then_some(transform)
            }
            _ => {
                refusals.add(
                    "processingConfiguration.processors",
                    "must hold one processor of type Lambda only",
                );
                None
            }
        }
    }
}

/// The parameters of the one processor.
struct Parameters<'a> {
    parameters: &'a [Parameter],
}

impl<'a> Parameters<'a> {
    const PROPERTY: &'static str = "processingConfiguration.processors[0].parameters";

    fn of(processor: &'a Processor) -> Self {
        Self {
            parameters: processor.parameters.as_deref().unwrap_or_default(),
        }
    }

    fn transform(&self, refusals: &mut Refusals) -> Transform {
        for parameter in self.parameters {
            let name = parameter.parameter_name.as_str();
            match name {
                "LambdaArn"
                | "RoleArn"
                | "NumberOfRetries"
                | "BufferSizeInMBs"
                | "BufferIntervalInSeconds" => {}
                _ => refusals.add(
                    Self::PROPERTY,
                    format!("{name:?} is no parameter of a processor of type Lambda"),
                ),
            }
            let given = |other: &&Parameter| other.parameter_name == name;
            if self.parameters.iter().filter(given).count() > 1 {
                refusals.add(Self::PROPERTY, format!("{name} is given more than once"));
            }
        }
        let function_arn = self.get("LambdaArn").unwrap_or_default();
        if !function_arn.starts_with("arn:aws:lambda:") {
            refusals.add(
                Self::PROPERTY,
                format!("LambdaArn is {function_arn:?}, not the ARN of a function"),
            );
        }
        let size = self.number("BufferSizeInMBs", refusals);
        let interval = self.number("BufferIntervalInSeconds", refusals);
        if size.is_some() != interval.is_some() {
            refusals.add(
                Self::PROPERTY,
                "BufferSizeInMBs and BufferIntervalInSeconds must be given together",
            );
        }
        let size = refusals.ranged(
            &format!("{}.BufferSizeInMBs", Self::PROPERTY),
            size,
            &processor::SIZE_MB,
            processor::DEFAULT_SIZE_MB,
        );
        let interval = refusals.ranged(
            &format!("{}.BufferIntervalInSeconds", Self::PROPERTY),
            interval,
            &processor::INTERVAL_SECONDS,
            processor::DEFAULT_INTERVAL_SECONDS,
        );
        let retries = self.number("NumberOfRetries", refusals);
        let retries = refusals.ranged(
            &format!("{}.NumberOfRetries", Self::PROPERTY),
            retries,
            &processor::RETRIES,
            processor::DEFAULT_RETRIES,
        );
        Transform {
            function_arn: function_arn.to_owned(),
            role_arn: self.get("RoleArn").map(str::to_owned),
            buffering: Hints {
                // At most 3 MB: the product is exact enough, and positive.
                size: (size * MEBIBYTE as f64) as usize,
                interval: Duration::from_secs(interval),
            },
            retries,
        }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.parameters
            .iter()
            .find(|parameter| parameter.parameter_name == name)
            .map(|parameter| parameter.parameter_value.as_str())
    }

    fn number<T: FromStr>(&self, name: &str, refusals: &mut Refusals) -> Option<T> {
        let text = self.get(name)?;
        let number = text.trim().parse().ok();
        if number.is_none() {
            refusals.add(Self::PROPERTY, format!("{name} is {text:?}, not a number"));
        }
        number
    }
}
