//! Policy documents, in IAM's language.

use serde_json::{Value, json};

/// A whole document of statements, as the text that AWS takes.
pub fn document(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// The statement by which a role may do `actions` on `resources`.
pub fn allow(sid: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// The document by which a service may assume a role.
pub fn trust(service: &str) -> String {
    document(&[trusted(service)])
}

/// The document by which a service may assume a role when it names `external_id`.
pub fn trust_with_external_id(service: &str, external_id: &str) -> String {
    let mut statement = trusted(service);
    statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": external_id } });
    document(&[statement])
}

/// The statement of a bucket's policy that refuses requests without TLS.
pub fn tls_only(bucket_arn: &str) -> Value {
    json!({
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, format!("{bucket_arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// The statement of a bucket's policy that lets one distribution read its objects.
pub fn readable_by_distribution(bucket_arn: &str, distribution_arn: &str) -> Value {
    json!({
        "Sid": "Distribution",
        "Effect": "Allow",
        "Principal": { "Service": "cloudfront.amazonaws.com" },
        "Action": "s3:GetObject",
        "Resource": format!("{bucket_arn}/*"),
        "Condition": { "StringEquals": { "AWS:SourceArn": distribution_arn } },
    })
}

/// The statement of a topic's policy that lets the alarms of its account and region publish.
pub fn publishable_by_alarms(topic_arn: &str) -> Value {
    let mut parts = topic_arn.split(':').skip(1);
    let mut next = || parts.next().unwrap_or_default();
    let (partition, _, region, account) = (next(), next(), next(), next());
    json!({
        "Sid": "Alarms",
        "Effect": "Allow",
        "Principal": { "Service": "cloudwatch.amazonaws.com" },
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {
            "StringEquals": { "aws:SourceAccount": account },
            "ArnLike": { "aws:SourceArn": format!("arn:{partition}:cloudwatch:{region}:{account}:alarm:*") },
        },
    })
}

fn trusted(service: &str) -> Value {
    json!({
        "Effect": "Allow",
        "Principal": { "Service": service },
        "Action": "sts:AssumeRole",
    })
}
