//! What cannot be declared, and what cannot be deleted.

use crate::inputs;
use crate::site::Site;
use anyhow::Result;
use cloud_testing::stack::refusal;
use serde_json::{Value, json};

#[tokio::test]
async fn what_a_distribution_uses_cannot_be_deleted() -> Result<()> {
    let site = Site::start().await?;
    let all = site.cloud.account.deployments.all();
    for (token, code) in [
        ("originAccessControl", "OriginAccessControlInUse"),
        ("responseHeadersPolicy", "ResponseHeadersPolicyInUse"),
    ] {
        for record in all.iter().filter(|record| record.token.contains(token)) {
            let refused = refusal(site.cloud.undeploy(record).await);
            assert!(refused.contains(code), "{refused}");
        }
    }
    site.cloud.undeploy(&site.distribution).await?;
    for record in all
        .iter()
        .filter(|record| record.token != inputs::DISTRIBUTION)
    {
        site.cloud.undeploy(record).await?;
    }
    Ok(())
}

/// Each row: where in the inputs, what instead, and a part of the refusal.
#[tokio::test]
async fn what_cannot_be_is_refused_at_deployment() -> Result<()> {
    let site = Site::start().await?;
    let good = Value::Object(site.distribution.resource.inputs.clone());
    for (pointer, value, expected) in [
        (
            "/defaultCacheBehavior/targetOriginId",
            json!("other"),
            "no origin \"other\"",
        ),
        (
            "/defaultCacheBehavior/allowedMethods",
            json!(["GET"]),
            "allowedMethods",
        ),
        (
            "/defaultCacheBehavior/allowedMethods",
            json!(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]),
            "methods that change an origin",
        ),
        (
            "/defaultCacheBehavior/cachePolicyId",
            json!("none"),
            "NoSuchCachePolicy",
        ),
        (
            "/defaultCacheBehavior/responseHeadersPolicyId",
            json!("none"),
            "NoSuchResponseHeadersPolicy",
        ),
        (
            "/origins/0/domainName",
            json!("example.com"),
            "origins other than S3",
        ),
        (
            "/origins/0/originAccessControlId",
            json!("E0"),
            "InvalidOriginAccessControl",
        ),
        (
            "/defaultRootObject",
            json!("/index.html"),
            "must not begin with /",
        ),
        ("/customErrorResponses/0/errorCode", json!(418), "errorCode"),
        (
            "/customErrorResponses/0/responsePagePath",
            json!("404.html"),
            "must begin with /",
        ),
        (
            "/restrictions/geoRestriction/restrictionType",
            json!("whitelist"),
            "restrictions by country",
        ),
        (
            "/viewerCertificate",
            json!({ "acmCertificateArn": "arn:x" }),
            "certificates",
        ),
    ] {
        let mut inputs = good.clone();
        if let Some(place) = inputs.pointer_mut(pointer) {
            *place = value;
        }
        let refused = refusal(
            site.cloud
                .deploy(inputs::DISTRIBUTION, "other", inputs)
                .await,
        );
        assert!(refused.contains(expected), "{pointer}: {refused}");
    }
    let forwarding = inputs::cache_policy("all");
    let refused = site
        .cloud
        .deploy("aws:cloudfront/cachePolicy:CachePolicy", "c", forwarding);
    assert!(refusal(refused.await).contains("query strings"));
    let token = "aws:cloudfront/cachePolicy:CachePolicy";
    site.cloud
        .deploy(token, "c", inputs::cache_policy("none"))
        .await?;
    let again = refusal(
        site.cloud
            .deploy(token, "d", inputs::cache_policy("none"))
            .await,
    );
    assert!(again.contains("CachePolicyAlreadyExists"), "{again}");
    Ok(())
}
