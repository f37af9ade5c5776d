//! Logs while they are read: a writer does not wait for that.

use crate::client::{Answer, Cloud};
use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

const GROUP: &str = "aws:cloudwatch/logGroup:LogGroup";

async fn call(cloud: &Cloud, action: &str, input: Value) -> Result<Answer> {
    cloud
        .post("/")
        .service("logs")
        .header("x-amz-target", format!("Logs_20140328.{action}"))
        .body(input.to_string())
        .send()
        .await
}

fn event(message: &str) -> Value {
    json!([{ "timestamp": 1_700_000_000_000_i64, "message": message }])
}

/// Puts something in the place of a stream's file that gives nothing until it is written to.
fn block(cloud: &Cloud) -> Result<PathBuf> {
    let group = cloud.folder.path().join("logs/us-east-1/g");
    let file = group.join("slow.jsonl");
    std::fs::remove_file(&file)?;
    mknodat(CWD, &file, FileType::Fifo, Mode::RWXU, 0)?;
    Ok(file)
}

#[tokio::test]
async fn what_is_being_read_holds_up_nobody_who_writes() -> Result<()> {
    let cloud = Cloud::start().await?;
    cloud.deploy(GROUP, "g", json!({ "name": "g" })).await?;
    cloud.deploy(GROUP, "h", json!({ "name": "h" })).await?;
    for (group, stream) in [("g", "slow"), ("g", "other"), ("h", "other")] {
        let input = json!({ "logGroupName": group, "logStreamName": stream });
        call(&cloud, "CreateLogStream", input).await?.expect(200)?;
    }
    let file = block(&cloud)?;
    let search = json!({ "logGroupName": "g", "filterPattern": "x" });
    let writes = async {
        for (group, stream) in [("g", "other"), ("h", "other")] {
            let input = json!({
                "logGroupName": group,
                "logStreamName": stream,
                "logEvents": event("x"),
            });
            call(&cloud, "PutLogEvents", input).await?.expect(200)?;
        }
        call(&cloud, "DescribeLogGroups", json!({}))
            .await?
            .expect(200)?;
        cloud.put("/bucket").send().await?.expect(200)?;
        // The first to open it lets the readers go on, and one may have gone before the line comes.
        let opened = tokio::task::spawn_blocking(move || match std::fs::write(file, "{}\n") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        });
        opened.await??;
        anyhow::Ok(())
    };
    let writes = async {
        let written = tokio::time::timeout(Duration::from_secs(60), writes).await;
        written.context("a write waits for a reader")?
    };
    let search = call(&cloud, "FilterLogEvents", search);
    let (search, writes) = tokio::join!(search, writes);
    writes?;
    let found = search?.expect(200)?;
    let found: Value = serde_json::from_slice(&found.body)?;
    ensure!(found["events"].is_array(), "{found}");
    Ok(())
}
