//! Buckets and their settings.

use crate::client::{Call, Cloud};
use anyhow::Result;

#[tokio::test]
async fn buckets_are_made_listed_and_deleted() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud
        .put("/Bad_Name")
        .send()
        .await?
        .refused(400, "InvalidBucketName")?;
    cloud
        .put("/xn--bad")
        .send()
        .await?
        .refused(400, "InvalidBucketName")?;
    let xml = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    cloud.put("/abroad").body(xml).send().await?.expect(200)?;
    let location = |name: &str| cloud.get(&format!("/{name}")).query("location", "");
    assert!(
        location("abroad")
            .send()
            .await?
            .text()
            .contains("eu-west-1")
    );
    assert!(
        !location("bucket")
            .send()
            .await?
            .text()
            .contains("us-east-1")
    );
    assert_eq!(
        cloud.get("/").send().await?.elements("Name"),
        ["abroad", "bucket"]
    );
    let head = cloud.head("/abroad").send().await?.expect(200)?;
    assert_eq!(head.header("x-amz-bucket-region"), "eu-west-1");

    let cloud = cloud.restart().await?;
    cloud.delete("/abroad").send().await?.expect(204)?;
    cloud.head("/abroad").send().await?.expect(404)?;
    cloud
        .get("/abroad")
        .send()
        .await?
        .refused(404, "NoSuchBucket")?;
    cloud
        .put("/abroad/o")
        .body("x")
        .send()
        .await?
        .refused(404, "NoSuchBucket")?;
    cloud
        .delete("/abroad")
        .send()
        .await?
        .refused(404, "NoSuchBucket")
}

#[tokio::test]
async fn a_bucket_with_old_versions_is_not_empty() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    cloud
        .delete("/bucket")
        .send()
        .await?
        .refused(409, "BucketNotEmpty")?;
    cloud.set_versioning("Enabled").await?;
    let marker = cloud.delete("/bucket/o").send().await?;
    let marker = marker.header("x-amz-version-id").to_owned();
    cloud
        .delete("/bucket")
        .send()
        .await?
        .refused(409, "BucketNotEmpty")?;
    for id in ["null", &marker] {
        let call = cloud.delete("/bucket/o").query("versionId", id);
        call.send().await?.expect(204)?;
    }
    cloud.delete("/bucket").send().await?.expect(204)?;
    Ok(())
}

fn get<'a>(cloud: &'a Cloud, setting: &str) -> Call<'a> {
    cloud.get("/bucket").query(setting, "")
}

#[tokio::test]
async fn settings_are_kept_and_shown() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let versioning = get(&cloud, "versioning").send().await?;
    assert!(versioning.elements("Status").is_empty());
    get(&cloud, "policy")
        .send()
        .await?
        .refused(404, "NoSuchBucketPolicy")?;
    get(&cloud, "lifecycle")
        .send()
        .await?
        .refused(404, "NoSuchLifecycleConfiguration")?;
    get(&cloud, "tagging")
        .send()
        .await?
        .refused(404, "NoSuchTagSet")?;
    let block = get(&cloud, "publicAccessBlock").send().await?;
    assert_eq!(block.element("RestrictPublicBuckets")?, "true");
    let encryption = get(&cloud, "encryption").send().await?;
    assert_eq!(encryption.element("SSEAlgorithm")?, "AES256");
    let ownership = get(&cloud, "ownershipControls").send().await?;
    assert_eq!(ownership.element("ObjectOwnership")?, "BucketOwnerEnforced");

    cloud.set_versioning("Enabled").await?;
    let rules = "<LifecycleConfiguration><Rule><ID>old</ID><Status>Enabled</Status><Filter><Prefix>a/</Prefix></Filter>\
        <NoncurrentVersionExpiration><NoncurrentDays>30</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>";
    let put = cloud.put("/bucket").query("lifecycle", "").body(rules);
    put.send().await?.expect(200)?;
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>";
    cloud
        .put("/bucket")
        .query("tagging", "")
        .body(tags)
        .send()
        .await?
        .expect(200)?;
    cloud
        .delete("/bucket")
        .query("publicAccessBlock", "")
        .send()
        .await?
        .expect(204)?;

    let cloud = cloud.restart().await?;
    assert_eq!(
        get(&cloud, "versioning").send().await?.element("Status")?,
        "Enabled"
    );
    let lifecycle = get(&cloud, "lifecycle").send().await?;
    assert_eq!(lifecycle.element("NoncurrentDays")?, "30");
    assert_eq!(get(&cloud, "tagging").send().await?.element("Value")?, "1");
    let block = get(&cloud, "publicAccessBlock").send().await?;
    block.refused(404, "NoSuchPublicAccessBlockConfiguration")
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    for (name, xml, status, code) in [
        (
            "versioning",
            "<VersioningConfiguration/>",
            400,
            "IllegalVersioningConfigurationException",
        ),
        ("versioning", "nonsense", 400, "MalformedXML"),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter/></Rule></LifecycleConfiguration>",
            400,
            "InvalidArgument",
        ),
        (
            "ownershipControls",
            "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
            501,
            "NotImplemented",
        ),
    ] {
        let call = cloud.put("/bucket").query(name, "").body(xml);
        call.send().await?.refused(status, code)?;
    }
    for (policy, code) in [
        ("{", "MalformedPolicy"),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket"}}"#,
            "MalformedPolicy",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"arn:aws:s3:::other/*"}}"#,
            "MalformedPolicy",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/none"},"Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"}}"#,
            "MalformedPolicy",
        ),
    ] {
        let call = cloud.put("/bucket").query("policy", "").body(policy);
        call.send().await?.refused(400, code)?;
    }
    Ok(())
}
