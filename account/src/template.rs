//! The same resources as a CloudFormation template, to be given to somebody who may create roles.
//! Names and documents are those of the program; a test compares the two.

use serde_json::{Value, json};

use crate::policies::{self, Job};
use crate::{AccountSettings, github, names, state};

const ACCOUNT: &str = "${AWS::AccountId}";
const REGION: &str = "${AWS::Region}";

/// The template, as JSON.
pub fn of(settings: &AccountSettings) -> Value {
    let provider = github::arn(ACCOUNT);
    let bucket = format!("arn:aws:s3:::{}", names::state_bucket(ACCOUNT, REGION));
    let mut resources = json!({
        "StateBucket": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketName": names::state_bucket(ACCOUNT, REGION),
                "VersioningConfiguration": { "Status": "Enabled" },
                "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": true,
                    "BlockPublicPolicy": true,
                    "IgnorePublicAcls": true,
                    "RestrictPublicBuckets": true,
                },
            },
        },
        "StateBucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": { "Ref": "StateBucket" },
                "PolicyDocument": policies::tls_only(&bucket),
            },
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Description": "The secrets in the states of mysfits",
                "EnableKeyRotation": true,
                "PendingWindowInDays": state::WAITING_DAYS,
                // The policy that KMS gives a key by itself: IAM decides.
                "KeyPolicy": { "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow",
                    "Principal": { "AWS": format!("arn:aws:iam::{ACCOUNT}:root") },
                    "Action": "kms:*",
                    "Resource": "*",
                }] },
            },
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": { "AliasName": names::ALIAS, "TargetKeyId": { "Ref": "Key" } },
        },
        "PreviewPolicy": managed(names::PREVIEW, policies::PREVIEW),
        "DeployPolicy": managed(names::DEPLOY, policies::DEPLOY),
        "PreviewRole": role(
            names::PREVIEW,
            &policies::trust(&provider, &settings.subject, Job::Reading),
            &["PreviewPolicy"],
            &policies::reads_states(&bucket, KEY),
        ),
    });
    for stack in names::STACKS {
        let name = format!("Deploy{}Role", capital(stack));
        resources[name] = role(
            &names::deploy_role(stack),
            &policies::trust(&provider, &settings.subject, Job::Deploying(stack)),
            &["PreviewPolicy", "DeployPolicy"],
            &policies::writes_state(&bucket, KEY, stack),
        );
    }
    if settings.github_provider {
        resources["GitHub"] = json!({
            "Type": "AWS::IAM::OIDCProvider",
            "Properties": {
                "Url": format!("https://{}", github::ISSUER),
                "ClientIdList": [github::AUDIENCE],
            },
        });
    }
    if settings.api_gateway_logs {
        resources["ApiLogsRole"] = json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": names::API_LOGS,
                "AssumeRolePolicyDocument": policies::api_gateway_trust(),
                "Policies": [{ "PolicyName": "logs", "PolicyDocument": policies::any_log() }],
            },
        });
        resources["ApiLogs"] = json!({
            "Type": "AWS::ApiGateway::Account",
            "Properties": { "CloudWatchRoleArn": { "Fn::GetAtt": ["ApiLogsRole", "Arn"] } },
        });
    }
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What an account needs before mysfits is deployed to it from GitHub",
        "Resources": substituted(resources),
        "Outputs": substituted(outputs()),
    })
}

/// The key in documents: its ARN, once CloudFormation knows it.
const KEY: &str = "${Key.Arn}";

fn outputs() -> Value {
    let bucket = names::state_bucket(ACCOUNT, REGION);
    let role = |name: &str| json!({ "Value": { "Fn::GetAtt": [name, "Arn"] } });
    json!({
        "backend": { "Value": format!("s3://{bucket}?region={REGION}") },
        "secretsProvider": { "Value": format!("awskms://{}?region={REGION}", names::ALIAS) },
        "previewRole": role("PreviewRole"),
        "deployDevRole": role("DeployDevRole"),
        "deployProdRole": role("DeployProdRole"),
        "region": { "Value": REGION },
    })
}

fn managed(name: &str, document: &str) -> Value {
    json!({
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": name,
            // A file of this repository, which a test reads.
            "PolicyDocument": serde_json::from_str::<Value>(document).unwrap_or_default(),
        },
    })
}

fn role(name: &str, trust: &Value, managed: &[&str], states: &Value) -> Value {
    let managed: Vec<Value> = managed.iter().map(|name| json!({ "Ref": name })).collect();
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": name,
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": managed,
            "Policies": [{ "PolicyName": "states", "PolicyDocument": states }],
        },
    })
}

/// Has CloudFormation fill in account, region and key where a text names them.
fn substituted(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("${") => json!({ "Fn::Sub": text }),
        Value::Array(items) => items.into_iter().map(substituted).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, substituted(value)))
            .collect(),
        other => other,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
