//! Who may do what, who may read what, and what is encrypted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use pulumi_mock::{Resource, Run};
use serde_json::{Value, json};

use super::{all, mock, one, run};

const LOGS: &str = "arn:aws:logs:eu-west-1:123456789012:log-group";

fn policy(resource: &Resource, property: &str) -> Result<Vec<Value>> {
    let text = resource.inputs[property].as_str().context("no policy")?;
    let document: Value = serde_json::from_str(text)?;
    assert_eq!(document["Version"], "2012-10-17");
    let statements = document["Statement"].as_array();
    Ok(statements.context("no statements")?.clone())
}

/// What each role may do: action, resource, one a line.
fn permissions(run: &Run) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut permissions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for resource in all(run, "iam/rolePolicy") {
        let may = permissions.entry(resource.name.clone()).or_default();
        for statement in policy(resource, "policy")? {
            assert_eq!(statement["Effect"], "Allow");
            let texts = |name: &str| statement[name].as_array().cloned().unwrap_or_default();
            for action in texts("Action") {
                for on in texts("Resource") {
                    let (action, on) = (action.as_str(), on.as_str());
                    may.insert(format!("{} {}", action.unwrap_or("?"), on.unwrap_or("?")));
                }
            }
        }
    }
    Ok(permissions)
}

#[test]
fn each_role_may_do_what_it_must_and_no_more() -> Result<()> {
    let run = run(mock())?;
    let permissions = permissions(&run)?;
    let may = |role: &str| permissions.get(role).cloned().unwrap_or_default();
    let set = |texts: &[String]| texts.iter().cloned().collect::<BTreeSet<_>>();

    let group = format!("{LOGS}:mysfits-processor-1a2b3c4:*");
    assert_eq!(
        may("mysfits-processor"),
        set(&[
            format!("logs:CreateLogStream {group}"),
            format!("logs:PutLogEvents {group}")
        ])
    );

    let bucket = "arn:aws:s3:::mysfits-clicks-1a2b3c4";
    let actions = [
        "AbortMultipartUpload",
        "GetBucketLocation",
        "GetObject",
        "ListBucket",
        "ListBucketMultipartUploads",
        "PutObject",
    ];
    let mut delivery: BTreeSet<String> = actions
        .iter()
        .flat_map(|action| {
            [
                format!("s3:{action} {bucket}"),
                format!("s3:{action} {bucket}/*"),
            ]
        })
        .collect();
    delivery.insert("lambda:InvokeFunction arn:aws:lambda:eu-west-1:123456789012:function:mysfits-processor-1a2b3c4:$LATEST".to_owned());
    delivery.insert(format!(
        "logs:PutLogEvents {LOGS}:mysfits-delivery-1a2b3c4:log-stream:mysfits-delivery-1a2b3c4"
    ));
    assert_eq!(may("mysfits-delivery"), delivery);

    let stream = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/mysfits-clicks-1a2b3c4";
    assert_eq!(
        may("mysfits-api"),
        set(&[format!("firehose:PutRecord {stream}")])
    );
    assert_eq!(permissions.len(), 4);
    Ok(())
}

/// The whole list: streams of the function's own log group and objects of the bucket, whose names
/// nobody knows beforehand, and the logs of every API in the account, for which API Gateway asks.
#[test]
fn wildcards_are_only_where_they_must_be() -> Result<()> {
    let run = run(mock())?;
    let mut wild = BTreeSet::new();
    for (role, permissions) in permissions(&run)? {
        for permission in permissions {
            let (action, on) = permission.split_once(' ').context("no resource")?;
            assert!(!action.contains('*'), "{role}: {action}");
            if on.contains('*') {
                wild.insert(on.to_owned());
            }
        }
    }
    let expected = [
        "*",
        "arn:aws:s3:::mysfits-clicks-1a2b3c4/*",
        &format!("{LOGS}:mysfits-processor-1a2b3c4:*"),
    ]
    .map(str::to_owned);
    assert_eq!(wild, BTreeSet::from(expected));
    Ok(())
}

#[test]
fn each_role_trusts_one_service_on_the_conditions_that_it_can_meet() -> Result<()> {
    let run = run(mock())?;
    let expected = [
        ("mysfits-api", "apigateway.amazonaws.com", Value::Null),
        ("mysfits-api-logs", "apigateway.amazonaws.com", Value::Null),
        (
            "mysfits-delivery",
            "firehose.amazonaws.com",
            json!({ "StringEquals": { "sts:ExternalId": "123456789012" } }),
        ),
        ("mysfits-processor", "lambda.amazonaws.com", Value::Null),
    ];
    for (name, service, condition) in &expected {
        let statements = policy(one(&run, "iam/role", name)?, "assumeRolePolicy")?;
        let [statement] = &statements[..] else {
            anyhow::bail!("{name} has {} statements", statements.len());
        };
        assert_eq!(statement["Principal"], json!({ "Service": service }));
        assert_eq!(statement["Action"], "sts:AssumeRole");
        assert_eq!(statement["Condition"], *condition, "{name}");
    }
    assert_eq!(all(&run, "iam/role").count(), expected.len());
    Ok(())
}

#[test]
fn the_permission_is_for_this_stream_of_this_account() -> Result<()> {
    let run = run(mock())?;
    let permission = one(&run, "lambda/permission", "mysfits-delivery")?;
    assert_eq!(
        permission.inputs,
        json!({
            "action": "lambda:InvokeFunction",
            "function": "mysfits-processor-1a2b3c4",
            "principal": "firehose.amazonaws.com",
            "sourceAccount": "123456789012",
            "sourceArn": "arn:aws:firehose:eu-west-1:123456789012:deliverystream/mysfits-clicks-1a2b3c4",
        })
    );
    Ok(())
}

#[test]
fn every_bucket_is_closed_encrypted_and_tls_only() -> Result<()> {
    let run = run(mock())?;
    let buckets: Vec<&str> = all(&run, "s3/bucket")
        .map(|bucket| bucket.name.as_str())
        .collect();
    assert_eq!(buckets.len(), 2);
    for bucket in buckets {
        let of = |kind: &str, suffix: &str| one(&run, kind, &format!("{bucket}-{suffix}"));
        let closed = &of("s3/bucketPublicAccessBlock", "access")?.inputs;
        for block in [
            "blockPublicAcls",
            "blockPublicPolicy",
            "ignorePublicAcls",
            "restrictPublicBuckets",
        ] {
            assert_eq!(closed[block], true, "{bucket} {block}");
        }
        let owner = &of("s3/bucketOwnershipControls", "ownership")?.inputs;
        assert_eq!(
            owner["rule"],
            json!({ "objectOwnership": "BucketOwnerEnforced" })
        );
        let encryption = &of("s3/bucketServerSideEncryptionConfiguration", "encryption")?.inputs;
        assert_eq!(
            encryption["rules"],
            json!([{
                "applyServerSideEncryptionByDefault": { "sseAlgorithm": "AES256" },
                "blockedEncryptionTypes": ["SSE-C"],
                "bucketKeyEnabled": false,
            }])
        );
        let statements = policy(of("s3/bucketPolicy", "policy")?, "policy")?;
        let arn = format!("arn:aws:s3:::{bucket}-1a2b3c4");
        assert_eq!(
            statements.first(),
            Some(&json!({
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            }))
        );
    }
    Ok(())
}

/// Firehose: with a key of its own, for records that are put into it directly; a stream that reads
/// another has its source's encryption (the provider refuses both together).
#[test]
fn records_are_encrypted_while_they_wait() -> Result<()> {
    let run = run(mock())?;
    let stream = one(&run, "kinesis/firehoseDeliveryStream", "mysfits-clicks")?;
    assert_eq!(
        stream.inputs["serverSideEncryption"],
        json!({ "enabled": true, "keyType": "AWS_OWNED_CMK" })
    );
    Ok(())
}

/// After a refresh a bucket may have the settings of its other resources among its inputs
/// (pulumi-aws 6244): an update must not take them away.
#[test]
fn a_bucket_leaves_alone_what_other_resources_own() -> Result<()> {
    let owned = [
        ("s3/bucketLifecycleConfiguration", "lifecycleRules"),
        ("s3/bucketPolicy", "policy"),
        (
            "s3/bucketServerSideEncryptionConfiguration",
            "serverSideEncryptionConfiguration",
        ),
        ("s3/bucketVersioning", "versioning"),
        ("s3/bucketOwnershipControls", "acl"),
        ("s3/bucketOwnershipControls", "grants"),
    ];
    let run = run(mock())?;
    for (kind, input) in owned {
        for part in all(&run, kind) {
            let of = all(&run, "s3/bucket").find(|bucket| part.depends_on(&bucket.name));
            let by_versioning = || one(&run, "s3/bucket", "mysfits-clicks").ok();
            let bucket = of.or_else(by_versioning).context("no bucket")?;
            let ignored = &bucket.options.ignore_changes;
            assert!(
                ignored.iter().any(|one| one == input),
                "{}: {input}",
                bucket.name
            );
        }
    }
    Ok(())
}

/// Below a domain of one's own there may be hosts that have no TLS: they are not of this stack.
#[test]
fn tls_is_promised_for_the_site_s_host_alone() -> Result<()> {
    let run = run(mock())?;
    let headers = one(&run, "cloudfront/responseHeadersPolicy", "mysfits-site")?;
    assert_eq!(
        headers.inputs["securityHeadersConfig"]["strictTransportSecurity"],
        json!({ "accessControlMaxAgeSec": 31_536_000, "override": true })
    );
    Ok(())
}

#[test]
fn the_site_s_bucket_is_read_by_its_distribution_alone() -> Result<()> {
    let run = run(mock())?;
    let statements = policy(
        one(&run, "s3/bucketPolicy", "mysfits-site-policy")?,
        "policy",
    )?;
    let allowed: Vec<&Value> = statements
        .iter()
        .filter(|one| one["Effect"] == "Allow")
        .collect();
    assert_eq!(
        allowed,
        [&json!({
            "Sid": "Distribution",
            "Effect": "Allow",
            "Principal": { "Service": "cloudfront.amazonaws.com" },
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::mysfits-site-1a2b3c4/*",
            "Condition": {
                "StringEquals": {
                    "AWS:SourceArn": "arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE",
                },
            },
        })]
    );
    let clicks = policy(
        one(&run, "s3/bucketPolicy", "mysfits-clicks-policy")?,
        "policy",
    )?;
    assert!(clicks.iter().all(|one| one["Effect"] == "Deny"));
    Ok(())
}

#[test]
fn protect_guards_the_clicks_and_nothing_else() -> Result<()> {
    let run = run(mock().config("mysfits:protect", "true"))?;
    let protected: BTreeSet<String> = run
        .resources
        .iter()
        .filter(|resource| resource.options.protect == Some(true))
        .map(super::cloud::label)
        .collect();
    let expected = [
        "kinesis/firehoseDeliveryStream mysfits-clicks",
        "s3/bucket mysfits-clicks",
    ];
    assert_eq!(protected, expected.map(str::to_owned).into());
    Ok(())
}

#[test]
fn pages_of_the_allowed_origins_alone_may_send_clicks() -> Result<()> {
    let origins = r#"["https://a.example","https://b.example"]"#;
    for mock in [mock(), mock().config("mysfits:allowedOrigins", origins)] {
        let run = run(mock)?;
        let mut answers = 0;
        for kind in ["apigateway/integrationResponse", "apigateway/response"] {
            for answer in all(&run, kind) {
                let headers = answer.inputs["responseParameters"].as_object();
                let headers: Vec<_> = headers.into_iter().flatten().collect();
                let origin = headers
                    .iter()
                    .find(|(name, _)| name.ends_with("Allow-Origin"));
                let (_, origin) = origin.context("an answer without an origin")?;
                assert_eq!(**origin, "'https://d111111abcdef8.cloudfront.net'");
                answers += 1;
            }
        }
        assert_eq!(answers, 6);
    }
    Ok(())
}

/// What infra/deployer allows, it allows on these names.
#[test]
fn every_name_is_one_that_the_deployers_policy_knows() -> Result<()> {
    let run = run(mock().config("mysfits:alarmEmail", "operators@example.com"))?;
    for resource in run.resources.iter().filter(|resource| resource.custom) {
        let name = &resource.name;
        let kind = super::cloud::kind(resource);
        let given = resource.inputs["name"].as_str().unwrap_or_default();
        match kind {
            "codecommit/repository" => {
                let name = &resource.inputs["repositoryName"];
                let name = name.as_str().unwrap_or_default();
                assert!(name.starts_with("MythicalMysfits-"), "{name}");
            }
            "cloudwatch/dashboard" => assert!(name.starts_with("mysfits"), "{name}"),
            "s3/bucket"
            | "iam/role"
            | "lambda/function"
            | "kinesis/firehoseDeliveryStream"
            | "cloudwatch/logGroup"
            | "cloudwatch/metricAlarm"
            | "sns/topic" => {
                assert!(name.starts_with("mysfits-"), "{kind} {name}");
                assert!(given.is_empty(), "{kind} {given}");
            }
            _ => {}
        }
    }
    Ok(())
}
