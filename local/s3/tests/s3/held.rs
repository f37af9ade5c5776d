//! Readers that are slow: they hold what they began to read, whatever becomes of the object.

use crate::client::{Cloud, http};
use anyhow::{Context, Result, ensure};
use http::Method;
use reqwest::Response;

const PART: usize = 5 * 1024 * 1024;
const PARTS: u8 = 4;

/// Puts an object of several parts, each of another byte from `first` on.
async fn put_in_parts(cloud: &Cloud, key: &str, first: u8) -> Result<()> {
    let path = format!("/bucket/{key}");
    let begun = cloud.post(&path).query("uploads", "").send().await?;
    let id = begun.expect(200)?.element("UploadId")?;
    let mut xml = String::new();
    for number in 1..=PARTS {
        let call = cloud
            .put(&path)
            .query("partNumber", number)
            .query("uploadId", &id)
            .body(vec![first + number; PART]);
        let part = call.send().await?.expect(200)?;
        let etag = part.header("etag");
        xml += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    let xml = format!("<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>");
    let complete = cloud.post(&path).query("uploadId", &id).body(xml);
    complete.send().await?.expect(200)?;
    Ok(())
}

/// Begins to read, and stops after the first bytes: the last parts are far beyond what lies in
/// the sockets between.
async fn begin_to_read(url: &str) -> Result<(Response, Vec<u8>)> {
    let mut answer = http().get(url).send().await?.error_for_status()?;
    let first = answer.chunk().await?.context("a body")?;
    Ok((answer, first.to_vec()))
}

async fn read_on(mut answer: Response, mut body: Vec<u8>) -> Result<Vec<u8>> {
    while let Some(chunk) = answer.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn expected(first: u8) -> Vec<u8> {
    let parts = (1..=PARTS).map(|number| vec![first + number; PART]);
    parts.flatten().collect()
}

fn files(cloud: &Cloud) -> Result<usize> {
    Ok(std::fs::read_dir(cloud.folder.path().join("s3"))?.count())
}

#[tokio::test]
async fn an_object_that_is_replaced_or_deleted_is_read_to_its_end() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let url = cloud.call(Method::GET, "/bucket/o").presigned(600)?;

    put_in_parts(&cloud, "o", 0).await?;
    let (answer, body) = begin_to_read(&url).await?;
    put_in_parts(&cloud, "o", 10).await?;
    ensure!(files(&cloud)? == 2 * usize::from(PARTS), "both are there");
    let fresh = cloud.get("/bucket/o").send().await?.expect(200)?;
    ensure!(
        fresh.body == expected(10),
        "the new one is read from now on"
    );
    ensure!(read_on(answer, body).await? == expected(0), "the old one");

    let (answer, body) = begin_to_read(&url).await?;
    cloud.delete("/bucket/o").send().await?.expect(204)?;
    cloud
        .get("/bucket/o")
        .send()
        .await?
        .refused(404, "NoSuchKey")?;
    ensure!(read_on(answer, body).await? == expected(10));
    // With the last reader the files go.
    while files(&cloud)? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_reader_that_gives_up_lets_go_of_what_it_held() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let url = cloud.call(Method::GET, "/bucket/o").presigned(600)?;
    put_in_parts(&cloud, "o", 0).await?;
    let (answer, _) = begin_to_read(&url).await?;
    cloud.delete("/bucket/o").send().await?.expect(204)?;
    ensure!(files(&cloud)? == usize::from(PARTS));
    drop(answer);
    while files(&cloud)? > 0 {
        tokio::task::yield_now().await;
    }
    Ok(())
}
