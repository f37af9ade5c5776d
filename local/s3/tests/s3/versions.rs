//! Versions and delete markers.

use crate::client::Cloud;
use anyhow::Result;

#[tokio::test]
async fn a_versioned_bucket_keeps_what_is_overwritten_and_deleted() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("0").send().await?.expect(200)?;
    cloud.set_versioning("Enabled").await?;
    let first = cloud.put("/bucket/o").body("1").send().await?;
    let first = first.header("x-amz-version-id").to_owned();
    let second = cloud.put("/bucket/o").body("2").send().await?;
    let second = second.header("x-amz-version-id").to_owned();
    assert_ne!(first, second);
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "2");
    for (id, text) in [(first.as_str(), "1"), (&second, "2"), ("null", "0")] {
        let got = cloud.get("/bucket/o").query("versionId", id).send().await?;
        assert_eq!(
            (got.header("x-amz-version-id"), got.text().as_str()),
            (id, text)
        );
    }

    let deleted = cloud.delete("/bucket/o").send().await?.expect(204)?;
    let marker = deleted.header("x-amz-version-id").to_owned();
    assert_eq!(deleted.header("x-amz-delete-marker"), "true");
    let gone = cloud.get("/bucket/o").send().await?;
    assert_eq!(gone.header("x-amz-delete-marker"), "true");
    gone.refused(404, "NoSuchKey")?;
    let call = cloud.get("/bucket/o").query("versionId", &marker);
    call.send().await?.refused(405, "MethodNotAllowed")?;

    let list = cloud.get("/bucket").query("versions", "").send().await?;
    assert_eq!(
        list.elements("VersionId"),
        [marker.as_str(), &second, &first, "null"]
    );
    assert_eq!(
        list.elements("IsLatest"),
        ["true", "false", "false", "false"]
    );
    assert!(
        cloud
            .get("/bucket")
            .send()
            .await?
            .elements("Key")
            .is_empty()
    );

    // The marker gone, the object is back; and so on down.
    let undeleted = cloud
        .delete("/bucket/o")
        .query("versionId", &marker)
        .send()
        .await?;
    assert_eq!(undeleted.expect(204)?.header("x-amz-delete-marker"), "true");
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "2");
    cloud
        .delete("/bucket/o")
        .query("versionId", &second)
        .send()
        .await?
        .expect(204)?;
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "1");
    let call = cloud.get("/bucket/o").query("versionId", &second);
    call.send().await?.refused(404, "NoSuchVersion")?;
    let call = cloud.get("/bucket/o").query("versionId", "nonsense");
    call.send().await?.refused(400, "InvalidArgument")
}

#[tokio::test]
async fn a_suspended_bucket_has_one_null_version() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.set_versioning("Enabled").await?;
    let kept = cloud.put("/bucket/o").body("1").send().await?;
    let kept = kept.header("x-amz-version-id").to_owned();
    cloud.set_versioning("Suspended").await?;
    for text in ["2", "3"] {
        let put = cloud.put("/bucket/o").body(text).send().await?;
        assert_eq!(put.header("x-amz-version-id"), "null");
    }
    let list = || cloud.get("/bucket").query("versions", "").send();
    assert_eq!(list().await?.elements("VersionId"), ["null", kept.as_str()]);
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "3");

    // The delete marker takes the null version's place.
    let deleted = cloud.delete("/bucket/o").send().await?.expect(204)?;
    assert_eq!(deleted.header("x-amz-version-id"), "null");
    let after = list().await?;
    assert_eq!(after.elements("VersionId"), ["null", kept.as_str()]);
    assert_eq!(after.elements("DeleteMarker").len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_order_of_versions_outlasts_a_restart() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.set_versioning("Enabled").await?;
    cloud.put("/bucket/o").body("1").send().await?.expect(200)?;
    let cloud = cloud.restart().await?;
    cloud.put("/bucket/o").body("2").send().await?.expect(200)?;
    let cloud = cloud.restart().await?;
    assert_eq!(cloud.get("/bucket/o").send().await?.text(), "2");
    let list = cloud.get("/bucket").query("versions", "").send().await?;
    assert_eq!(list.elements("IsLatest"), ["true", "false"]);
    Ok(())
}

#[tokio::test]
async fn versions_are_listed_page_by_page() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.set_versioning("Enabled").await?;
    let mut expected = Vec::new();
    for key in ["a", "b", "c"] {
        let mut ids = Vec::new();
        for body in ["1", "2", "3"] {
            let put = cloud
                .put(&format!("/bucket/{key}"))
                .body(body)
                .send()
                .await?;
            ids.push(put.header("x-amz-version-id").to_owned());
        }
        ids.reverse();
        expected.extend(ids);
    }
    for size in [1, 2, 4, 9] {
        let mut found = Vec::new();
        let (mut key, mut id) = (String::new(), String::new());
        loop {
            let call = cloud
                .get("/bucket")
                .query("versions", "")
                .query("max-keys", size);
            let call = match key.is_empty() {
                true => call,
                false => call
                    .query("key-marker", &key)
                    .query("version-id-marker", &id),
            };
            let page = call.send().await?.expect(200)?;
            found.extend(page.elements("VersionId"));
            if page.element("IsTruncated")? == "false" {
                break;
            }
            key = page.element("NextKeyMarker")?;
            id = page.element("NextVersionIdMarker")?;
        }
        assert_eq!(found, expected, "pages of {size}");
    }
    Ok(())
}

#[tokio::test]
async fn lifecycle_rules_delete_what_is_due() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let rules = "<LifecycleConfiguration>\
        <Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
        <NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>\
        <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>\
        <Rule><ID>short</ID><Status>Enabled</Status><Filter><Prefix>short/</Prefix></Filter>\
        <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>";
    let put = cloud.put("/bucket").query("lifecycle", "").body(rules);
    put.send().await?.expect(200)?;
    cloud.set_versioning("Enabled").await?;
    for body in ["1", "2"] {
        cloud
            .put("/bucket/long/o")
            .body(body)
            .send()
            .await?
            .expect(200)?;
        cloud
            .put("/bucket/short/o")
            .body(body)
            .send()
            .await?
            .expect(200)?;
    }
    cloud
        .post("/bucket/begun")
        .query("uploads", "")
        .send()
        .await?
        .expect(200)?;

    let (s3, clock) = (&cloud.service.s3, &cloud.account.context.clock);
    let day = 24 * 60 * 60 * 1_000;
    let now = clock.unix_millis();
    s3.expire(now).await?;
    let list = || cloud.get("/bucket").query("versions", "").send();
    assert_eq!(list().await?.elements("Version").len(), 4);

    s3.expire(now + 2 * day).await?;
    let after = list().await?;
    assert_eq!(after.elements("Version").len(), 2, "{}", after.text());
    assert_eq!(after.elements("DeleteMarker").len(), 1);
    assert_eq!(cloud.get("/bucket/long/o").send().await?.text(), "2");
    cloud
        .get("/bucket/short/o")
        .send()
        .await?
        .refused(404, "NoSuchKey")?;
    let uploads = cloud.get("/bucket").query("uploads", "").send().await?;
    assert!(uploads.elements("UploadId").is_empty());

    // What was current is old by now, and the marker then hides nothing.
    s3.expire(now + 5 * day).await?;
    s3.expire(now + 5 * day).await?;
    assert_eq!(list().await?.elements("Version").len(), 1);
    assert!(list().await?.elements("DeleteMarker").is_empty());
    Ok(())
}
