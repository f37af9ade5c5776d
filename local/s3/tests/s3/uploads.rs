//! Uploads in parts.

use crate::client::{Answer, Cloud};
use anyhow::Result;

const PART: usize = 5 * 1024 * 1024;

async fn begin(cloud: &Cloud, key: &str) -> Result<String> {
    let call = cloud.post(&format!("/bucket/{key}")).query("uploads", "");
    let begun = call
        .header("content-type", "text/plain")
        .send()
        .await?
        .expect(200)?;
    begun.element("UploadId")
}

async fn part(cloud: &Cloud, key: &str, id: &str, number: u32, body: Vec<u8>) -> Result<String> {
    let call = cloud
        .put(&format!("/bucket/{key}"))
        .query("partNumber", number)
        .query("uploadId", id)
        .body(body);
    Ok(call.send().await?.expect(200)?.header("etag").to_owned())
}

async fn complete(cloud: &Cloud, key: &str, id: &str, parts: &[(u32, &str)]) -> Result<Answer> {
    let parts = parts.iter().map(|(number, etag)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
    });
    let xml = format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        parts.collect::<String>()
    );
    let call = cloud.post(&format!("/bucket/{key}")).query("uploadId", id);
    call.body(xml).send().await
}

fn files(cloud: &Cloud) -> Result<usize> {
    Ok(std::fs::read_dir(cloud.folder.path().join("s3"))?.count())
}

#[tokio::test]
async fn parts_become_an_object() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let id = begin(&cloud, "o").await?;
    // Out of order, one of them twice, one of them for nothing.
    let third = part(&cloud, "o", &id, 3, vec![3; 10]).await?;
    part(&cloud, "o", &id, 1, vec![9; 20]).await?;
    let first = part(&cloud, "o", &id, 1, vec![1; PART]).await?;
    part(&cloud, "o", &id, 7, vec![7; 30]).await?;
    let list = cloud.get("/bucket/o").query("uploadId", &id).send().await?;
    assert_eq!(list.elements("PartNumber"), ["1", "3", "7"]);
    let page = cloud
        .get("/bucket/o")
        .query("uploadId", &id)
        .query("max-parts", 2);
    let page = page.send().await?;
    assert_eq!(page.element("IsTruncated")?, "true");
    assert_eq!(page.element("NextPartNumberMarker")?, "3");
    let uploads = cloud.get("/bucket").query("uploads", "").send().await?;
    assert_eq!(uploads.elements("UploadId"), [id.as_str()]);
    assert_eq!(files(&cloud)?, 3);

    let done = complete(&cloud, "o", &id, &[(1, &first), (3, &third)])
        .await?
        .expect(200)?;
    assert!(done.element("ETag")?.ends_with("-2\""), "{}", done.text());
    let got = cloud.get("/bucket/o").send().await?.expect(200)?;
    assert_eq!(got.header("content-type"), "text/plain");
    assert_eq!(got.body.len(), PART + 10);
    assert_eq!(got.body[PART - 1..PART + 1], [1, 3]);
    assert_eq!(files(&cloud)?, 2);

    let across = cloud
        .get("/bucket/o")
        .header("range", format!("bytes={}-{}", PART - 2, PART + 1));
    assert_eq!(across.send().await?.expect(206)?.body, [1, 1, 3, 3]);
    let second = cloud
        .get("/bucket/o")
        .query("partNumber", 2)
        .send()
        .await?
        .expect(206)?;
    assert_eq!(second.body, [3; 10]);
    assert_eq!(second.header("x-amz-mp-parts-count"), "2");

    let cloud = cloud.restart().await?;
    assert_eq!(cloud.get("/bucket/o").send().await?.body.len(), PART + 10);
    cloud.delete("/bucket/o").send().await?.expect(204)?;
    assert_eq!(files(&cloud)?, 0);
    Ok(())
}

#[tokio::test]
async fn an_upload_is_completed_with_what_was_uploaded() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let id = begin(&cloud, "o").await?;
    let small = part(&cloud, "o", &id, 1, vec![1; 10]).await?;
    let last = part(&cloud, "o", &id, 2, vec![2; 10]).await?;
    for (parts, code) in [
        (vec![(1, "\"x\"")], "InvalidPart"),
        (vec![(3, small.as_str())], "InvalidPart"),
        (
            vec![(2, last.as_str()), (1, small.as_str())],
            "InvalidPartOrder",
        ),
        (
            vec![(1, small.as_str()), (2, last.as_str())],
            "EntityTooSmall",
        ),
    ] {
        complete(&cloud, "o", &id, &parts)
            .await?
            .refused(400, code)?;
    }
    complete(&cloud, "o", &id, &[(1, &small)])
        .await?
        .expect(200)?;
    let call = cloud
        .put("/bucket/o")
        .query("partNumber", 1)
        .query("uploadId", &id);
    call.body("x").send().await?.refused(404, "NoSuchUpload")
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let id = begin(&cloud, "o").await?;
    part(&cloud, "o", &id, 1, vec![1; 10]).await?;
    let call = cloud.delete("/bucket/o").query("uploadId", &id);
    call.send().await?.expect(204)?;
    assert_eq!(files(&cloud)?, 0);
    let call = cloud.get("/bucket/o").query("uploadId", &id);
    call.send().await?.refused(404, "NoSuchUpload")?;
    // A bucket with nothing but an unfinished upload is empty.
    begin(&cloud, "p").await?;
    cloud.delete("/bucket").send().await?.expect(204)?;
    Ok(())
}

#[tokio::test]
async fn a_part_may_be_copied() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud
        .put("/bucket/source")
        .body("0123456789")
        .send()
        .await?
        .expect(200)?;
    let id = begin(&cloud, "o").await?;
    let copy = cloud
        .put("/bucket/o")
        .query("partNumber", 1)
        .query("uploadId", &id)
        .header("x-amz-copy-source", "/bucket/source")
        .header("x-amz-copy-source-range", "bytes=2-5");
    let etag = copy.send().await?.expect(200)?.element("ETag")?;
    complete(&cloud, "o", &id, &[(1, &etag)])
        .await?
        .expect(200)?;
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "2345");
    Ok(())
}
