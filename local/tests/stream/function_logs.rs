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
