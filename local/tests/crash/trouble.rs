//! Killed while something is wrong: the disk is full, S3 refuses, the function misbehaves.

use crate::daemon::{
    BUCKET, BUCKET_POLICY, Daemon, delivered, deploy, ensure_all_delivered, policy,
};
use crate::load::{Load, usual};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

struct DisturbedCloud {
    home: PathBuf,
    folder: TempDir,
    daemon: Daemon,
    acknowledged: BTreeSet<u64>,
}

impl DisturbedCloud {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = folder.path().join("data");
        let daemon = Daemon::start(&home).await?;
        deploy(&daemon, folder.path()).await?;
        Ok(Self {
            home,
            folder,
            daemon,
            acknowledged: BTreeSet::new(),
        })
    }

    /// Kills the cloud under the load, and starts it again.
    async fn kill(&mut self, load: Load) -> Result<()> {
        self.acknowledged.extend(load.kill(&mut self.daemon).await?);
        self.daemon = Daemon::start(&self.home).await?;
        Ok(())
    }

    /// How many records are in the bucket.
    async fn delivered(&mut self) -> Result<usize> {
        self.daemon.stop().await?;
        let delivered = delivered(&self.home).await?.len();
        self.daemon = Daemon::start(&self.home).await?;
        Ok(delivered)
    }

    async fn end(mut self) -> Result<()> {
        self.daemon.stop().await?;
        let delivered = ensure_all_delivered(&self.home, &self.acknowledged).await;
        drop(self.folder);
        delivered
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_full_disk_records_are_refused_and_with_room_again_all_goes_on() -> Result<()> {
    let mut cloud = DisturbedCloud::start().await?;
    for round in 0..3 {
        let mut load = Load::start(&cloud.daemon, usual);
        load.taken(100).await?;
        cloud.daemon.fill_disk()?;
        load.refused(20).await?;
        if round > 0 {
            // Without a new start: records are taken again, and everything else too.
            cloud.daemon.free_disk()?;
            load.taken(100).await?;
            let bucket = format!("new-{round}");
            let inputs = json!({ "bucket": bucket });
            cloud.daemon.create(BUCKET, &bucket, inputs).await?;
        }
        cloud.kill(load).await?;
    }
    cloud.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_either_is_no_end_of_anything() -> Result<()> {
    const LONG: Duration = Duration::from_secs(60);
    let folder = tempfile::tempdir()?;
    let home = folder.path().join("data");
    let daemon = Daemon::start_with_log(&home, &folder.path().join("cloud.log")).await?;
    deploy(&daemon, folder.path()).await?;
    let mut cloud = DisturbedCloud {
        home,
        folder,
        daemon,
        acknowledged: BTreeSet::new(),
    };
    let mut load = Load::start(&cloud.daemon, usual);
    load.taken(100).await?;
    cloud.daemon.fill_disk()?;
    load.refused(20).await?;
    let health = cloud.daemon.health().await?;
    ensure!(health["status"] == "impaired", "{health}");
    let problems = health["problems"].to_string();
    ensure!(problems.contains("the journal of stream"), "{problems}");
    ensure!(problems.contains("the cloud's own log"), "{problems}");

    cloud.daemon.free_disk()?;
    let taken = tokio::time::timeout(LONG, load.taken(100)).await;
    taken.context("every record is refused although there is room")??;
    // It is written again from the next line on, and says that it was not.
    let written = async {
        loop {
            let log = std::fs::read_to_string(cloud.folder.path().join("cloud.log"))?;
            if log.contains("lines of this log could not be written") {
                return anyhow::Ok(());
            }
            // It is logged that a fault is switched on.
            cloud.daemon.slow_down_s3().await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, written)
        .await
        .context("the log stays as it is")??;
    let health = cloud.daemon.health().await?;
    let problems = health["problems"].to_string();
    ensure!(!problems.contains("journal"), "{problems}");
    ensure!(problems.contains("lines are lost"), "{problems}");
    cloud.kill(load).await?;
    cloud.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_s3_refuses_is_kept_until_it_is_let_in() -> Result<()> {
    let mut cloud = DisturbedCloud::start().await?;
    let deny = policy(json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::clicks/*",
    }));
    let inputs = json!({ "bucket": "clicks", "policy": deny });
    let id = cloud.daemon.create(BUCKET_POLICY, "deny", inputs).await?;
    for _ in 0..3 {
        let mut load = Load::start(&cloud.daemon, usual);
        load.taken(100).await?;
        cloud.kill(load).await?;
    }
    ensure!(cloud.delivered().await? == 0);
    cloud.daemon.delete(BUCKET_POLICY, "deny", &id).await?;
    cloud.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_crashes_hangs_or_answers_rubbish_loses_nothing() -> Result<()> {
    let mut cloud = DisturbedCloud::start().await?;
    let text = |number: u64| {
        let what = match number % 500 {
            7 => "crash",
            107 => "hang",
            207 => "rubbish",
            307 => "forget",
            _ => "record",
        };
        format!("{what} {number}\n")
    };
    for _ in 0..3 {
        let mut load = Load::start(&cloud.daemon, text);
        load.taken(300).await?;
        cloud.kill(load).await?;
    }
    cloud.end().await
}
