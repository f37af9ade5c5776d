//! What is declared of a distribution.

use serde_json::{Value, json};

pub const DISTRIBUTION: &str = "aws:cloudfront/distribution:Distribution";

pub fn cache_policy(queries: &str) -> Value {
    json!({
        "name": "cache",
        "parametersInCacheKeyAndForwardedToOrigin": {
            "cookiesConfig": { "cookieBehavior": "none" },
            "headersConfig": { "headerBehavior": "none" },
            "queryStringsConfig": { "queryStringBehavior": queries },
        },
    })
}

pub fn distribution(access: &str, headers: &str) -> Value {
    json!({
        "enabled": true,
        "defaultRootObject": "index.html",
        "origins": [{
            "originId": "site",
            "domainName": "bucket.s3.us-east-1.amazonaws.com",
            "originAccessControlId": access,
        }],
        "defaultCacheBehavior": {
            "targetOriginId": "site",
            "viewerProtocolPolicy": "redirect-to-https",
            "allowedMethods": ["GET", "HEAD"],
            "cachedMethods": ["GET", "HEAD"],
            "cachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "responseHeadersPolicyId": headers,
        },
        "customErrorResponses": [
            { "errorCode": 404, "responseCode": 404, "responsePagePath": "/404.html" },
        ],
        "restrictions": { "geoRestriction": { "restrictionType": "none" } },
        "viewerCertificate": { "cloudfrontDefaultCertificate": true },
    })
}

/// An access control: its type, and its inputs.
pub fn access_control() -> (&'static str, Value) {
    let token = "aws:cloudfront/originAccessControl:OriginAccessControl";
    let inputs = json!({
        "name": "access",
        "originAccessControlOriginType": "s3",
        "signingBehavior": "always",
        "signingProtocol": "sigv4",
    });
    (token, inputs)
}

/// A policy for the headers of answers: its type, and its inputs.
pub fn headers_policy() -> (&'static str, Value) {
    let token = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy";
    let inputs = json!({
        "name": "headers",
        "securityHeadersConfig": {
            "contentTypeOptions": { "override": true },
            "frameOptions": { "frameOption": "DENY", "override": true },
            "referrerPolicy": { "referrerPolicy": "no-referrer", "override": true },
            "strictTransportSecurity": {
                "accessControlMaxAgeSec": 31536000,
                "includeSubdomains": true,
                "override": true,
            },
            "contentSecurityPolicy": {
                "contentSecurityPolicy": "default-src 'self'",
                "override": true,
            },
        },
    });
    (token, inputs)
}
