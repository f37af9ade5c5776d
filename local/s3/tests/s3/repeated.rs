//! Operations that are repeated because their answer was lost: each is answered as AWS does.

use crate::client::{Answer, Call, Cloud};
use anyhow::{Result, ensure};

const EU: &str = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";

/// Begins an upload of `/bucket/o`.
async fn begin(cloud: &Cloud) -> Result<String> {
    let call = cloud.post("/bucket/o").query("uploads", "");
    call.send().await?.expect(200)?.element("UploadId")
}

/// Uploads a part, and gives its entity tag.
async fn part(cloud: &Cloud, id: &str, number: u32, body: &str) -> Result<String> {
    let call = cloud.put("/bucket/o").query("uploadId", id);
    let call = call.query("partNumber", number).body(body);
    Ok(call.send().await?.expect(200)?.header("etag").to_owned())
}

fn complete<'a>(cloud: &'a Cloud, id: &str, number: u32, etag: &str) -> Call<'a> {
    let call = cloud.post("/bucket/o").query("uploadId", id);
    call.body(format!(
        "<CompleteMultipartUpload><Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>\
         </Part></CompleteMultipartUpload>"
    ))
}

fn abort<'a>(cloud: &'a Cloud, id: &str) -> Call<'a> {
    cloud.delete("/bucket/o").query("uploadId", id)
}

#[tokio::test]
async fn an_upload_is_completed_once_and_answered_twice() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.set_versioning("Enabled").await?;
    let id = begin(&cloud).await?;
    let etag = part(&cloud, &id, 1, "the first").await?;
    let other = part(&cloud, &id, 2, "the second").await?;
    let first = complete(&cloud, &id, 1, &etag).send().await?.expect(200)?;
    let same = |answer: &Answer| -> Result<()> {
        ensure!(answer.text() == first.text(), "{}", answer.text());
        let name = "x-amz-version-id";
        ensure!(answer.header(name) == first.header(name));
        Ok(())
    };
    same(&complete(&cloud, &id, 1, &etag).send().await?.expect(200)?)?;
    // A condition that held the first time is that of the first time.
    let unless = complete(&cloud, &id, 1, &etag).header("if-none-match", "*");
    same(&unless.send().await?.expect(200)?)?;
    // What came later stays in front.
    let later = cloud.put("/bucket/o").body("later").send().await?;
    later.expect(200)?;
    let cloud = cloud.restart().await?;
    let again = complete(&cloud, &id, 1, &etag).send().await?.expect(200)?;
    ensure!(again.element("ETag")? == first.element("ETag")?);
    ensure!(cloud.get("/bucket/o").send().await?.text() == "later");
    let versions = cloud.get("/bucket").query("versions", "").send().await?;
    ensure!(versions.elements("Version").len() == 2);

    let different = complete(&cloud, &id, 2, &other).send().await?;
    different.refused(404, "NoSuchUpload")?;
    let late = cloud.put("/bucket/o").query("uploadId", &id);
    let late = late.query("partNumber", 1).body("x").send().await?;
    late.refused(404, "NoSuchUpload")?;
    let elsewhere = cloud.post("/bucket/p").query("uploadId", &id);
    let elsewhere = elsewhere.body("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>");
    elsewhere.send().await?.refused(404, "NoSuchUpload")?;
    // Nothing is left to be given up.
    abort(&cloud, &id).send().await?.expect(204)?;
    Ok(())
}

#[tokio::test]
async fn an_upload_may_be_aborted_twice_but_must_have_been() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let id = begin(&cloud).await?;
    let etag = part(&cloud, &id, 1, "x").await?;
    abort(&cloud, &id).send().await?.expect(204)?;
    abort(&cloud, &id).send().await?.expect(204)?;
    let completed = complete(&cloud, &id, 1, &etag).send().await?;
    completed.refused(404, "NoSuchUpload")?;
    let never = abort(&cloud, &"0".repeat(64)).send().await?;
    never.refused(404, "NoSuchUpload")?;

    // It is forgotten after a day, and with its bucket.
    let (s3, clock) = (&cloud.service.s3, &cloud.account.context.clock);
    let day = 24 * 60 * 60 * 1_000;
    s3.expire(clock.unix_millis() + day).await?;
    let forgotten = abort(&cloud, &id).send().await?;
    forgotten.refused(404, "NoSuchUpload")?;
    let id = begin(&cloud).await?;
    abort(&cloud, &id).send().await?.expect(204)?;
    cloud.delete("/bucket").send().await?.expect(204)?;
    cloud.put("/bucket").send().await?.expect(200)?;
    let gone = abort(&cloud, &id).send().await?;
    gone.refused(404, "NoSuchUpload")
}

#[tokio::test]
async fn objects_and_buckets_are_deleted_and_made_again_as_on_aws() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    for _ in 0..2 {
        cloud.delete("/bucket/o").send().await?.expect(204)?;
    }
    // In the default region a second CreateBucket is answered like the first, and changes
    // nothing.
    cloud.set_versioning("Enabled").await?;
    cloud.put("/bucket").send().await?.expect(200)?;
    let versioning = cloud.get("/bucket").query("versioning", "").send().await?;
    ensure!(versioning.element("Status")? == "Enabled");
    let abroad = || cloud.put("/abroad").region("eu-west-1").body(EU);
    abroad().send().await?.expect(200)?;
    let again = abroad().send().await?;
    again.refused(409, "BucketAlreadyOwnedByYou")?;
    let here = cloud.put("/abroad").send().await?;
    here.refused(409, "BucketAlreadyOwnedByYou")?;
    let there = cloud.put("/bucket").region("eu-west-1").body(EU);
    there
        .send()
        .await?
        .refused(409, "BucketAlreadyOwnedByYou")?;

    cloud.delete("/bucket").send().await?.expect(204)?;
    let again = cloud.delete("/bucket").send().await?;
    again.refused(404, "NoSuchBucket")
}
