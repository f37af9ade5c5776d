//! What functions log, who may, and how it is read.

use crate::support::{FUNCTION, LOG_GROUP, World, package};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// A line with what differs from run to run taken out.
fn shape(line: &str) -> String {
    let words = line.split([' ', '\t']).map(|word| {
        let differs = word.len() == 36 || word.parse::<f64>().is_ok();
        if differs { "_" } else { word }
    });
    words.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

#[tokio::test]
async fn a_log_in_text_has_the_lines_that_everybody_knows() -> Result<()> {
    let world = World::start().await?;
    world.function("f", json!({})).await?;
    let print = json!({ "do": "print", "text": "one\ntwo\n" });
    world.call("f", print.clone()).await?;
    world.call("f", print).await?;
    world.fail("f", json!({ "do": "exit", "code": 1 })).await?;
    let log: Vec<_> = world
        .log("/aws/lambda/f")?
        .iter()
        .map(|line| shape(line))
        .collect();
    let report = "REPORT RequestId: _ Duration: _ ms Billed Duration: _ ms Memory Size: _ MB \
                  Max Memory Used: _ MB";
    let cold = format!("{report} Init Duration: _ ms");
    let failed = format!("{report} Status: error Error Type: Runtime.ExitError");
    let start = "START RequestId: _ Version: $LATEST";
    let end = "END RequestId: _";
    let expected = [
        start,
        "one",
        "two",
        "and to standard error",
        end,
        &cold,
        start,
        "one",
        "two",
        "and to standard error",
        end,
        report,
        start,
        "RequestId: _ Error: Runtime exited with error: exit status _\nRuntime.ExitError",
        end,
        &failed,
    ];
    // The number is at the end of its line, not somewhere in a word.
    let log: Vec<_> = log
        .iter()
        .map(|line| line.replace("status 1\n", "status _\n"))
        .collect();
    ensure!(log == expected, "{log:#?}");
    Ok(())
}

#[tokio::test]
async fn a_structured_log_has_events_and_goes_to_the_group_that_is_named() -> Result<()> {
    let world = World::start().await?;
    world
        .deploy(LOG_GROUP, "named", json!({ "name": "named" }))
        .await?;
    let logging = json!({ "logFormat": "JSON", "logGroup": "named", "systemLogLevel": "INFO" });
    world
        .function("f", json!({ "loggingConfig": logging }))
        .await?;
    let time = "2026-01-02T03:04:05.678Z";
    let line = |level: &str| json!({ "level": level, "timestamp": time }).to_string();
    let text = format!("{}\n{}\n", line("DEBUG"), line("INFO"));
    let print = json!({ "do": "print", "text": text });
    world.call("f", print).await?;
    let log = world.log("named")?;
    ensure!(log.len() == 4, "{log:?}");
    let start: Value = serde_json::from_str(&log[0])?;
    ensure!(start["type"] == "platform.start" && start["record"]["version"] == "$LATEST");
    ensure!(log[1] == line("INFO"), "{}", log[1]);
    let report: Value = serde_json::from_str(&log[3])?;
    ensure!(report["type"] == "platform.report" && report["record"]["status"] == "success");
    ensure!(
        report["record"]["metrics"]["memorySizeMB"] == 128,
        "{report}"
    );
    ensure!(world.log("/aws/lambda/f")?.is_empty());

    let streams = world.logs_call("DescribeLogStreams", json!({ "logGroupName": "named" }))?;
    let name = streams["logStreams"][0]["logStreamName"].as_str();
    ensure!(
        name.context("a stream")?.contains("/f[$LATEST]"),
        "{name:?}"
    );
    Ok(())
}

/// What a line without a valid time becomes on AWS, whatever level it says.
#[tokio::test]
async fn a_structured_line_without_a_valid_time_is_information() -> Result<()> {
    let world = World::start().await?;
    let logging = json!({ "logFormat": "JSON", "systemLogLevel": "WARN" });
    world
        .function("f", json!({ "loggingConfig": logging }))
        .await?;
    let time = "2026-01-02T03:04:05+01:00";
    let lines = [
        json!({ "level": "ERROR", "message": "no time" }),
        json!({ "level": "debug", "timestamp": "yesterday", "message": "no valid time" }),
        json!({ "timestamp": time, "message": "no level" }),
        json!({ "level": "LOUD", "timestamp": time, "message": "no valid level" }),
        json!({ "level": "error", "timestamp": time, "message": "both" }),
    ];
    let text = lines
        .iter()
        .fold(String::new(), |text, line| format!("{text}{line}\n"));
    world
        .call("f", json!({ "do": "print", "text": text }))
        .await?;
    let log = world.log("/aws/lambda/f")?;
    ensure!(log.len() == 6, "{log:?}");
    for (written, sent) in log.iter().zip(&lines).take(4) {
        let written: Value = serde_json::from_str(written)?;
        ensure!(
            written["message"] == sent["message"] && written["level"] == "INFO",
            "{written}"
        );
        let has_time = sent["timestamp"] == time;
        ensure!((written["timestamp"] == time) == has_time, "{written}");
        let text = written["timestamp"].as_str().context("a time")?;
        ensure!(text.len() >= 20 && text.contains('T'), "{written}");
    }
    let whole: Value = serde_json::from_str(&log[4])?;
    ensure!(whole == lines[4], "{whole}");
    ensure!(
        log[5] == "and to standard error",
        "what is no JSON stays as it is"
    );
    Ok(())
}

#[tokio::test]
async fn a_role_that_may_not_log_does_not() -> Result<()> {
    let world = World::start().await?;
    world
        .deploy(LOG_GROUP, "g", json!({ "name": "/aws/lambda/f" }))
        .await?;
    let may_create = json!([{
        "Effect": "Allow",
        "Action": "logs:CreateLogStream",
        "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*",
    }]);
    for (name, statements) in [("nothing", json!([])), ("create", may_create)] {
        let role = world.role(name, "lambda.amazonaws.com", statements).await?;
        let function = json!({
            "name": "f",
            "role": role.resource.output("arn"),
            "code": { "path": package(&world.path("runtime.zip"))? },
            "runtime": "provided.al2023",
            "handler": "bootstrap",
        });
        let function = world.deploy(FUNCTION, "f", function).await?;
        world.call("f", json!({})).await?;
        world.delete(&function).await?;
        ensure!(world.log("/aws/lambda/f")?.is_empty(), "{name}");
    }
    let streams = world.logs_call(
        "DescribeLogStreams",
        json!({ "logGroupName": "/aws/lambda/f" }),
    )?;
    ensure!(
        streams["logStreams"].as_array().map(Vec::len) == Some(1),
        "the second made one"
    );
    Ok(())
}

#[tokio::test]
async fn without_a_group_lines_are_dropped() -> Result<()> {
    let world = World::start().await?;
    let logging = json!({ "logFormat": "Text", "logGroup": "none" });
    world
        .function("f", json!({ "loggingConfig": logging }))
        .await?;
    world.call("f", json!({})).await?;
    let refused = world.log("none").err().context("there is no group")?;
    ensure!(
        refused.to_string().contains("ResourceNotFoundException"),
        "{refused}"
    );
    Ok(())
}

#[tokio::test]
async fn events_are_read_page_by_page() -> Result<()> {
    let world = World::start().await?;
    let group = world
        .deploy(LOG_GROUP, "g", json!({ "name": "g", "retentionInDays": 7 }))
        .await?;
    let stream = json!({ "logGroupName": "g", "logStreamName": "s" });
    world.logs_call("CreateLogStream", stream.clone())?;
    let now = world.cloud().context.clock.unix_millis();
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
    let now = world.cloud().context.clock.unix_millis();
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
    let now = world.cloud().context.clock.unix_millis();
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
