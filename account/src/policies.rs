//! Who may do what, in IAM's language.

use serde_json::{Value, json};

use crate::github;
use crate::names::PROJECT;

/// What a preview reads of a stack's resources, and what a deployment does besides.
pub const PREVIEW: &str = include_str!("../../infra/deployer/preview.json");
pub const DEPLOY: &str = include_str!("../../infra/deployer/deploy.json");

/// What a job is for, as a subject ends.
#[derive(Debug, Clone, Copy)]
pub enum Job<'a> {
    /// A pull request, a merge to main, or the nightly one.
    Reading,
    /// A deployment to the environment of a stack.
    Deploying(&'a str),
}

/// The document by which jobs of a repository may assume a role.
pub fn trust(provider: &str, subject: &str, job: Job<'_>) -> Value {
    let subjects = match job {
        Job::Reading => vec![
            format!("{subject}:pull_request"),
            format!("{subject}:ref:refs/heads/main"),
        ],
        Job::Deploying(stack) => vec![format!("{subject}:environment:{stack}")],
    };
    let issuer = github::ISSUER;
    document(&[json!({
        "Effect": "Allow",
        "Principal": { "Federated": provider },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
            format!("{issuer}:aud"): github::AUDIENCE,
            format!("{issuer}:sub"): subjects,
        } },
    })])
}

/// What reads every state, and the secrets in them.
pub fn reads_states(bucket: &str, key: &str) -> Value {
    document(&reading(bucket, key))
}

/// What reads every state, and writes that of one stack: the state itself, what it was before, its
/// history and its lock, as Pulumi's own backend for buckets has them.
pub fn writes_state(bucket: &str, key: &str, stack: &str) -> Value {
    let files = [
        format!("stacks/{PROJECT}/{stack}.json*"),
        format!("backups/{PROJECT}/{stack}/*"),
        format!("history/{PROJECT}/{stack}/*"),
        format!("locks/organization/{PROJECT}/{stack}/*"),
    ];
    let files: Vec<String> = files
        .iter()
        .map(|file| format!("{bucket}/.pulumi/{file}"))
        .collect();
    let mut statements = reading(bucket, key);
    statements.push(json!({
        "Sid": "WriteState",
        "Effect": "Allow",
        "Action": ["s3:DeleteObject", "s3:PutObject"],
        "Resource": files,
    }));
    statements.push(json!({
        "Sid": "Encrypt",
        "Effect": "Allow",
        "Action": "kms:Encrypt",
        "Resource": key,
    }));
    document(&statements)
}

fn reading(bucket: &str, key: &str) -> Vec<Value> {
    vec![
        json!({
            "Sid": "ReadStates",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [bucket, format!("{bucket}/*")],
        }),
        json!({
            "Sid": "Decrypt",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key,
        }),
    ]
}

/// The policy of a bucket that refuses every request without TLS.
pub fn tls_only(bucket: &str) -> Value {
    document(&[json!({
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket, format!("{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })])
}

/// The document by which API Gateway may assume a role. It sends no source that a condition could ask
/// for.
pub fn api_gateway_trust() -> Value {
    document(&[json!({
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "sts:AssumeRole",
    })])
}

/// As the managed policy AmazonAPIGatewayPushToCloudWatchLogs, which API Gateway asks for.
pub fn any_log() -> Value {
    document(&[json!({
        "Effect": "Allow",
        "Action": [
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:FilterLogEvents",
            "logs:GetLogEvents",
            "logs:PutLogEvents",
        ],
        "Resource": "*",
    })])
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}
