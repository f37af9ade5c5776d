//! CloudWatch Logs' JSON protocol, version `Logs_20140328`: what `aws logs` and an agent need.

use super::{Group, View, group_arn, no_group, stream_arn};
use crate::cloud::Cloud;
use crate::error::{AwsError, AwsResult};
use crate::services::iam::{Call, Caller};
use crate::services::json_protocol::{self, parse, unknown_operation};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;

/// How many groups or streams one answer holds, and how many when nothing is said
/// (API reference, `DescribeLogGroups`).
const DESCRIBE_LIMIT: usize = 50;

/// How many events one answer holds (API reference, `FilterLogEvents`).
const EVENTS_LIMIT: usize = 10_000;

/// The operations that read whole streams.
const READS: &[&str] = &["DescribeLogStreams", "GetLogEvents", "FilterLogEvents"];

impl Cloud {
    /// As [`Self::logs_call`], without holding up the thread that asks.
    pub async fn logs_request(
        self: &Arc<Self>,
        caller: &Caller,
        action: &str,
        body: Bytes,
    ) -> AwsResult<Bytes> {
        if !READS.contains(&action) {
            return self.logs_call(caller, action, &body);
        }
        let (done, answered) = oneshot::channel();
        // Weak, because what is waiting to be read must not hold a cloud that is reset.
        let cloud = Arc::downgrade(self);
        let (caller, action) = (caller.clone(), action.to_owned());
        self.logs.reader.run(move || {
            // A caller that went away needs nothing read.
            if let Some(cloud) = cloud.upgrade()
                && !done.is_closed()
            {
                let _ = done.send(cloud.logs_call(&caller, &action, &body));
            }
        });
        answered.await.map_err(AwsError::internal)?
    }

    /// One request of CloudWatch Logs' JSON protocol: `action` is the part of `X-Amz-Target`
    /// behind the dot. Gives the body of the 200 answer.
    pub fn logs_call(&self, caller: &Caller, action: &str, body: &[u8]) -> AwsResult<Bytes> {
        let answer = match action {
            "DescribeLogGroups" => self.describe_log_groups(caller, parse(body)?)?,
            "DescribeLogStreams" => self.describe_log_streams(caller, parse(body)?)?,
            "GetLogEvents" => self.get_log_events(caller, parse(body)?)?,
            "FilterLogEvents" => self.filter_log_events(caller, parse(body)?)?,
            "PutLogEvents" => self.put_log_events(caller, parse(body)?)?,
            "CreateLogStream" => self.create_log_stream(caller, parse(body)?)?,
            _ => return Err(unknown_operation("CloudWatch Logs", action)),
        };
        json_protocol::answer(&answer)
    }

    fn describe_log_groups(&self, caller: &Caller, input: DescribeGroups) -> AwsResult<Value> {
        self.may(caller, "DescribeLogGroups", "", "")?;
        let groups: Vec<_> = self.logs.groups().values().map(Group::view).collect();
        let mut found: Vec<_> = groups
            .iter()
            .filter(|group| {
                let name = &group.settings.name;
                starts(name, input.log_group_name_prefix.as_deref())
                    && input
                        .log_group_name_pattern
                        .as_ref()
                        .is_none_or(|pattern| name.contains(pattern))
            })
            .map(|group| (group.settings.name.clone(), describe_group(group)))
            .collect();
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let (found, next) = page(found, input.limit, input.next_token.as_deref())?;
        Ok(with_token(json!({ "logGroups": found }), next))
    }

    fn describe_log_streams(&self, caller: &Caller, input: DescribeStreams) -> AwsResult<Value> {
        let name = input
            .log_group_name
            .or(input.log_group_identifier)
            .ok_or_else(|| invalid("logGroupName must be given"))?;
        self.may(caller, "DescribeLogStreams", group_name(&name), "")?;
        self.with_group(&name, |group| {
            let region = &group.settings.region;
            let mut streams = Vec::new();
            for stream in group.streams.values() {
                if !starts(stream.name(), input.log_stream_name_prefix.as_deref()) {
                    continue;
                }
                let events = stream.events().map_err(unreadable)?;
                let mut description = json!({
                    "logStreamName": stream.name(),
                    "creationTime": stream.created(),
                    "arn": stream_arn(region, &group.settings.name, stream.name()),
                    "storedBytes": 0,
                });
                if let (Some(first), Some(last)) = (events.first(), events.last()) {
                    description["firstEventTimestamp"] = first.timestamp.into();
                    description["lastEventTimestamp"] = last.timestamp.into();
                    description["lastIngestionTime"] = last.ingested.into();
                }
                let last = events.last().map(|event| event.timestamp);
                streams.push((stream.name().to_owned(), last, description));
            }
            match input.order_by.as_deref() {
                None | Some("LogStreamName") => streams.sort_by(|one, other| one.0.cmp(&other.0)),
                Some("LastEventTime") => streams.sort_by_key(|stream| stream.1),
                Some(_) => return Err(invalid("orderBy must be LogStreamName or LastEventTime")),
            }
            if input.descending.unwrap_or(false) {
                streams.reverse();
            }
            let streams = streams
                .into_iter()
                .map(|(name, _, description)| (name, description))
                .collect();
            let (streams, next) = page(streams, input.limit, input.next_token.as_deref())?;
            Ok(with_token(json!({ "logStreams": streams }), next))
        })
    }

    fn get_log_events(&self, caller: &Caller, input: GetEvents) -> AwsResult<Value> {
        let name = input
            .log_group_name
            .or(input.log_group_identifier)
            .ok_or_else(|| invalid("logGroupName must be given"))?;
        let stream = &input.log_stream_name;
        self.may(caller, "GetLogEvents", group_name(&name), stream)?;
        let now = self.clock.unix_millis();
        self.with_group(&name, |group| {
            let events = group
                .streams
                .get(stream)
                .ok_or_else(no_stream)?
                .events()
                .map_err(unreadable)?;
            let range = Range::new(group, now, input.start_time, input.end_time);
            let mut events = events;
            events.retain(|event| range.holds(event.timestamp));
            let limit = limit(input.limit, EVENTS_LIMIT)?;
            // A token is a direction and how many events stand before the next page.
            let total = events.len();
            let (start, end) = match input.next_token.as_deref().map(position).transpose()? {
                Some((true, from)) => (from.min(total), from.saturating_add(limit).min(total)),
                Some((false, to)) => (to.min(total).saturating_sub(limit), to.min(total)),
                None if input.start_from_head.unwrap_or(false) => (0, limit.min(total)),
                None => (total.saturating_sub(limit), total),
            };
            let found: Vec<_> = events[start..end]
                .iter()
                .map(|event| {
                    json!({
                        "timestamp": event.timestamp,
                        "message": event.message,
                        "ingestionTime": event.ingested,
                    })
                })
                .collect();
            Ok(json!({
                "events": found,
                "nextForwardToken": format!("f/{end}"),
                "nextBackwardToken": format!("b/{start}"),
            }))
        })
    }

    fn filter_log_events(&self, caller: &Caller, input: FilterEvents) -> AwsResult<Value> {
        let name = input
            .log_group_name
            .or(input.log_group_identifier)
            .ok_or_else(|| invalid("logGroupName must be given"))?;
        self.may(caller, "FilterLogEvents", group_name(&name), "")?;
        let terms = terms(input.filter_pattern.as_deref().unwrap_or_default())?;
        let now = self.clock.unix_millis();
        self.with_group(&name, |group| {
            let range = Range::new(group, now, input.start_time, input.end_time);
            let mut found = Vec::new();
            for stream in group.streams.values() {
                let wanted = input
                    .log_stream_names
                    .as_ref()
                    .is_none_or(|names| names.iter().any(|name| name == stream.name()));
                if !wanted || !starts(stream.name(), input.log_stream_name_prefix.as_deref()) {
                    continue;
                }
                for (index, event) in stream.events().map_err(unreadable)?.iter().enumerate() {
                    let matches = terms.iter().all(|term| event.message.contains(term));
                    if range.holds(event.timestamp) && matches {
                        let id = format!("{:020}-{}-{index}", event.timestamp, stream.name());
                        found.push((
                            (event.timestamp, event.ingested, id.clone()),
                            json!({
                                "logStreamName": stream.name(),
                                "timestamp": event.timestamp,
                                "message": event.message,
                                "ingestionTime": event.ingested,
                                "eventId": id,
                            }),
                        ));
                    }
                }
            }
            found.sort_by(|one, other| one.0.cmp(&other.0));
            let start = match input.next_token.as_deref().map(position).transpose()? {
                Some((_, start)) => start.min(found.len()),
                None => 0,
            };
            let end = start
                .saturating_add(limit(input.limit, EVENTS_LIMIT)?)
                .min(found.len());
            let next = (end < found.len()).then(|| format!("f/{end}"));
            let events: Vec<_> = found.drain(start..end).map(|(_, event)| event).collect();
            Ok(with_token(
                json!({ "events": events, "searchedLogStreams": [] }),
                next,
            ))
        })
    }

    fn create_log_stream(&self, caller: &Caller, input: NewStream) -> AwsResult<Value> {
        let (group, stream) = (&input.log_group_name, &input.log_stream_name);
        check_stream_name(stream)?;
        self.may(caller, "CreateLogStream", group, stream)?;
        let region = self.with_group(group, |group| Ok(group.settings.region.clone()))?;
        if self.logs.has_stream(&region, group, stream) {
            return Err(AwsError::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        self.logs.deploy_stream(&region, group, stream)?;
        Ok(json!({}))
    }

    fn put_log_events(&self, caller: &Caller, input: PutEvents) -> AwsResult<Value> {
        let (group, stream) = (&input.log_group_name, &input.log_stream_name);
        self.may(caller, "PutLogEvents", group, stream)?;
        let times: Vec<_> = input
            .log_events
            .iter()
            .map(|event| event.timestamp)
            .collect();
        if times.is_empty() || times.len() > EVENTS_LIMIT {
            return Err(invalid("logEvents must hold 1 to 10,000 events"));
        }
        if !times.is_sorted() {
            return Err(invalid(
                "Log events in a single PutLogEvents request must be in chronological order.",
            ));
        }
        let now = self.clock.unix_millis();
        let group = self.logs.group_named(group).ok_or_else(no_group)?;
        if !group.streams().contains_key(stream) {
            return Err(no_stream());
        }
        let events = input
            .log_events
            .iter()
            .map(|event| (event.timestamp, event.message.as_str()));
        let appended = self.logs.append(&group, stream, now, events);
        appended.map_err(unreadable)?;
        Ok(json!({ "nextSequenceToken": "0" }))
    }

    fn with_group<T>(&self, name: &str, read: impl FnOnce(&View) -> AwsResult<T>) -> AwsResult<T> {
        let group = self.logs.group_named(group_name(name));
        read(&group.ok_or_else(no_group)?.view())
    }

    fn may(&self, caller: &Caller, action: &str, group: &str, stream: &str) -> AwsResult<()> {
        let region = self
            .with_group(group, |group| Ok(group.settings.region.clone()))
            .unwrap_or_else(|_| crate::identity::DEFAULT_REGION.into());
        self.iam
            .authorize(&Call {
                caller,
                action: &format!("logs:{action}"),
                resource: &stream_arn(&region, group, stream),
                context: &[],
                resource_policy: None,
            })
            .map_err(|error| AwsError::new(400, "AccessDeniedException", error.message))
    }
}

/// The time that events are wanted of.
struct Range {
    start: i64,
    end: i64,
}

impl Range {
    fn new(group: &View, now: i64, start: Option<i64>, end: Option<i64>) -> Self {
        Self {
            start: group.horizon(now).max(start.unwrap_or(i64::MIN)),
            end: end.unwrap_or(i64::MAX),
        }
    }

    /// The start belongs to it, the end does not.
    fn holds(&self, timestamp: i64) -> bool {
        timestamp >= self.start && timestamp < self.end
    }
}

fn describe_group(group: &View) -> Value {
    let settings = &group.settings;
    let arn = group_arn(&settings.region, &settings.name);
    let mut description = json!({
        "logGroupName": settings.name,
        "creationTime": settings.created,
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "storedBytes": group.streams.values().map(|stream| stream.size()).sum::<u64>(),
    });
    if let Some(days) = settings.retention_days {
        description["retentionInDays"] = days.into();
    }
    description
}

/// A group's name, of a name or an ARN.
fn group_name(name_or_arn: &str) -> &str {
    match name_or_arn.split_once(":log-group:") {
        Some((_, name)) => name.strip_suffix(":*").unwrap_or(name),
        None => name_or_arn,
    }
}

/// The terms of a filter pattern, all of which an event must hold.
fn terms(pattern: &str) -> AwsResult<Vec<String>> {
    let pattern = pattern.trim();
    if pattern.starts_with(['{', '[', '%'])
        || pattern.contains(['?', '-']) && !pattern.starts_with('"')
    {
        return Err(invalid(
            "of filter patterns the embedded cloud knows terms that must all be there, such as \
             ERROR \"timed out\"",
        ));
    }
    let mut terms = Vec::new();
    for (index, part) in pattern.split('"').enumerate() {
        match index % 2 {
            0 => terms.extend(part.split_whitespace().map(str::to_owned)),
            _ => terms.push(part.to_owned()),
        }
    }
    Ok(terms)
}

fn starts(name: &str, prefix: Option<&str>) -> bool {
    prefix.is_none_or(|prefix| name.starts_with(prefix))
}

fn limit(wanted: Option<usize>, most: usize) -> AwsResult<usize> {
    match wanted {
        None => Ok(most),
        Some(wanted) if (1..=most).contains(&wanted) => Ok(wanted),
        Some(_) => Err(invalid(&format!("limit must be between 1 and {most}"))),
    }
}

/// A page of named things behind the name that the token holds.
fn page(
    things: Vec<(String, Value)>,
    wanted: Option<usize>,
    token: Option<&str>,
) -> AwsResult<(Vec<Value>, Option<String>)> {
    let limit = limit(wanted, DESCRIBE_LIMIT)?;
    let start = match token {
        Some(token) => things
            .iter()
            .position(|(name, _)| name == token)
            .map_or(things.len(), |position| position + 1),
        None => 0,
    };
    let more = things.len() > start.saturating_add(limit);
    let page: Vec<_> = things.into_iter().skip(start).take(limit).collect();
    let next = page.last().filter(|_| more).map(|(name, _)| name.clone());
    Ok((page.into_iter().map(|(_, thing)| thing).collect(), next))
}

/// Direction (forward or not) and position of a token.
fn position(token: &str) -> AwsResult<(bool, usize)> {
    let (direction, position) = token
        .split_once('/')
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let position = position
        .parse()
        .map_err(|_| invalid("The specified nextToken is invalid."))?;
    Ok((direction == "f", position))
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    answer
}

fn check_stream_name(name: &str) -> AwsResult<()> {
    match super::stream_name_problem(name) {
        None => Ok(()),
        Some(problem) => Err(invalid(&format!("logStreamName {problem}"))),
    }
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}

fn no_stream() -> AwsError {
    AwsError::new(
        400,
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

fn unreadable(error: anyhow::Error) -> AwsError {
    AwsError::internal(format!("{error:#}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeGroups {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeStreams {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: String,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<usize>,
    start_from_head: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FilterEvents {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewStream {
    log_group_name: String,
    log_stream_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutEvents {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<InputEvent>,
}

#[derive(Deserialize)]
struct InputEvent {
    timestamp: i64,
    message: String,
}
