//! What comes too late for a reset: nothing is acknowledged that is nowhere.

use crate::client::Cloud;
use anyhow::{Context, Result, ensure};
use cloud_iam::Caller;
use cloud_s3::ObjectHeaders;
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Large enough to be kept in a file of its own.
const LARGE: usize = 200_000;
const SMALL: usize = 1_000;

/// Sends half of a PUT's body.
async fn begin(cloud: &Cloud, key: &str, size: usize) -> Result<TcpStream> {
    let url = cloud.call(Method::PUT, key).presigned(600)?;
    let address = cloud.address();
    let path = url.strip_prefix(&format!("http://{address}"));
    let path = path.context("a URL of this cloud")?;
    let mut stream = TcpStream::connect(&address).await?;
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {size}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b'x'; size / 2]).await?;
    Ok(stream)
}

async fn reset(cloud: &Cloud) -> Result<()> {
    cloud
        .post("/_mysfits/reset")
        .anonymous()
        .send()
        .await?
        .expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_put_that_a_reset_overtakes_is_not_acknowledged() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let mut puts = Vec::new();
    for (key, size) in [("/bucket/large", LARGE), ("/bucket/small", SMALL)] {
        puts.push((begin(&cloud, key, size).await?, size));
    }
    // The large one has a file by now.
    let folder = cloud.folder.path().join("s3");
    while std::fs::read_dir(&folder)?.count() == 0 {
        tokio::task::yield_now().await;
    }
    reset(&cloud).await?;
    for (mut stream, size) in puts {
        // The cloud may have hung up.
        let _ = stream.write_all(&vec![b'x'; size / 2]).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        ensure!(answer.is_empty() || answer.contains(" 503 "), "{answer}");
    }
    ensure!(std::fs::read_dir(&folder)?.count() == 0, "nothing is left");
    cloud.put("/bucket").send().await?.expect(200)?;
    cloud
        .get("/bucket/large")
        .send()
        .await?
        .refused(404, "NoSuchKey")
}

#[tokio::test]
async fn who_still_has_the_old_cloud_writes_nothing_into_the_new_one() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let old = cloud.server.cloud();
    // Held for longer than a reset waits.
    reset(&cloud).await?;
    let body = vec![1; LARGE].into();
    let (caller, headers) = (Caller::Account, ObjectHeaders::default());
    let put = old.s3.put_object(&caller, "bucket", "o", body, headers);
    let refused = put.await.err().context("refused")?;
    ensure!(refused.status == 503, "{refused}");
    let group = cloud_logs::GroupSettings {
        region: "us-east-1".into(),
        name: "late".into(),
        retention_days: None,
        created: 0,
    };
    ensure!(old.logs.deploy_group(group).is_err());
    let home = cloud.folder.path();
    ensure!(std::fs::read_dir(home.join("s3"))?.count() == 0);
    ensure!(!home.join("logs").join("us-east-1").exists());
    Ok(())
}

#[tokio::test]
async fn writers_under_load_are_told_the_truth_by_a_reset() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let puts = (0..200).map(|index| {
        let call = cloud.put(&format!("/bucket/{index}"));
        let body = vec![b'x'; if index % 2 == 0 { LARGE } else { SMALL }];
        async move { call.body(body).send().await }
    });
    let resets = async {
        for _ in 0..3 {
            reset(&cloud).await?;
            cloud.put("/bucket").send().await?.expect(200)?;
        }
        anyhow::Ok(())
    };
    let (answers, done) = tokio::join!(futures::future::join_all(puts), resets);
    done?;
    for answer in answers.into_iter().flatten() {
        let status = answer.status.as_u16();
        ensure!(
            [200, 404, 503].contains(&status),
            "{status} {}",
            answer.text()
        );
    }
    // What is listed is there, and every file belongs to something.
    let list = cloud.get("/bucket").send().await?.expect(200)?;
    let mut large = 0;
    for key in list.elements("Key") {
        let got = cloud
            .get(&format!("/bucket/{key}"))
            .send()
            .await?
            .expect(200)?;
        large += usize::from(got.body.len() == LARGE);
    }
    let folder = cloud.folder.path().join("s3");
    ensure!(std::fs::read_dir(&folder)?.count() == large);
    Ok(())
}
