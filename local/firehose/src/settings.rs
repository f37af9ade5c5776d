//! What a delivery stream was declared to do, parsed and within AWS's limits.

use super::buffer::Hints;
use super::prefix::Prefixes;
use std::time::Duration;

/// A megabyte as Firehose's buffer sizes count it (API reference, `BufferingHints`: "in MiBs").
pub(crate) const MEBIBYTE: usize = 1024 * 1024;

/// A delivery stream, as it is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSettings {
    pub name: String,
    pub arn: String,
    pub region: String,
    /// Starts with 1 and grows with every change.
    pub version: u64,
    /// When it was created, in milliseconds since the Unix epoch.
    pub created: i64,
    pub destination: Destination,
}

/// Where and how records are delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub role_arn: String,
    pub bucket_arn: String,
    /// The prefixes as declared.
    pub prefix: String,
    pub error_output_prefix: Option<String>,
    /// The same, parsed.
    pub prefixes: Prefixes,
    pub buffering: Hints,
    pub compression: Compression,
    /// Replaces the extension that the compression gives.
    pub file_extension: Option<String>,
    pub transform: Option<Transform>,
    pub logging: Option<LogTarget>,
}

/// How objects are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Uncompressed,
    Gzip,
}

/// The Lambda processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    pub function_arn: String,
    /// Invoked with the delivery role unless it has one of its own.
    pub role_arn: Option<String>,
    pub buffering: Hints,
    /// How often a failed invocation is repeated.
    pub retries: u32,
}

/// Where delivery errors are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTarget {
    pub group: String,
    pub stream: String,
}

impl StreamSettings {
    /// When records go to the processor. Without one they are passed on as they come.
    pub(crate) fn processing_hints(&self) -> Hints {
        self.destination.transform.as_ref().map_or(
            Hints {
                size: MEBIBYTE,
                interval: Duration::ZERO,
            },
            |transform| transform.buffering,
        )
    }
}

impl Compression {
    /// The value in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uncompressed => "UNCOMPRESSED",
            Self::Gzip => "GZIP",
        }
    }

    /// The end of an object's key.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Uncompressed => "",
            Self::Gzip => ".gz",
        }
    }
}
