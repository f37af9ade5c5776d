//! The access log: one line a request, in the stage's format, in the stage's log group.
//!
//! Source: AWS, "Set up CloudWatch logging for REST APIs". A variable without a value is `-`. API
//! Gateway writes with the account's role for logs. When that role may not write, nothing is written.

use super::integration::PRINCIPAL;
use crate::definition::AccessLogSettings;
use crate::exchange::Exchange;
use crate::problem::{Problem, Problems};
use cloud_core::error::AwsResult;
use cloud_iam::Caller;
use cloud_template::context::{Place, Variable};
use cloud_template::substitution::Substitution;
use sha2::{Digest, Sha256};

/// AWS's quota for the size of a format, in bytes.
const MAX_FORMAT: usize = 3 * 1024;

/// Where and how a stage logs its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessLog {
    format: Substitution,
    group: String,
    stream: String,
}

impl AccessLog {
    /// Reads a stage's settings.
    pub(crate) fn compile(settings: &AccessLogSettings, stage: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let format = settings.format.as_str();
        let property = "accessLogSettings.format";
        let line = format.strip_suffix('\n').unwrap_or(format);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains(['\n', '\r']) {
            problems.add(
                property,
                format!(
                    "Access Log format must be single line, new line character is allowed only \
                     at end of the format: '{format}'"
                ),
            );
        }
        if format.len() > MAX_FORMAT {
            problems.add(
                property,
                format!("a format may have {MAX_FORMAT} bytes at most"),
            );
        }
        let parsed = problems.check(property, Substitution::parse(line, Place::AccessLog));
        let identified = parsed.as_ref().is_none_or(|format| {
            format.uses(Variable::RequestId) || format.uses(Variable::ExtendedRequestId)
        });
        if !identified {
            problems.add(
                property,
                format!(
                    "Access Log format must include either $context.requestId or \
                     $context.extendedRequestId : '{format}'"
                ),
            );
        }
        let group = problems.check(
            "accessLogSettings.destinationArn",
            log_group(&settings.destination_arn),
        );
        problems.none(Self {
            format: parsed.unwrap_or_default(),
            group: group.unwrap_or_default().to_owned(),
            stream: stream(stage),
        })
    }

    fn put(&self, exchange: &Exchange<'_>, role: Option<&str>) -> AwsResult<()> {
        let stage = exchange.stage;
        let gateway = exchange.gateway;
        let role = role.unwrap_or_default();
        let caller = Caller::Role(gateway.iam.assume_role(role, PRINCIPAL, &[])?);
        let line = self.format.render(&exchange.context, &stage.variables, "-");
        gateway
            .logs
            .write(&caller, &stage.region, &self.group, &self.stream, &[line])
    }
}

/// Writes a finished request down, in the account's role for logs.
pub(crate) fn write(exchange: &Exchange<'_>, log: &AccessLog, role: Option<&str>) {
    let stage = exchange.stage;
    if let Err(error) = log.put(exchange, role) {
        tracing::warn!(
            api = stage.api_id,
            stage = stage.name,
            group = log.group,
            %error,
            "a request is not in the access log"
        );
    }
}

/// The name in a log group's ARN, which may end with `:*`.
fn log_group(arn: &str) -> Result<&str, String> {
    let parts: Vec<&str> = arn.splitn(7, ':').collect();
    match parts.as_slice() {
        ["arn", _, "logs", _, _, "log-group", name] => Ok(name.strip_suffix(":*").unwrap_or(name)),
        ["arn", _, "firehose", ..] => {
            Err("the embedded cloud does not support a delivery stream as an access log".to_owned())
        }
        _ => Err(format!(
            "Invalid ARN specified in the request. The ARN must be a valid CloudWatch Logs log \
             group or Kinesis Data Firehose delivery stream ARN: {arn}"
        )),
    }
}

/// A stream's name. On AWS it is 32 hexadecimal digits without a meaning.
fn stream(stage: &str) -> String {
    hex::encode(&Sha256::digest(stage)[..16])
}
