//! What a caller of CloudWatch Logs sends, and what of it is refused.
//!
//! The limits and what excludes what: each operation's page in the API reference
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html>)
//! and the patterns of botocore's model. The words for a value out of bounds were seen in
//! elastic/integrations issue 10564.

use cloud_core::error::{AwsError, AwsResult};
use cloud_core::identity::ACCOUNT_ID;
use cloud_core::log_names::{group_name_problem, stream_name_problem};
use serde::Deserialize;
use serde_json::{Value, json};
use std::ops::Range;

/// How many groups or streams one answer holds, and how many when nothing is said.
const DESCRIBE_LIMIT: usize = 50;

/// How many events one answer holds, and how many one request brings.
const EVENTS_LIMIT: usize = 10_000;

/// How many streams a FilterLogEvents names, and how long its pattern is.
const MAX_STREAM_NAMES: usize = 100;
const MAX_PATTERN: usize = 1024;

/// What a PutLogEvents takes: bytes of all messages and 26 more for each, and the time from the
/// first event to the last.
const MAX_BATCH_BYTES: usize = 1_048_576;
const EVENT_OVERHEAD: usize = 26;
const MAX_SPAN_MS: i64 = DAY_MS;

/// How far events may be from now.
const MAX_AGE_MS: i64 = 14 * DAY_MS;
const MAX_AHEAD_MS: i64 = 2 * 60 * 60 * 1000;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A group, as the operations that read name it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NamedGroup {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
}

impl NamedGroup {
    /// The group's name, in the region that is called.
    pub(super) fn name(&self, region: &str) -> AwsResult<&str> {
        match (&self.log_group_name, &self.log_group_identifier) {
            (Some(name), None) => {
                check_group(name)?;
                Ok(name)
            }
            (None, Some(identifier)) => {
                let name = identified(identifier, region)?;
                check_group(name)?;
                Ok(name)
            }
            _ => Err(invalid(
                "one of logGroupName and logGroupIdentifier must be given, and not both",
            )),
        }
    }
}

/// The name of a group, of a name or an ARN.
fn identified<'a>(identifier: &'a str, region: &str) -> AwsResult<&'a str> {
    if !identifier.starts_with("arn:") {
        return Ok(identifier);
    }
    let parts: Vec<_> = identifier.splitn(7, ':').collect();
    match parts.as_slice() {
        ["arn", _, "logs", of, ACCOUNT_ID, "log-group", name] if *of == region => {
            Ok(name.strip_suffix(":*").unwrap_or(name))
        }
        _ => Err(invalid(&format!(
            "logGroupIdentifier {identifier} is not the ARN of a log group of account \
             {ACCOUNT_ID} in {region}"
        ))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeGroups {
    pub log_group_name_prefix: Option<String>,
    pub log_group_name_pattern: Option<String>,
    pub next_token: Option<String>,
    limit: Option<i64>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    include_linked_accounts: Option<bool>,
    account_identifiers: Option<Vec<Value>>,
}

impl DescribeGroups {
    pub(super) fn check(&self) -> AwsResult<()> {
        check_token(self.next_token.as_deref())?;
        if let Some(prefix) = &self.log_group_name_prefix {
            check_name("logGroupNamePrefix", group_name_problem(prefix))?;
        }
        if let Some(pattern) = self
            .log_group_name_pattern
            .as_deref()
            .filter(|pattern| !pattern.is_empty())
        {
            check_name("logGroupNamePattern", group_name_problem(pattern))?;
        }
        if self.log_group_name_prefix.is_some() && self.log_group_name_pattern.is_some() {
            return Err(invalid(
                "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
            ));
        }
        if let Some(class) = &self.log_group_class {
            one_of(
                "logGroupClass",
                class,
                &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"],
            )?;
        }
        if let Some(identifiers) = &self.log_group_identifiers {
            within("logGroupIdentifiers", identifiers.len(), 1, DESCRIBE_LIMIT)?;
            let others = self.log_group_name_prefix.is_some()
                || self.log_group_name_pattern.is_some()
                || self.log_group_class.is_some();
            if others {
                return Err(invalid(
                    "with logGroupIdentifiers no other filter than includeLinkedAccounts can be \
                     given",
                ));
            }
        }
        if self.include_linked_accounts == Some(true) || self.account_identifiers.is_some() {
            return Err(invalid("the embedded cloud has no linked accounts"));
        }
        self.limit().map(drop)
    }

    pub(super) fn limit(&self) -> AwsResult<usize> {
        limit(self.limit, DESCRIBE_LIMIT)
    }

    /// Whether a group of this name is asked for. All are of class STANDARD.
    pub(super) fn wants(&self, name: &str) -> bool {
        let named = |identifiers: &Vec<String>| {
            let mut names = identifiers
                .iter()
                .map(|one| one.rsplit(":log-group:").next().unwrap_or(one));
            names.any(|one| one.strip_suffix(":*").unwrap_or(one) == name)
        };
        let standard = |class: &String| class == "STANDARD";
        self.log_group_class.as_ref().is_none_or(standard)
            && self.log_group_identifiers.as_ref().is_none_or(named)
            && self
                .log_group_name_prefix
                .as_ref()
                .is_none_or(|prefix| name.starts_with(prefix))
            && self
                .log_group_name_pattern
                .as_ref()
                .is_none_or(|pattern| name.contains(pattern))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeStreams {
    #[serde(flatten)]
    pub group: NamedGroup,
    pub log_stream_name_prefix: Option<String>,
    pub order_by: Option<String>,
    pub descending: Option<bool>,
    pub next_token: Option<String>,
    limit: Option<i64>,
}

impl DescribeStreams {
    pub(super) fn check(&self) -> AwsResult<()> {
        check_token(self.next_token.as_deref())?;
        if let Some(prefix) = &self.log_stream_name_prefix {
            check_name("logStreamNamePrefix", stream_name_problem(prefix))?;
        }
        if let Some(order) = &self.order_by {
            one_of("orderBy", order, &["LogStreamName", "LastEventTime"])?;
            if order == "LastEventTime" && self.log_stream_name_prefix.is_some() {
                return Err(invalid(
                    "Cannot order by LastEventTime with a logStreamNamePrefix.",
                ));
            }
        }
        self.limit().map(drop)
    }

    pub(super) fn limit(&self) -> AwsResult<usize> {
        limit(self.limit, DESCRIBE_LIMIT)
    }
}

/// The time that events are asked of, in milliseconds since the Unix epoch.
#[derive(Deserialize)]
pub(super) struct Span {
    #[serde(rename = "startTime")]
    pub start: Option<i64>,
    #[serde(rename = "endTime")]
    pub end: Option<i64>,
}

impl Span {
    fn check(&self) -> AwsResult<()> {
        for (name, time) in [("startTime", self.start), ("endTime", self.end)] {
            if let Some(time) = time.filter(|time| *time < 0) {
                return Err(out_of_bounds(
                    name,
                    &time,
                    "Member must have value greater than or equal to 0",
                ));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetEvents {
    #[serde(flatten)]
    pub group: NamedGroup,
    pub log_stream_name: String,
    #[serde(flatten)]
    pub span: Span,
    pub next_token: Option<String>,
    limit: Option<i64>,
    pub start_from_head: Option<bool>,
}

impl GetEvents {
    pub(super) fn check(&self) -> AwsResult<()> {
        check_token(self.next_token.as_deref())?;
        check_name("logStreamName", stream_name_problem(&self.log_stream_name))?;
        self.span.check()?;
        self.limit().map(drop)
    }

    pub(super) fn limit(&self) -> AwsResult<usize> {
        limit(self.limit, EVENTS_LIMIT)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterEvents {
    #[serde(flatten)]
    pub group: NamedGroup,
    pub log_stream_names: Option<Vec<String>>,
    pub log_stream_name_prefix: Option<String>,
    #[serde(flatten)]
    pub span: Span,
    pub filter_pattern: Option<String>,
    pub next_token: Option<String>,
    limit: Option<i64>,
}

impl FilterEvents {
    pub(super) fn check(&self) -> AwsResult<()> {
        check_token(self.next_token.as_deref())?;
        if let Some(names) = &self.log_stream_names {
            within("logStreamNames", names.len(), 1, MAX_STREAM_NAMES)?;
            for name in names {
                check_name("logStreamNames", stream_name_problem(name))?;
            }
        }
        if let Some(prefix) = &self.log_stream_name_prefix {
            check_name("logStreamNamePrefix", stream_name_problem(prefix))?;
            if self.log_stream_names.is_some() {
                return Err(invalid(
                    "logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
                ));
            }
        }
        let pattern = self.filter_pattern.as_deref().unwrap_or_default();
        within("filterPattern", pattern.chars().count(), 0, MAX_PATTERN)?;
        self.span.check()?;
        self.limit().map(drop)
    }

    pub(super) fn limit(&self) -> AwsResult<usize> {
        limit(self.limit, EVENTS_LIMIT)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewStream {
    pub log_group_name: String,
    pub log_stream_name: String,
}

impl NewStream {
    pub(super) fn check(&self) -> AwsResult<()> {
        check_group(&self.log_group_name)?;
        check_name("logStreamName", stream_name_problem(&self.log_stream_name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutEvents {
    pub log_group_name: String,
    pub log_stream_name: String,
    pub log_events: Vec<InputEvent>,
}

#[derive(Deserialize)]
pub(super) struct InputEvent {
    pub timestamp: i64,
    pub message: String,
}

/// What of a batch is stored.
#[derive(Debug)]
pub(super) struct Accepted {
    /// Of the events, in their order.
    pub events: Range<usize>,
    /// What is said of the others, with the field names of the API.
    pub rejected: Option<Value>,
}

impl PutEvents {
    pub(super) fn check(&self) -> AwsResult<()> {
        check_group(&self.log_group_name)?;
        check_name("logStreamName", stream_name_problem(&self.log_stream_name))?;
        within("logEvents", self.log_events.len(), 1, EVENTS_LIMIT)?;
        for event in &self.log_events {
            if event.timestamp < 0 {
                return Err(out_of_bounds(
                    "logEvents.timestamp",
                    &event.timestamp,
                    "Member must have value greater than or equal to 0",
                ));
            }
            if event.message.is_empty() {
                return Err(out_of_bounds(
                    "logEvents.message",
                    &"",
                    "Member must have length greater than or equal to 1",
                ));
            }
        }
        if !self.log_events.is_sorted_by_key(|event| event.timestamp) {
            return Err(invalid(
                "Log events in a single PutLogEvents request must be in chronological order.",
            ));
        }
        let sizes = self
            .log_events
            .iter()
            .map(|event| event.message.len() + EVENT_OVERHEAD);
        let size: usize = sizes.sum();
        if size > MAX_BATCH_BYTES {
            return Err(invalid(&format!(
                "Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}"
            )));
        }
        Ok(())
    }

    /// Which events are accepted at `now` by a group that keeps nothing from before `horizon`, both
    /// in milliseconds since the Unix epoch. An index that is named as an end is exclusive (API
    /// reference, `RejectedLogEventsInfo`).
    pub(super) fn accepted(&self, now: i64, horizon: i64) -> AwsResult<Accepted> {
        let before = |time: i64| {
            self.log_events
                .partition_point(|event| event.timestamp < time)
        };
        let too_old = before(now - MAX_AGE_MS);
        let expired = before(horizon);
        let too_new = before(now + MAX_AHEAD_MS + 1);
        let mut rejected = json!({});
        if too_old > 0 {
            rejected["tooOldLogEventEndIndex"] = too_old.into();
        }
        if expired > 0 {
            rejected["expiredLogEventEndIndex"] = expired.into();
        }
        if too_new < self.log_events.len() {
            rejected["tooNewLogEventStartIndex"] = too_new.into();
        }
        let start = too_old.max(expired).min(too_new);
        let taken = &self.log_events[start..too_new];
        if let (Some(first), Some(last)) = (taken.first(), taken.last())
            && last.timestamp - first.timestamp > MAX_SPAN_MS
        {
            return Err(invalid(
                "The batch of log events in a single PutLogEvents request cannot span more than \
                 24 hours.",
            ));
        }
        let any = rejected
            .as_object()
            .is_some_and(|fields| !fields.is_empty());
        Ok(Accepted {
            events: start..too_new,
            rejected: any.then_some(rejected),
        })
    }
}

/// Refuses a parameter.
pub(super) fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}

fn out_of_bounds(name: &str, value: &dyn std::fmt::Display, constraint: &str) -> AwsError {
    invalid(&format!(
        "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: \
         {constraint}"
    ))
}

fn limit(wanted: Option<i64>, most: usize) -> AwsResult<usize> {
    let Some(wanted) = wanted else {
        return Ok(most);
    };
    match usize::try_from(wanted) {
        Ok(limit) if limit >= 1 && limit <= most => Ok(limit),
        Ok(limit) if limit > most => Err(out_of_bounds(
            "limit",
            &wanted,
            &format!("Member must have value less than or equal to {most}"),
        )),
        _ => Err(out_of_bounds(
            "limit",
            &wanted,
            "Member must have value greater than or equal to 1",
        )),
    }
}

fn within(name: &str, length: usize, least: usize, most: usize) -> AwsResult<()> {
    match (least..=most).contains(&length) {
        true => Ok(()),
        false => Err(out_of_bounds(
            name,
            &format!("of length {length}"),
            &format!("Member must have length between {least} and {most}"),
        )),
    }
}

fn one_of(name: &str, value: &str, allowed: &[&str]) -> AwsResult<()> {
    match allowed.contains(&value) {
        true => Ok(()),
        false => Err(out_of_bounds(
            name,
            &value,
            &format!("Member must satisfy enum value set: {allowed:?}"),
        )),
    }
}

fn check_group(name: &str) -> AwsResult<()> {
    check_name("logGroupName", group_name_problem(name))
}

fn check_name(parameter: &str, problem: Option<&str>) -> AwsResult<()> {
    match problem {
        None => Ok(()),
        Some(problem) => Err(invalid(&format!("{parameter} {problem}"))),
    }
}

fn check_token(token: Option<&str>) -> AwsResult<()> {
    match token {
        Some("") => Err(out_of_bounds(
            "nextToken",
            &"",
            "Member must have length greater than or equal to 1",
        )),
        _ => Ok(()),
    }
}
