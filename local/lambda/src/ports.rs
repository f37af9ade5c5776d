//! What Lambda needs of other services.

use cloud_core::error::AwsResult;
use cloud_iam::Caller;

/// Where functions' log lines go.
pub trait LogSink: Send + Sync + 'static {
    /// Appends messages to a stream, which is created when it is missing, if the caller may.
    fn write(
        &self,
        caller: &Caller,
        region: &str,
        group: &str,
        stream: &str,
        messages: &[String],
    ) -> AwsResult<()>;
}
