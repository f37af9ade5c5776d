//! What viewers speak to a distribution, and with it the distribution to its bucket.

use crate::cloudfront::Site;
use anyhow::Result;
use serde_json::{Value, json};

/// CloudFront speaks to a bucket in the viewer's scheme:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPandHTTPSRequests.html>.
#[tokio::test]
async fn a_bucket_that_wants_tls_refuses_what_viewers_ask_in_plain_http() -> Result<()> {
    let mut site = Site::start().await?;
    let read = json!({
        "Effect": "Allow",
        "Principal": { "Service": "cloudfront.amazonaws.com" },
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        "Condition": {
            "StringEquals": { "AWS:SourceArn": site.distribution.resource.output("arn") },
        },
    });
    let tls = json!({
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let policy = |statements: &[&Value]| {
        json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
    };
    for (viewers, statements, home) in [
        ("redirect-to-https", &[&read, &tls][..], 200),
        ("https-only", &[&read, &tls], 200),
        ("allow-all", &[&read, &tls], 403),
        ("allow-all", &[&read], 200),
    ] {
        let put = site.cloud.put("/bucket").query("policy", "");
        let put = put.body(policy(statements)).send().await?;
        put.expect(204)?;
        let mut inputs = site.distribution.resource.inputs.clone();
        inputs["defaultCacheBehavior"]["viewerProtocolPolicy"] = viewers.into();
        let inputs = inputs.into();
        site.distribution = site.cloud.change(site.distribution, inputs).await?;
        site.get("/").await?.expect(home)?;
        // The page for what is missing is read in the same scheme.
        let lost = if home == 200 { 404 } else { 403 };
        site.get("/nothing").await?.expect(lost)?;
    }
    Ok(())
}
