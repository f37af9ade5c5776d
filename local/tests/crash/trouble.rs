//! Killed while something is wrong: the disk is full, S3 refuses, the function misbehaves.

use crate::daemon::{
    BUCKET, BUCKET_POLICY, Daemon, delivered, deploy, ensure_all_delivered, policy,
};
use crate::load::{Load, usual};
use anyhow::{Result, ensure};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tempfile::TempDir;

struct Trouble {
    home: PathBuf,
    folder: TempDir,
    daemon: Daemon,
    acknowledged: BTreeSet<u64>,
}

impl Trouble {
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

    /// How many records stand in the bucket.
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
    let mut trouble = Trouble::start().await?;
    for round in 0..3 {
        let mut load = Load::start(&trouble.daemon, usual);
        load.taken(100).await?;
        trouble.daemon.fill_disk()?;
        load.refused(20).await?;
        if round > 0 {
            // Without a new start: records are taken again, and everything else too.
            trouble.daemon.free_disk()?;
            load.taken(100).await?;
            let bucket = format!("new-{round}");
            let inputs = json!({ "bucket": bucket });
            trouble.daemon.create(BUCKET, &bucket, inputs).await?;
        }
        trouble.kill(load).await?;
    }
    trouble.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_s3_refuses_is_kept_until_it_is_let_in() -> Result<()> {
    let mut trouble = Trouble::start().await?;
    let deny = policy(json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::clicks/*",
    }));
    let inputs = json!({ "bucket": "clicks", "policy": deny });
    let id = trouble.daemon.create(BUCKET_POLICY, "deny", inputs).await?;
    for _ in 0..3 {
        let mut load = Load::start(&trouble.daemon, usual);
        load.taken(100).await?;
        trouble.kill(load).await?;
    }
    ensure!(trouble.delivered().await? == 0);
    trouble.daemon.delete(BUCKET_POLICY, "deny", &id).await?;
    trouble.end().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_crashes_hangs_or_answers_rubbish_loses_nothing() -> Result<()> {
    let mut trouble = Trouble::start().await?;
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
        let mut load = Load::start(&trouble.daemon, text);
        load.taken(300).await?;
        trouble.kill(load).await?;
    }
    trouble.end().await
}
