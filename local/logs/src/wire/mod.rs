//! CloudWatch Logs' JSON protocol, version `Logs_20140328`: what `aws logs` and an agent need.

mod input;
mod pages;

use crate::{Group, Logs, View, group_arn, no_group, stream_arn};
use bytes::Bytes;
use cloud_core::error::{AwsError, AwsResult};
use cloud_core::json_protocol::{self, parse, unknown_operation};
use cloud_iam::{Call, Caller};
use input::{
    DescribeGroups, DescribeStreams, FilterEvents, GetEvents, NewStream, PutEvents, invalid,
};
use pages::{Direction, Key, Pages};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;

/// The operations that read whole streams.
const READS: &[&str] = &["DescribeLogStreams", "GetLogEvents", "FilterLogEvents"];

impl Logs {
    /// As [`Self::call`], without holding up the thread that asks.
    pub async fn request(
        self: &Arc<Self>,
        caller: &Caller,
        region: &str,
        action: &str,
        body: Bytes,
    ) -> AwsResult<Bytes> {
        if !READS.contains(&action) {
            return self.call(caller, region, action, &body);
        }
        let (done, answered) = oneshot::channel();
        // Weak, because what is waiting to be read must not hold a cloud that is reset.
        let logs = Arc::downgrade(self);
        let (caller, region, action) = (caller.clone(), region.to_owned(), action.to_owned());
        self.reader.run(move || {
            // A caller that went away needs nothing read.
            if let Some(logs) = logs.upgrade()
                && !done.is_closed()
            {
                let _ = done.send(logs.call(&caller, &region, &action, &body));
            }
        });
        answered.await.map_err(AwsError::internal)?
    }

    /// One request of CloudWatch Logs' JSON protocol: `action` is the part of `X-Amz-Target`
    /// after the dot, `region` the one that is called. Gives the body of the 200 answer.
    pub fn call(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        body: &[u8],
    ) -> AwsResult<Bytes> {
        let answer = match action {
            "DescribeLogGroups" => self.describe_log_groups(caller, region, parse(body)?)?,
            "DescribeLogStreams" => self.describe_log_streams(caller, region, parse(body)?)?,
            "GetLogEvents" => self.get_log_events(caller, region, parse(body)?)?,
            "FilterLogEvents" => self.filter_log_events(caller, region, parse(body)?)?,
            "PutLogEvents" => self.put_log_events(caller, region, parse(body)?)?,
            "CreateLogStream" => self.create_log_stream(caller, region, parse(body)?)?,
            _ => return Err(unknown_operation("CloudWatch Logs", action)),
        };
        json_protocol::answer(&answer)
    }

    fn describe_log_groups(
        &self,
        caller: &Caller,
        region: &str,
        input: DescribeGroups,
    ) -> AwsResult<Value> {
        input.check()?;
        self.may(caller, region, "DescribeLogGroups", "", "")?;
        let brief = input.log_group_name_pattern.is_some();
        let groups: Vec<_> = self.groups().values().map(Group::view).collect();
        let found = groups
            .iter()
            .filter(|group| group.settings.region == region && input.wants(&group.settings.name))
            .map(|group| {
                let key = Key::of(&group.settings.name);
                (key, describe_group(group, brief))
            })
            .collect();
        let pages = Pages::new(&["DescribeLogGroups", region]);
        let (found, next) =
            pages.page(found, false, input.limit()?, input.next_token.as_deref())?;
        Ok(with_token(json!({ "logGroups": found }), next))
    }

    fn describe_log_streams(
        &self,
        caller: &Caller,
        region: &str,
        input: DescribeStreams,
    ) -> AwsResult<Value> {
        input.check()?;
        let name = input.group.name(region)?;
        self.may(caller, region, "DescribeLogStreams", name, "")?;
        let by_time = input.order_by.as_deref() == Some("LastEventTime");
        self.with_group(region, name, |group| {
            let mut streams = Vec::new();
            for stream in group.streams.values() {
                if !starts(stream.name(), input.log_stream_name_prefix.as_deref()) {
                    continue;
                }
                let events = stream.events().map_err(unreadable)?;
                let mut description = json!({
                    "logStreamName": stream.name(),
                    "creationTime": stream.created(),
                    "arn": stream_arn(region, name, stream.name()),
                    "storedBytes": 0,
                });
                if let (Some(first), Some(last)) = (events.first(), events.last()) {
                    description["firstEventTimestamp"] = first.timestamp.into();
                    description["lastEventTimestamp"] = last.timestamp.into();
                    description["lastIngestionTime"] = last.ingested.into();
                }
                let time = events.last().map(|event| event.timestamp);
                let key = Key::of(stream.name()).at(time.filter(|_| by_time));
                streams.push((key, description));
            }
            let order = if by_time { "time" } else { "name" };
            let pages = Pages::new(&["DescribeLogStreams", region, name, order]);
            let descending = input.descending.unwrap_or(false);
            let token = input.next_token.as_deref();
            let (streams, next) = pages.page(streams, descending, input.limit()?, token)?;
            Ok(with_token(json!({ "logStreams": streams }), next))
        })
    }

    fn get_log_events(&self, caller: &Caller, region: &str, input: GetEvents) -> AwsResult<Value> {
        input.check()?;
        let name = input.group.name(region)?;
        let stream = &input.log_stream_name;
        self.may(caller, region, "GetLogEvents", name, stream)?;
        let now = self.context.clock.unix_millis();
        self.with_group(region, name, |group| {
            let mut events = group
                .streams
                .get(stream)
                .ok_or_else(no_stream)?
                .events()
                .map_err(unreadable)?;
            // The end does not belong to the span (API reference).
            let end = input.span.end.unwrap_or(i64::MAX);
            let horizon = group.horizon(now);
            events.retain(|event| {
                event.timestamp >= horizon
                    && event.timestamp >= input.span.start.unwrap_or(i64::MIN)
                    && event.timestamp < end
            });
            let limit = input.limit()?;
            let total = events.len();
            let pages = Pages::new(&["GetLogEvents", region, name, stream]);
            // A token is a direction and how many events come before the next page.
            let token = input.next_token.as_deref();
            let (start, end) = match token.map(|token| pages.position(token)).transpose()? {
                Some((Direction::Forward, from)) => {
                    (from.min(total), from.saturating_add(limit).min(total))
                }
                Some((Direction::Backward, to)) => {
                    (to.min(total).saturating_sub(limit), to.min(total))
                }
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
                "nextForwardToken": pages.token(Direction::Forward, end),
                "nextBackwardToken": pages.token(Direction::Backward, start),
            }))
        })
    }

    fn filter_log_events(
        &self,
        caller: &Caller,
        region: &str,
        input: FilterEvents,
    ) -> AwsResult<Value> {
        input.check()?;
        let name = input.group.name(region)?;
        self.may(caller, region, "FilterLogEvents", name, "")?;
        let terms = terms(input.filter_pattern.as_deref().unwrap_or_default())?;
        let now = self.context.clock.unix_millis();
        self.with_group(region, name, |group| {
            let start = group.horizon(now).max(input.span.start.unwrap_or(i64::MIN));
            // The API reference has the end belong to the span; it was seen not to, as with
            // GetLogEvents (aws-cli issue 4262).
            let end = input.span.end.unwrap_or(i64::MAX);
            let mut names = input.log_stream_names.iter().flatten();
            if names.any(|name| !group.streams.contains_key(name)) {
                // Seen: percona/rds_exporter issue 81.
                return Err(no_stream());
            }
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
                    if (start..end).contains(&event.timestamp) && matches {
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
            let pages = Pages::new(&["FilterLogEvents", region, name]);
            let token = input.next_token.as_deref();
            let start = match token.map(|token| pages.position(token)).transpose()? {
                Some((_, start)) => start.min(found.len()),
                None => 0,
            };
            let end = start.saturating_add(input.limit()?).min(found.len());
            let next = (end < found.len()).then(|| pages.token(Direction::Forward, end));
            let events: Vec<_> = found.drain(start..end).map(|(_, event)| event).collect();
            Ok(with_token(
                json!({ "events": events, "searchedLogStreams": [] }),
                next,
            ))
        })
    }

    fn create_log_stream(
        &self,
        caller: &Caller,
        region: &str,
        input: NewStream,
    ) -> AwsResult<Value> {
        input.check()?;
        let (group, stream) = (&input.log_group_name, &input.log_stream_name);
        self.may(caller, region, "CreateLogStream", group, stream)?;
        self.with_group(region, group, |_| Ok(()))?;
        if self.has_stream(region, group, stream) {
            return Err(AwsError::new(
                400,
                "ResourceAlreadyExistsException",
                "The specified log stream already exists",
            ));
        }
        self.deploy_stream(region, group, stream)?;
        Ok(json!({}))
    }

    fn put_log_events(&self, caller: &Caller, region: &str, input: PutEvents) -> AwsResult<Value> {
        input.check()?;
        let (group, stream) = (&input.log_group_name, &input.log_stream_name);
        self.may(caller, region, "PutLogEvents", group, stream)?;
        let now = self.context.clock.unix_millis();
        let group = self.live(region, group).ok_or_else(no_group)?;
        if !group.streams().contains_key(stream) {
            return Err(no_stream());
        }
        let accepted = input.accepted(now, group.view().horizon(now))?;
        let events = input.log_events[accepted.events]
            .iter()
            .map(|event| (event.timestamp, event.message.as_str()));
        let appended = self.append(&group, stream, now, events);
        appended.map_err(unreadable)?;
        let mut answer = json!({ "nextSequenceToken": "0" });
        if let Some(rejected) = accepted.rejected {
            answer["rejectedLogEventsInfo"] = rejected;
        }
        Ok(answer)
    }

    fn with_group<T>(
        &self,
        region: &str,
        name: &str,
        read: impl FnOnce(&View) -> AwsResult<T>,
    ) -> AwsResult<T> {
        let group = self.live(region, name).ok_or_else(no_group)?;
        read(&group.view())
    }

    fn may(
        &self,
        caller: &Caller,
        region: &str,
        action: &str,
        group: &str,
        stream: &str,
    ) -> AwsResult<()> {
        self.iam
            .authorize(&Call {
                caller,
                action: &format!("logs:{action}"),
                resource: &stream_arn(region, group, stream),
                context: &[],
                resource_policy: None,
            })
            .map_err(|error| AwsError::new(400, "AccessDeniedException", error.message))
    }
}

/// What is said of a group. To a request with a pattern little is said (API reference,
/// `DescribeLogGroups`: "only arn, creationTime, and logGroupName").
fn describe_group(group: &View, brief: bool) -> Value {
    let settings = &group.settings;
    let arn = group_arn(&settings.region, &settings.name);
    let mut description = json!({
        "logGroupName": settings.name,
        "creationTime": settings.created,
        "arn": format!("{arn}:*"),
    });
    if brief {
        return description;
    }
    let stored = group.streams.values().map(|stream| stream.size());
    description["metricFilterCount"] = 0.into();
    description["logGroupArn"] = arn.into();
    description["logGroupClass"] = "STANDARD".into();
    description["storedBytes"] = stored.sum::<u64>().into();
    if let Some(days) = settings.retention_days {
        description["retentionInDays"] = days.into();
    }
    description
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

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = next.into();
    }
    answer
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
