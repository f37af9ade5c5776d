//! Who may do what with a bucket.

use crate::client::{Call, Cloud, http};
use anyhow::Result;

const ANYBODY_READS: &str = r#"{"Statement":{"Effect":"Allow","Principal":"*",
    "Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}"#;

async fn set_policy(cloud: &Cloud, policy: &str) -> Result<()> {
    let call = cloud.put("/bucket").query("policy", "").body(policy);
    call.send().await?.expect(204)?;
    Ok(())
}

async fn open_to_the_public(cloud: &Cloud) -> Result<()> {
    let call = cloud.delete("/bucket").query("publicAccessBlock", "");
    call.send().await?.expect(204)?;
    Ok(())
}

#[tokio::test]
async fn nobody_gets_in_without_a_policy() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    let calls: [Call<'_>; 8] = [
        cloud.get("/"),
        cloud.get("/bucket"),
        cloud.get("/bucket/o"),
        cloud.get("/bucket/none"),
        cloud.put("/bucket/o").body("y"),
        cloud.delete("/bucket/o"),
        cloud.put("/new"),
        cloud.get("/bucket").query("policy", ""),
    ];
    for call in calls {
        call.anonymous()
            .send()
            .await?
            .refused(403, "AccessDenied")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_policy_decides_for_the_anonymous() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    open_to_the_public(&cloud).await?;
    set_policy(&cloud, ANYBODY_READS).await?;
    let read = || cloud.get("/bucket/o").anonymous().send();
    assert_eq!(read().await?.expect(200)?.text(), "x");
    let write = cloud.put("/bucket/o").anonymous().body("y");
    write.send().await?.refused(403, "AccessDenied")?;
    // Without s3:ListBucket, what is missing cannot be told from what is not allowed.
    let missing = cloud.get("/bucket/none").anonymous();
    missing.send().await?.refused(403, "AccessDenied")?;
    let overridden = cloud
        .get("/bucket/o")
        .query("response-content-type", "x")
        .anonymous();
    overridden.send().await?.refused(400, "InvalidRequest")?;

    let cloud = cloud.restart().await?;
    assert_eq!(
        cloud
            .get("/bucket/o")
            .anonymous()
            .send()
            .await?
            .expect(200)?
            .text(),
        "x"
    );
    cloud
        .delete("/bucket")
        .query("policy", "")
        .send()
        .await?
        .expect(204)?;
    let read = cloud.get("/bucket/o").anonymous();
    read.send().await?.refused(403, "AccessDenied")
}

#[tokio::test]
async fn public_access_can_be_blocked() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    // New buckets block public policies.
    let call = cloud.put("/bucket").query("policy", "").body(ANYBODY_READS);
    call.send().await?.refused(403, "AccessDenied")?;
    open_to_the_public(&cloud).await?;
    set_policy(&cloud, ANYBODY_READS).await?;
    let status = cloud
        .get("/bucket")
        .query("policyStatus", "")
        .send()
        .await?;
    assert_eq!(status.element("IsPublic")?, "true");
    let xml = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
    let call = cloud
        .put("/bucket")
        .query("publicAccessBlock", "")
        .body(xml);
    call.send().await?.expect(200)?;
    let read = cloud.get("/bucket/o").anonymous();
    read.send().await?.refused(403, "AccessDenied")?;
    cloud.get("/bucket/o").send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn a_deny_binds_the_account_but_for_the_policy_itself() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    cloud.put("/bucket/o").body("x").send().await?.expect(200)?;
    let deny = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*",
        "Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}}"#;
    set_policy(&cloud, deny).await?;
    let refused = cloud.get("/bucket/o").send().await?.expect(403)?;
    assert_eq!(
        refused.element("Message")?,
        "User: arn:aws:iam::000000000000:root is not authorized to perform: s3:GetObject on \
         resource: arn:aws:s3:::bucket/o with an explicit deny in a resource-based policy"
    );
    cloud
        .get("/bucket")
        .send()
        .await?
        .refused(403, "AccessDenied")?;
    cloud
        .delete("/bucket")
        .query("policy", "")
        .send()
        .await?
        .expect(204)?;
    cloud.get("/bucket/o").send().await?.expect(200)?;
    Ok(())
}

#[tokio::test]
async fn conditions_see_what_a_list_asks_for() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    open_to_the_public(&cloud).await?;
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket",
        "Resource":"arn:aws:s3:::bucket",
        "Condition":{"StringEquals":{"s3:prefix":"open/","s3:delimiter":"/"},
                     "NumericLessThanEquals":{"s3:max-keys":"10"}}}}"#;
    set_policy(&cloud, policy).await?;
    let list = |prefix: &str, delimiter: &str, max: u32| {
        let call = cloud
            .get("/bucket")
            .query("list-type", 2)
            .query("max-keys", max);
        call.query("prefix", prefix)
            .query("delimiter", delimiter)
            .anonymous()
    };
    list("open/", "/", 10).send().await?.expect(200)?;
    for (prefix, delimiter, max) in [("open/", "/", 11), ("secret/", "/", 1), ("open/", "-", 1)] {
        list(prefix, delimiter, max)
            .send()
            .await?
            .refused(403, "AccessDenied")?;
    }
    Ok(())
}

#[tokio::test]
async fn keys_must_be_the_accounts() -> Result<()> {
    let cloud = Cloud::with_bucket().await?;
    let http = http();
    let url = cloud.get("/bucket").presigned(60)?;
    let stranger = http
        .get(url.replace("Credential=test", "Credential=stranger"))
        .send()
        .await?;
    assert_eq!(stranger.status(), 403);
    assert!(stranger.text().await?.contains("InvalidAccessKeyId"));
    let other = http
        .get(url.replace("Expires=60", "Expires=61"))
        .send()
        .await?;
    assert_eq!(other.status(), 403);
    assert!(other.text().await?.contains("SignatureDoesNotMatch"));
    Ok(())
}
