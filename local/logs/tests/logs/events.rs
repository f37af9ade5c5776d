//! Groups and events: what they may be, and how they are read.

use crate::support::{LOG_GROUP, World};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

#[tokio::test]
async fn events_are_read_page_by_page() -> Result<()> {
    let world = World::start().await?;
    let group = world
        .deploy(LOG_GROUP, "g", json!({ "name": "g", "retentionInDays": 7 }))
        .await?;
    let stream = json!({ "logGroupName": "g", "logStreamName": "s" });
    world.logs_call("CreateLogStream", stream.clone())?;
    let now = world.clock().unix_millis();
    let events: Vec<_> = (0..10)
        .map(|number| json!({ "timestamp": now + number, "message": format!("line {number}") }))
        .collect();
    let mut input = stream.clone();
    input["logEvents"] = events.into();
    world.logs_call("PutLogEvents", input.clone())?;
    input["logEvents"] = json!([{ "timestamp": now - 8 * 24 * 3_600_000, "message": "too old" }]);
    world.logs_call("PutLogEvents", input)?;

    let messages = |answer: &Value| -> Vec<String> {
        let events = answer["events"].as_array().into_iter().flatten();
        events
            .filter_map(|event| event["message"].as_str().map(str::to_owned))
            .collect()
    };
    let mut seen = Vec::new();
    let mut input = json!({ "logGroupName": "g", "limit": 4 });
    loop {
        let answer = world.logs_call("FilterLogEvents", input.clone())?;
        seen.extend(messages(&answer));
        match answer["nextToken"].as_str() {
            Some(token) => input["nextToken"] = token.into(),
            None => break,
        }
    }
    let all: Vec<_> = (0..10).map(|number| format!("line {number}")).collect();
    ensure!(seen == all, "{seen:?}");

    let pattern = json!({ "logGroupName": "g", "filterPattern": "line \" 7\"" });
    ensure!(messages(&world.logs_call("FilterLogEvents", pattern)?) == ["line 7"]);
    let mut latest = stream.clone();
    latest["limit"] = 2.into();
    let answer = world.logs_call("GetLogEvents", latest.clone())?;
    ensure!(messages(&answer) == ["line 8", "line 9"]);
    latest["nextToken"] = answer["nextBackwardToken"].clone();
    ensure!(messages(&world.logs_call("GetLogEvents", latest.clone())?) == ["line 6", "line 7"]);
    latest["nextToken"] = answer["nextForwardToken"].clone();
    ensure!(messages(&world.logs_call("GetLogEvents", latest)?).is_empty());

    let groups = world.logs_call("DescribeLogGroups", json!({ "logGroupNamePrefix": "g" }))?;
    ensure!(groups["logGroups"][0]["retentionInDays"] == 7, "{groups}");
    world.delete(&group).await?;
    ensure!(world.log("g").is_err());
    Ok(())
}

#[tokio::test]
async fn what_the_pages_of_the_api_exclude_is_refused() -> Result<()> {
    let world = World::start().await?;
    world.deploy(LOG_GROUP, "g", json!({ "name": "g" })).await?;
    for stream in ["a", "b", "c"] {
        let stream = json!({ "logGroupName": "g", "logStreamName": stream });
        world.logs_call("CreateLogStream", stream)?;
    }
    let now = world.clock().unix_millis();
    let event = |time: i64, message: &str| json!({ "timestamp": time, "message": message });
    let day = 24 * 3_600_000;
    let long = "x".repeat(1_048_576);
    let put =
        |events: Value| json!({ "logGroupName": "g", "logStreamName": "a", "logEvents": events });
    let of_group = |name: &str, value: Value| json!({ "logGroupName": "g", name: value });
    let with = |mut input: Value, name: &str, value: Value| {
        input[name] = value;
        input
    };
    let stream = of_group("logStreamName", json!("a"));
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g";
    let abroad = "arn:aws:logs:eu-west-1:000000000000:log-group:g";
    let filter = "FilterLogEvents";
    let (groups, streams) = ("DescribeLogGroups", "DescribeLogStreams");
    let cases = [
        (filter, of_group("startTime", json!(-1))),
        (filter, of_group("endTime", json!(-1))),
        (filter, of_group("limit", json!(0))),
        (filter, of_group("limit", json!(-5))),
        (filter, of_group("limit", json!(10_001))),
        (filter, of_group("nextToken", json!("f/1"))),
        (filter, of_group("nextToken", json!("nonsense"))),
        (filter, of_group("nextToken", json!(""))),
        (filter, of_group("logStreamNames", json!([]))),
        (filter, of_group("logStreamNames", json!(vec!["a"; 101]))),
        (filter, of_group("logStreamNamePrefix", json!("a:b"))),
        (filter, of_group("filterPattern", json!("x".repeat(1025)))),
        (
            filter,
            with(
                of_group("logStreamNames", json!(["a"])),
                "logStreamNamePrefix",
                json!("a"),
            ),
        ),
        (filter, of_group("logGroupIdentifier", json!("g"))),
        (filter, json!({})),
        (filter, json!({ "logGroupName": "a b" })),
        (filter, json!({ "logGroupName": arn })),
        (filter, json!({ "logGroupIdentifier": abroad })),
        ("GetLogEvents", with(stream.clone(), "startTime", json!(-1))),
        ("GetLogEvents", with(stream.clone(), "limit", json!(10_001))),
        (
            "GetLogEvents",
            with(stream.clone(), "nextToken", json!("b/0")),
        ),
        ("GetLogEvents", of_group("logStreamName", json!("a:b"))),
        (streams, of_group("orderBy", json!("Size"))),
        (streams, of_group("limit", json!(51))),
        (streams, of_group("nextToken", json!("a"))),
        (
            streams,
            with(
                of_group("orderBy", json!("LastEventTime")),
                "logStreamNamePrefix",
                json!("a"),
            ),
        ),
        (groups, json!({ "limit": 51 })),
        (groups, json!({ "nextToken": "g" })),
        (
            groups,
            json!({ "logGroupNamePrefix": "g", "logGroupNamePattern": "g" }),
        ),
        (groups, json!({ "logGroupClass": "CHEAP" })),
        (
            groups,
            json!({ "logGroupIdentifiers": ["g"], "logGroupNamePrefix": "g" }),
        ),
        (groups, json!({ "includeLinkedAccounts": true })),
        ("CreateLogStream", of_group("logStreamName", json!(""))),
        ("PutLogEvents", put(json!([]))),
        ("PutLogEvents", put(json!([event(now, "")]))),
        ("PutLogEvents", put(json!([event(-1, "x")]))),
        (
            "PutLogEvents",
            put(json!([event(now, "x"), event(now - 1, "y")])),
        ),
        (
            "PutLogEvents",
            put(json!([event(now - day - 1, "x"), event(now, "y")])),
        ),
        ("PutLogEvents", put(json!([event(now, &long)]))),
    ];
    for (action, input) in cases {
        let refused = world.logs_call(action, input.clone()).err();
        let input = input.to_string();
        let about = &input[..input.len().min(200)];
        let refused = refused.with_context(|| format!("{action} {about} is refused"))?;
        ensure!(
            refused.status == 400 && refused.code == "InvalidParameterException",
            "{action} {about}: {refused}"
        );
    }
    let missing = of_group("logStreamNames", json!(["none"]));
    let missing = world
        .logs_call(filter, missing)
        .err()
        .context("no such stream")?;
    ensure!(missing.code == "ResourceNotFoundException", "{missing}");

    // What is given out is taken, by the same list alone, and an ARN is as good as a name.
    let page = world.logs_call(streams, of_group("limit", json!(2)))?;
    let token = page["nextToken"].clone();
    let rest = world.logs_call(streams, of_group("nextToken", token.clone()))?;
    ensure!(
        rest["logStreams"].as_array().map(Vec::len) == Some(1),
        "{rest}"
    );
    let other = with(
        of_group("orderBy", json!("LastEventTime")),
        "nextToken",
        token,
    );
    ensure!(world.logs_call(streams, other).is_err());
    world.logs_call(filter, json!({ "logGroupIdentifier": arn }))?;
    let brief = world.logs_call(groups, json!({ "logGroupNamePattern": "g" }))?;
    let fields = brief["logGroups"][0].as_object().context("a group")?;
    ensure!(
        fields.keys().eq(["arn", "creationTime", "logGroupName"]),
        "{fields:?}"
    );
    Ok(())
}

#[tokio::test]
async fn events_too_far_from_now_are_rejected_and_the_others_stored() -> Result<()> {
    let world = World::start().await?;
    let group = json!({ "name": "g", "retentionInDays": 1 });
    world.deploy(LOG_GROUP, "g", group).await?;
    let stream = json!({ "logGroupName": "g", "logStreamName": "s" });
    world.logs_call("CreateLogStream", stream.clone())?;
    let now = world.clock().unix_millis();
    let hour = 3_600_000;
    let at = |hours: i64| json!({ "timestamp": now + hours * hour, "message": format!("{hours}") });
    let mut input = stream;
    input["logEvents"] = json!([at(-15 * 24), at(-25), at(-1), at(0), at(3), at(4)]);
    let answer = world.logs_call("PutLogEvents", input)?;
    let rejected = &answer["rejectedLogEventsInfo"];
    let expected = json!({
        "tooOldLogEventEndIndex": 1,
        "expiredLogEventEndIndex": 2,
        "tooNewLogEventStartIndex": 4,
    });
    ensure!(*rejected == expected, "{answer}");
    ensure!(world.log("g")? == ["-1", "0"]);
    Ok(())
}

#[tokio::test]
async fn groups_are_what_cloudwatch_takes() -> Result<()> {
    let world = World::start().await?;
    for (inputs, reason) in [
        (
            json!({ "name": "g", "retentionInDays": 8 }),
            "8 is none of 0",
        ),
        (
            json!({ "name": "a b" }),
            "must be 1 to 512 of the characters",
        ),
        (
            json!({ "name": "g", "logGroupClass": "DELIVERY" }),
            "STANDARD",
        ),
        (json!({ "name": "g", "kmsKeyId": "k" }), "nothing with KMS"),
    ] {
        let refused = world.deploy(LOG_GROUP, "g", inputs).await;
        let refused = refused.err().context(reason)?;
        ensure!(refused.message.contains(reason), "{refused}");
    }
    Ok(())
}
