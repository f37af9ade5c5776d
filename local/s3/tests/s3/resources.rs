//! Buckets, their settings, objects and roles as resources.

use crate::client::Cloud;
use anyhow::{Context, Result};
use cloud_testing::stack::refusal;
use pulumi_protocol::{ASSET, SIGNATURE};
use serde_json::json;

const BUCKET: &str = "aws:s3/bucket:Bucket";
const OBJECT: &str = "aws:s3/bucketObjectv2:BucketObjectv2";
const VERSIONING: &str = "aws:s3/bucketVersioning:BucketVersioning";
const POLICY: &str = "aws:s3/bucketPolicy:BucketPolicy";
const ACCESS: &str = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const LIFECYCLE: &str = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
const ROLE: &str = "aws:iam/role:Role";
const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";

/// An asset, as resource types get it.
fn asset(path: &str) -> serde_json::Value {
    json!({ SIGNATURE: ASSET, "path": path })
}

#[tokio::test]
async fn a_bucket_is_deployed_with_what_belongs_to_it() -> Result<()> {
    let cloud = Cloud::start().await?;
    let bucket = cloud
        .deploy(
            BUCKET,
            "b",
            json!({ "bucket": "bucket", "tags": { "a": "1" } }),
        )
        .await?;
    assert_eq!(bucket.resource.id, "bucket");
    for (name, value) in [
        ("arn", "arn:aws:s3:::bucket"),
        ("bucketDomainName", "bucket.s3.amazonaws.com"),
        (
            "bucketRegionalDomainName",
            "bucket.s3.us-east-1.amazonaws.com",
        ),
    ] {
        assert_eq!(bucket.resource.output(name), value);
    }
    cloud.head("/bucket").send().await?.expect(200)?;
    let tags = cloud.get("/bucket").query("tagging", "").send().await?;
    assert_eq!(tags.element("Value")?, "1");

    let versioning =
        json!({ "bucket": "bucket", "versioningConfiguration": { "status": "Enabled" } });
    let versioning = cloud.deploy(VERSIONING, "v", versioning).await?;
    let access = json!({ "bucket": "bucket", "blockPublicAcls": true });
    let access = cloud.deploy(ACCESS, "a", access).await?;
    let rules = json!({ "bucket": "bucket", "rules": [
        { "id": "old", "status": "Enabled", "filter": { "prefix": "" },
          "noncurrentVersionExpiration": { "noncurrentDays": 30 } } ] });
    let lifecycle = cloud.deploy(LIFECYCLE, "l", rules).await?;
    let shown = cloud.get("/bucket").query("versioning", "").send().await?;
    assert_eq!(shown.element("Status")?, "Enabled");
    let shown = cloud.get("/bucket").query("lifecycle", "").send().await?;
    assert_eq!(shown.element("NoncurrentDays")?, "30");
    for record in [&bucket, &versioning, &access, &lifecycle] {
        let (inputs, outputs) = cloud.refresh(record).await?.context("gone")?;
        assert_eq!(inputs, json!(record.resource.inputs), "{}", record.token);
        assert_eq!(outputs, json!(record.resource.outputs), "{}", record.token);
    }

    // What clients change is seen; what is deleted goes back to what it was.
    cloud.set_versioning("Suspended").await?;
    let (inputs, _) = cloud.refresh(&versioning).await?.context("gone")?;
    assert_eq!(inputs["versioningConfiguration"]["status"], "Suspended");
    cloud
        .delete("/bucket")
        .query("lifecycle", "")
        .send()
        .await?
        .expect(204)?;
    assert!(cloud.refresh(&lifecycle).await?.is_none());
    cloud.undeploy(&access).await?;
    let shown = cloud
        .get("/bucket")
        .query("publicAccessBlock", "")
        .send()
        .await?;
    shown.refused(404, "NoSuchPublicAccessBlockConfiguration")?;
    cloud.undeploy(&bucket).await?;
    assert!(cloud.refresh(&bucket).await?.is_none());
    assert!(cloud.refresh(&versioning).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_bucket_with_objects_goes_only_by_force() -> Result<()> {
    let cloud = Cloud::start().await?;
    let kept = cloud
        .deploy(BUCKET, "b", json!({ "bucket": "bucket" }))
        .await?;
    let again = refusal(
        cloud
            .deploy(BUCKET, "c", json!({ "bucket": "bucket" }))
            .await,
    );
    assert!(again.contains("BucketAlreadyOwnedByYou"), "{again}");
    cloud.set_versioning("Enabled").await?;
    cloud.put("/bucket/o").body("1").send().await?.expect(200)?;
    cloud
        .put("/bucket/large")
        .body(vec![0; 100_000])
        .send()
        .await?
        .expect(200)?;
    cloud.delete("/bucket/o").send().await?.expect(204)?;
    let refused = refusal(cloud.undeploy(&kept).await);
    assert!(refused.contains("BucketNotEmpty"), "{refused}");
    let inputs = json!({ "bucket": "bucket", "forceDestroy": true });
    let kept = cloud.change(kept, inputs).await?;
    cloud.undeploy(&kept).await?;
    cloud.head("/bucket").send().await?.expect(404)?;
    let files = std::fs::read_dir(cloud.folder.path().join("s3"))?.count();
    assert_eq!(files, 0);
    Ok(())
}

#[tokio::test]
async fn deployed_buckets_survive_a_restart_and_their_deletion_by_hand() -> Result<()> {
    let cloud = Cloud::start().await?;
    let bucket = cloud
        .deploy(BUCKET, "b", json!({ "bucket": "bucket" }))
        .await?;
    let cloud = cloud.restart().await?;
    cloud.head("/bucket").send().await?.expect(200)?;
    cloud.delete("/bucket").send().await?.expect(204)?;
    let cloud = cloud.restart().await?;
    cloud.head("/bucket").send().await?.expect(404)?;
    assert!(cloud.refresh(&bucket).await?.is_none());
    cloud.undeploy(&bucket).await?;
    Ok(())
}

#[tokio::test]
async fn an_object_is_what_is_declared() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.set_versioning("Enabled").await?;
    let file = cloud.folder.path().join("page.html");
    std::fs::write(&file, "<p>1</p>")?;
    let inputs = |path: &str| {
        json!({
            "bucket": "bucket", "key": "page.html", "source": asset(path),
            "contentType": "text/html", "cacheControl": "no-cache",
        })
    };
    let path = file.to_string_lossy().into_owned();
    let object = cloud.deploy(OBJECT, "page", inputs(&path)).await?;
    assert_eq!(object.resource.id, "bucket/page.html");
    let got = cloud.get("/bucket/page.html").send().await?.expect(200)?;
    assert_eq!(got.text(), "<p>1</p>");
    assert_eq!(
        (got.header("content-type"), got.header("cache-control")),
        ("text/html", "no-cache")
    );
    assert_eq!(
        got.header("x-amz-version-id"),
        object.resource.output("versionId")
    );
    assert_eq!(
        got.header("etag"),
        format!("\"{}\"", object.resource.output("etag"))
    );

    let other = cloud.folder.path().join("other.html");
    std::fs::write(&other, "<p>2</p>")?;
    let before = object.resource.output("versionId").to_owned();
    let object = cloud
        .change(object, inputs(&other.to_string_lossy()))
        .await?;
    assert_ne!(object.resource.output("versionId"), before);
    assert_eq!(
        cloud.get("/bucket/page.html").send().await?.text(),
        "<p>2</p>"
    );

    // By hand changed, then deleted.
    cloud
        .put("/bucket/page.html")
        .body("3")
        .send()
        .await?
        .expect(200)?;
    let (_, outputs) = cloud.refresh(&object).await?.context("gone")?;
    assert_ne!(outputs["etag"], json!(object.resource.output("etag")));
    cloud
        .delete("/bucket/page.html")
        .send()
        .await?
        .expect(204)?;
    assert!(cloud.refresh(&object).await?.is_none());
    cloud.undeploy(&object).await?;
    let list = cloud.get("/bucket").query("versions", "").send().await?;
    assert!(list.elements("VersionId").is_empty(), "{}", list.text());

    let text = json!({ "bucket": "bucket", "key": "t", "content": "text" });
    cloud.deploy(OBJECT, "text", text).await?;
    let got = cloud.get("/bucket/t").send().await?;
    assert_eq!(
        (got.text().as_str(), got.header("content-type")),
        ("text", "application/octet-stream")
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_deployed_is_refused_with_the_reason() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let statement = |principal: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}}}"#
        )
    };
    let trust = |action: &str| {
        format!(
            r#"{{"Statement":{{"Effect":"Allow","Principal":{{"Service":"lambda.amazonaws.com"}},"Action":"{action}"}}}}"#
        )
    };
    for (token, inputs, expected) in [
        (BUCKET, json!({ "bucket": "Bad" }), "lower-case"),
        (
            BUCKET,
            json!({ "bucket": "other", "website": {} }),
            "unknown field `website`",
        ),
        (
            VERSIONING,
            json!({ "bucket": "none", "versioningConfiguration": { "status": "Enabled" } }),
            "NoSuchBucket",
        ),
        (
            VERSIONING,
            json!({ "bucket": "bucket", "versioningConfiguration": { "status": "On" } }),
            "unknown variant `On`",
        ),
        (
            POLICY,
            json!({ "bucket": "bucket", "policy": statement("\"*\"") }),
            "BlockPublicPolicy",
        ),
        (
            POLICY,
            json!({ "bucket": "bucket", "policy": "{}" }),
            "missing field",
        ),
        (
            LIFECYCLE,
            json!({ "bucket": "bucket", "rules": [] }),
            "1 to 1000 rules",
        ),
        (
            OBJECT,
            json!({ "bucket": "none", "key": "o" }),
            "NoSuchBucket",
        ),
        (
            OBJECT,
            json!({ "bucket": "bucket", "key": "o", "source": asset("/none") }),
            "cannot be read",
        ),
        (
            OBJECT,
            json!({ "bucket": "bucket", "key": "o", "content": "x", "source": asset("/x") }),
            "one of source, content",
        ),
        (
            ROLE,
            json!({ "name": "r", "assumeRolePolicy": trust("s3:GetObject") }),
            "STS AssumeRole",
        ),
        (
            ROLE,
            json!({ "name": "r/", "assumeRolePolicy": trust("sts:AssumeRole") }),
            "1 to 64",
        ),
        (
            ROLE,
            json!({ "name": "r", "path": "x", "assumeRolePolicy": trust("sts:AssumeRole") }),
            "begin and end with /",
        ),
        (
            ROLE_POLICY,
            json!({ "name": "p", "role": "none", "policy": r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"# }),
            "NoSuchEntity",
        ),
    ] {
        let refused = refusal(cloud.deploy(token, "x", inputs).await);
        assert!(refused.contains(expected), "{token}: {refused}");
    }
    Ok(())
}
