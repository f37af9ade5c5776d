//! Firehose's JSON protocol, version `Firehose_20150804`.

mod constraints;

use crate::Firehose;
use crate::settings::{Destination, StreamSettings};
use crate::stream::{Refused, Stream};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::events::Event;
use cloud_core::faults::Disturbable;
use cloud_core::json_protocol::{answer, unknown_operation};
use cloud_iam::{Call, Caller};
use cloud_journal::NewRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;
use uuid::Uuid;

/// The most data that a record has, before base64 (limits: 1,000 KiB).
const MAX_RECORD_BYTES: usize = 1_024_000;

/// The most that a PutRecordBatch takes (limits: 500 records or 4 MiB).
const MAX_BATCH_RECORDS: usize = 500;
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How many names ListDeliveryStreams gives when the caller does not say (its API reference).
const DEFAULT_LIST_LIMIT: usize = 10;

/// What of the protocol is built.
pub const OPERATIONS: &[&str] = &[
    "PutRecord",
    "PutRecordBatch",
    "DescribeDeliveryStream",
    "ListDeliveryStreams",
];

/// What can be disturbed of it. Its error for a failure of its own: API reference, Common Errors.
pub(crate) static FAULTS: Disturbable = Disturbable {
    name: "firehose",
    operations: OPERATIONS,
    throttled: slow_down,
    failed: || {
        AwsError::new(
            500,
            "InternalFailure",
            "The request processing has failed because of an unknown error, exception or failure.",
        )
    },
    has_settings: false,
};

/// The id that every stream's only destination has.
pub(crate) const DESTINATION_ID: &str = "destinationId-000000000001";

impl Firehose {
    /// One request of Firehose's JSON protocol: `action` is the part of `X-Amz-Target` after
    /// the dot, `region` the one that is called. Gives the body of the 200 answer.
    pub async fn call(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        self.context.faults.strike(&FAULTS, action).await?;
        match action {
            "PutRecord" => self.put_record(caller, region, body).await,
            "PutRecordBatch" => self.put_record_batch(caller, region, body).await,
            "DescribeDeliveryStream" => self.describe_delivery_stream(caller, region, body),
            "ListDeliveryStreams" => self.list_delivery_streams(caller, region, body),
            _ => Err(unknown_operation("Firehose", action)),
        }
    }

    async fn put_record(&self, caller: &Caller, region: &str, body: &[u8]) -> AwsResult<Bytes> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input<'a> {
            #[serde(borrow, default)]
            delivery_stream_name: Cow<'a, str>,
            #[serde(borrow)]
            record: Option<Record<'a>>,
        }
        let input: Input<'_> = parse(body)?;
        let stream = self.open_stream(caller, region, "PutRecord", &input.delivery_stream_name)?;
        let record = input.record.ok_or_else(|| missing("record"))?;
        let data = record.decode("record.data")?;
        self.accept(&stream, vec![data]).await?;
        answer(&PutRecordOutput {
            record_id: record_id(),
            encrypted: false,
        })
    }

    async fn put_record_batch(
        &self,
        caller: &Caller,
        region: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input<'a> {
            #[serde(borrow, default)]
            delivery_stream_name: Cow<'a, str>,
            #[serde(borrow)]
            records: Option<Vec<Record<'a>>>,
        }
        let input: Input<'_> = parse(body)?;
        let stream = self.open_stream(
            caller,
            region,
            "PutRecordBatch",
            &input.delivery_stream_name,
        )?;
        let records = input.records.ok_or_else(|| missing("records"))?;
        if records.is_empty() {
            return Err(invalid(
                "records",
                "Member must have length greater than or equal to 1",
            ));
        }
        if records.len() > MAX_BATCH_RECORDS {
            return Err(invalid(
                "records",
                &format!("Member must have length less than or equal to {MAX_BATCH_RECORDS}"),
            ));
        }
        let data = records
            .iter()
            .enumerate()
            .map(|(index, record)| record.decode(&format!("records.{}.member.data", index + 1)))
            .collect::<AwsResult<Vec<_>>>()?;
        if data.iter().map(Bytes::len).sum::<usize>() > MAX_BATCH_BYTES {
            return Err(AwsError::new(
                400,
                "InvalidArgumentException",
                "Records size exceeds 4 MB limit",
            ));
        }
        let count = data.len();
        let failure = self.accept(&stream, data).await.err();
        let responses: Vec<_> = (0..count)
            .map(|_| match &failure {
                None => json!({ "RecordId": record_id() }),
                Some(error) => json!({ "ErrorCode": error.code, "ErrorMessage": error.message }),
            })
            .collect();
        answer(&json!({
            "FailedPutCount": if failure.is_some() { count } else { 0 },
            "Encrypted": false,
            "RequestResponses": responses,
        }))
    }

    async fn accept(&self, stream: &Stream, data: Vec<Bytes>) -> AwsResult<()> {
        let arrival = self.context.clock.unix_millis();
        let (count, bytes) = (data.len(), data.iter().map(Bytes::len).sum());
        let records = data
            .into_iter()
            .map(|data| NewRecord { arrival, data })
            .collect();
        stream.put(records).await.map_err(|refused| {
            if let Refused::Disk(error) = &refused {
                tracing::error!("records were refused: {error:#}");
            }
            slow_down()
        })?;
        self.context.events.push(Event::Accepted {
            stream: stream.settings().name.clone(),
            records: count,
            bytes,
        });
        Ok(())
    }

    fn describe_delivery_stream(
        &self,
        caller: &Caller,
        region: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input<'a> {
            #[serde(borrow, default)]
            delivery_stream_name: Cow<'a, str>,
            limit: Option<i64>,
            exclusive_start_destination_id: Option<String>,
        }
        let input: Input<'_> = parse(body)?;
        constraints::check_limit(input.limit, 1)?;
        if let Some(id) = &input.exclusive_start_destination_id {
            constraints::check_destination_id("exclusiveStartDestinationId", id)?;
        }
        let stream = self.open_stream(
            caller,
            region,
            "DescribeDeliveryStream",
            &input.delivery_stream_name,
        )?;
        answer(&json!({ "DeliveryStreamDescription": describe(&stream.settings()) }))
    }

    fn list_delivery_streams(
        &self,
        caller: &Caller,
        region: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Input {
            limit: Option<i64>,
            delivery_stream_type: Option<String>,
            exclusive_start_delivery_stream_name: Option<String>,
        }
        let input: Input = parse(body)?;
        self.authorize(caller, "ListDeliveryStreams", "*")?;
        let limit = constraints::check_limit(input.limit, DEFAULT_LIST_LIMIT)?;
        let after = input.exclusive_start_delivery_stream_name.as_deref();
        if let Some(after) = after {
            constraints::check_stream_name("exclusiveStartDeliveryStreamName", after)?;
        }
        if let Some(kind) = &input.delivery_stream_type {
            constraints::check_stream_type(kind)?;
        }
        let direct = input
            .delivery_stream_type
            .is_none_or(|wanted| wanted == "DirectPut");
        let mut names: Vec<_> = self
            .streams()
            .values()
            .filter(|stream| direct && stream.settings().region == region)
            .map(|stream| stream.settings().name.clone())
            .filter(|name| after.is_none_or(|after| name.as_str() > after))
            .collect();
        names.sort();
        let more = names.len() > limit;
        names.truncate(limit);
        answer(&json!({ "DeliveryStreamNames": names, "HasMoreDeliveryStreams": more }))
    }

    /// The stream, if there is one and the caller may do this with it.
    fn open_stream(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        name: &str,
    ) -> AwsResult<Arc<Stream>> {
        constraints::check_stream_name("deliveryStreamName", name)?;
        let stream = self.named(region, name)?;
        self.authorize(caller, action, &stream.settings().arn)?;
        Ok(stream)
    }

    fn authorize(&self, caller: &Caller, action: &str, resource: &str) -> AwsResult<()> {
        let call = Call {
            caller,
            action: &format!("firehose:{action}"),
            resource,
            context: &[],
            resource_policy: None,
        };
        self.iam
            .authorize(&call)
            .map_err(|error| AwsError::new(400, "AccessDeniedException", error.message))
    }
}

/// The answer to more than a stream takes. botocore's model has it as a fault: HTTP 500.
pub(crate) fn slow_down() -> AwsError {
    AwsError::new(500, "ServiceUnavailableException", "Slow down.")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record<'a> {
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
}

impl Record<'_> {
    fn decode(&self, name: &str) -> AwsResult<Bytes> {
        let data = self.data.as_deref().ok_or_else(|| missing(name))?;
        let data = STANDARD.decode(data).map_err(|_| malformed())?;
        if data.len() > MAX_RECORD_BYTES {
            return Err(invalid(
                name,
                &format!("Member must have length less than or equal to {MAX_RECORD_BYTES}"),
            ));
        }
        Ok(data.into())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecordOutput {
    record_id: String,
    encrypted: bool,
}

/// A record's id towards its producer: unique, and no more.
fn record_id() -> String {
    Uuid::new_v4().simple().to_string()
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> AwsResult<T> {
    serde_json::from_slice(body).map_err(|_| malformed())
}

fn malformed() -> AwsError {
    AwsError::new(
        400,
        "SerializationException",
        "The request is not JSON of the operation's input",
    )
}

pub(super) fn missing(name: &str) -> AwsError {
    invalid(name, "Member must not be null")
}

pub(super) fn invalid(name: &str, constraint: &str) -> AwsError {
    AwsError::new(
        400,
        "ValidationException",
        format!(
            "1 validation error detected: Value at '{name}' failed to satisfy constraint: \
             {constraint}"
        ),
    )
}

fn describe(settings: &StreamSettings) -> Value {
    let destination = &settings.destination;
    let common = common_description(destination);
    let mut extended = common.clone();
    extended["S3BackupMode"] = "Disabled".into();
    extended["ProcessingConfiguration"] = processing_description(destination);
    if let Some(extension) = &destination.file_extension {
        extended["FileExtension"] = extension.as_str().into();
    }
    json!({
        "DeliveryStreamName": settings.name,
        "DeliveryStreamARN": settings.arn,
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamEncryptionConfiguration": { "Status": "DISABLED" },
        "DeliveryStreamType": "DirectPut",
        "VersionId": settings.version.to_string(),
        "CreateTimestamp": settings.created as f64 / 1000.0,
        "Destinations": [{
            "DestinationId": DESTINATION_ID,
            "S3DestinationDescription": common,
            "ExtendedS3DestinationDescription": extended,
        }],
        "HasMoreDestinations": false,
    })
}

fn common_description(destination: &Destination) -> Value {
    let mut description = json!({
        "RoleARN": destination.role_arn,
        "BucketARN": destination.bucket_arn,
        "Prefix": destination.prefix,
        "BufferingHints": {
            "SizeInMBs": destination.buffering.size / crate::MEBIBYTE,
            "IntervalInSeconds": destination.buffering.interval.as_secs(),
        },
        "CompressionFormat": destination.compression.name(),
        "EncryptionConfiguration": { "NoEncryptionConfig": "NoEncryption" },
        "CloudWatchLoggingOptions": match &destination.logging {
            Some(target) => json!({
                "Enabled": true,
                "LogGroupName": target.group,
                "LogStreamName": target.stream,
            }),
            None => json!({ "Enabled": false }),
        },
    });
    if let Some(prefix) = &destination.error_output_prefix {
        description["ErrorOutputPrefix"] = prefix.as_str().into();
    }
    description
}

fn processing_description(destination: &Destination) -> Value {
    let Some(transform) = &destination.transform else {
        return json!({ "Enabled": false, "Processors": [] });
    };
    let role = transform.role_arn.as_ref().unwrap_or(&destination.role_arn);
    let size = transform.buffering.size as f64 / crate::MEBIBYTE as f64;
    let parameters = [
        ("LambdaArn", transform.function_arn.clone()),
        ("NumberOfRetries", transform.retries.to_string()),
        ("RoleArn", role.clone()),
        ("BufferSizeInMBs", size.to_string()),
        (
            "BufferIntervalInSeconds",
            transform.buffering.interval.as_secs().to_string(),
        ),
    ]
    .map(|(name, value)| json!({ "ParameterName": name, "ParameterValue": value }));
    json!({
        "Enabled": true,
        "Processors": [{ "Type": "Lambda", "Parameters": parameters }],
    })
}
