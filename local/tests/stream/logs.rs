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
    // The number stands before the end of the line, not of the word.
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
    let print = json!({ "do": "print", "text": "{\"level\":\"DEBUG\"}\n{\"level\":\"INFO\"}\n" });
    world.call("f", print).await?;
    let log = world.log("named")?;
    ensure!(log.len() == 4, "{log:?}");
    let start: Value = serde_json::from_str(&log[0])?;
    ensure!(start["type"] == "platform.start" && start["record"]["version"] == "$LATEST");
    ensure!(log[1] == r#"{"level":"INFO"}"#, "{}", log[1]);
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
    let now = world.cloud().clock.unix_millis();
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
