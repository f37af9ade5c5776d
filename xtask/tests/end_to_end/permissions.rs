//! Who may do what in a deployed stack, as IAM decides it.
//!
//! Every role of the state is asked about every action below on every resource below. What is
//! allowed is the list at the top and nothing else.

use anyhow::{Context, Result, bail, ensure};
use cloud_iam::document::{Document, PolicyKind};
use cloud_iam::{Call, Caller, Iam, ServicePrincipal};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ACCOUNT: &str = "000000000000";

/// Actions, and on what.
type Grants = &'static [(&'static str, &'static str)];

/// Each role, the one service that it lets in, and what it may do.
const ROLES: [(&str, &str, Grants); 4] = [
    (
        "mysfits-processor",
        "lambda.amazonaws.com",
        &[("logs:CreateLogStream logs:PutLogEvents", "processor log")],
    ),
    (
        "mysfits-delivery",
        "firehose.amazonaws.com",
        &[
            (
                "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads",
                "clicks bucket",
            ),
            (
                "s3:AbortMultipartUpload s3:GetObject s3:PutObject",
                "clicks object",
            ),
            ("lambda:InvokeFunction", "processor"),
            ("logs:PutLogEvents", "delivery log"),
        ],
    ),
    (
        "mysfits-api",
        "apigateway.amazonaws.com",
        &[("firehose:PutRecord", "stream")],
    ),
    (
        "mysfits-api-logs",
        "apigateway.amazonaws.com",
        &[(
            "logs:CreateLogGroup logs:CreateLogStream logs:GetLogEvents logs:PutLogEvents",
            "processor log, delivery log, delivery log of another, api log",
        )],
    ),
];

const SERVICES: [&str; 4] = [
    "apigateway.amazonaws.com",
    "cloudfront.amazonaws.com",
    "firehose.amazonaws.com",
    "lambda.amazonaws.com",
];

/// What roles are asked about, by the service of the resource.
const ACTIONS: &str = "s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads \
    s3:AbortMultipartUpload s3:GetObject s3:PutObject s3:DeleteObject s3:DeleteObjectVersion \
    s3:PutBucketPolicy s3:DeleteBucket s3:PutLifecycleConfiguration \
    lambda:InvokeFunction lambda:UpdateFunctionCode lambda:AddPermission \
    firehose:PutRecord firehose:PutRecordBatch firehose:UpdateDestination \
    firehose:DeleteDeliveryStream \
    logs:CreateLogGroup logs:CreateLogStream logs:GetLogEvents logs:PutLogEvents \
    logs:DeleteLogGroup logs:PutRetentionPolicy \
    iam:PassRole iam:PutRolePolicy sts:AssumeRole dynamodb:GetItem codecommit:GitPush";

/// Fails when a role of a stack may do more, or less, than it should.
pub fn check(resources: &[Value]) -> Result<()> {
    let stack = Stack { resources };
    let iam = stack.iam()?;
    let places = stack.places()?;
    let mut roles = 0;
    for (name, service, expected) in ROLES {
        let Ok(arn) = stack.output("aws:iam/role:Role", name, "arn") else {
            // Of the stacks of an account one has API Gateway's settings.
            ensure!(name == "mysfits-api-logs", "no role {name}");
            continue;
        };
        roles += 1;
        let caller = Caller::Role(admitted(&iam, arn, service)?);
        let mut allowed = BTreeSet::new();
        for action in ACTIONS.split_whitespace() {
            for (place, resource) in &places {
                let call = Call {
                    caller: &caller,
                    action,
                    resource,
                    context: &[],
                    resource_policy: None,
                };
                if fits(action, resource) && iam.authorize(&call).is_ok() {
                    allowed.insert(format!("{action} {place}"));
                }
            }
        }
        let expected: BTreeSet<String> = expected
            .iter()
            .flat_map(|(actions, places)| {
                let actions = actions.split_whitespace();
                actions.flat_map(|action| {
                    places
                        .split(", ")
                        .map(move |place| format!("{action} {place}"))
                })
            })
            .collect();
        assert_eq!(allowed, expected, "{name}");
    }
    let deployed = stack.all("aws:iam/role:Role").count();
    assert_eq!(roles, deployed, "a role that is not in the list");
    buckets(&stack, &iam)
}

/// A session of the role, which no other service, and no other account, may have.
fn admitted(iam: &Iam, role: &str, service: &str) -> Result<cloud_iam::Session> {
    let external = ("sts:ExternalId", ACCOUNT);
    for other in SERVICES.iter().filter(|other| **other != service) {
        let session = iam.assume_role(role, other, &[external]);
        ensure!(session.is_err(), "{role} lets {other} in");
    }
    if service == "firehose.amazonaws.com" {
        for context in [&[][..], &[("sts:ExternalId", "111111111111")]] {
            let session = iam.assume_role(role, service, context);
            ensure!(session.is_err(), "{role} lets in with {context:?}");
        }
    }
    match iam.assume_role(role, service, &[external]) {
        Ok(session) => Ok(session),
        Err(error) => bail!("{error}"),
    }
}

/// Nobody reads a bucket without TLS, and the site's is read by its distribution alone.
fn buckets(stack: &Stack<'_>, iam: &Iam) -> Result<()> {
    let policy = |name: &str| stack.output("aws:s3/bucketPolicy:BucketPolicy", name, "policy");
    let bucket = |name: &str| stack.output("aws:s3/bucket:Bucket", name, "arn");
    let may = |caller: &Caller, action: &str, name: &str, tls: &str| -> Result<bool> {
        let call = Call {
            caller,
            action,
            resource: &format!("{}/an/object", bucket(name)?),
            context: &[("aws:SecureTransport", tls)],
            resource_policy: Some(policy(&format!("{name}-policy"))?),
        };
        Ok(iam.authorize(&call).is_ok())
    };
    let (clicks, site) = ("mysfits-clicks", "mysfits-site");

    let role = stack.output("aws:iam/role:Role", "mysfits-delivery", "arn")?;
    let firehose = Caller::Role(admitted(iam, role, "firehose.amazonaws.com")?);
    ensure!(may(&firehose, "s3:PutObject", clicks, "true")?);
    ensure!(!may(&firehose, "s3:PutObject", clicks, "false")?);
    ensure!(!may(&firehose, "s3:PutObject", site, "true")?);
    ensure!(may(&Caller::Account, "s3:GetObject", clicks, "true")?);
    ensure!(!may(&Caller::Account, "s3:GetObject", clicks, "false")?);
    ensure!(!may(&Caller::Anonymous, "s3:GetObject", clicks, "true")?);
    ensure!(!may(&Caller::Anonymous, "s3:GetObject", site, "true")?);

    let own = stack.output("aws:cloudfront/distribution:Distribution", site, "arn")?;
    for (arn, expected) in [
        (own, true),
        ("arn:aws:cloudfront::1:distribution/E1", false),
    ] {
        let distribution = Caller::Service(ServicePrincipal {
            service: "cloudfront.amazonaws.com".to_owned(),
            source_arn: Some(arn.to_owned()),
            source_account: Some(ACCOUNT.to_owned()),
        });
        let reads = may(&distribution, "s3:GetObject", site, "true")?;
        ensure!(reads == expected, "{arn} reads the site: {reads}");
        ensure!(!may(&distribution, "s3:PutObject", site, "true")?);
        ensure!(!may(&distribution, "s3:GetObject", clicks, "true")?);
    }
    Ok(())
}

/// Whether the action is one on a resource of this kind at all: a policy that names every resource
/// says nothing of the others.
fn fits(action: &str, resource: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    let service = if service == "sts" { "iam" } else { service };
    let of_object = ["Object", "AbortMultipartUpload"];
    let of_object = of_object.iter().any(|part| action.contains(part));
    let object = resource.starts_with("arn:aws:s3:::") && resource.contains('/');
    resource.split(':').nth(2) == Some(service) && (service != "s3" || of_object == object)
}

/// The resources of a stack's state.
struct Stack<'a> {
    resources: &'a [Value],
}

impl<'a> Stack<'a> {
    fn all(&self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let resources = self.resources.iter();
        resources.filter(move |resource| resource["type"] == kind)
    }

    fn output(&self, kind: &'a str, name: &str, output: &str) -> Result<&'a str> {
        let end = format!("::{name}");
        let mut found = self.all(kind);
        let found = found.find(|one| one["urn"].as_str().is_some_and(|urn| urn.ends_with(&end)));
        let value = found.and_then(|one| one["outputs"][output].as_str());
        value.with_context(|| format!("no {output} of {kind} {name}"))
    }

    /// The stack's roles and their policies, in an IAM of their own.
    fn iam(&self) -> Result<Iam> {
        let parse = |text: &Value, kind| {
            let text = text.as_str().context("no policy")?;
            Document::parse(text, kind).map_err(anyhow::Error::msg)
        };
        let iam = Iam::default();
        for role in self.all("aws:iam/role:Role") {
            let outputs = &role["outputs"];
            let trust = parse(&outputs["assumeRolePolicy"], PolicyKind::Trust)?;
            iam.put_role(outputs["arn"].as_str().context("no ARN")?, trust);
        }
        for policy in self.all("aws:iam/rolePolicy:RolePolicy") {
            let outputs = &policy["outputs"];
            let role = outputs["role"].as_str().context("no role")?;
            let document = parse(&outputs["policy"], PolicyKind::Identity)?;
            iam.put_role_policy(role, role, document)
                .map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        Ok(iam)
    }

    /// The resources that roles are asked about, with names for people; some are not of this stack.
    fn places(&self) -> Result<BTreeMap<&'static str, String>> {
        let bucket = |name| self.output("aws:s3/bucket:Bucket", name, "arn");
        let log = |name| self.output("aws:cloudwatch/logGroup:LogGroup", name, "arn");
        let (clicks, site) = (bucket("mysfits-clicks")?, bucket("mysfits-site")?);
        let function = self.output("aws:lambda/function:Function", "mysfits-processor", "arn")?;
        let stream = self.output(
            "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
            "mysfits-clicks",
            "arn",
        )?;
        let errors = self.output(
            "aws:cloudwatch/logStream:LogStream",
            "mysfits-delivery",
            "arn",
        )?;
        let role = self.output("aws:iam/role:Role", "mysfits-delivery", "arn")?;
        Ok(BTreeMap::from([
            ("clicks bucket", clicks.to_owned()),
            (
                "clicks object",
                format!("{clicks}/firehose/2026/01/31/00/o"),
            ),
            ("another's bucket", format!("{clicks}-of-another")),
            ("another's object", format!("{clicks}-of-another/o")),
            ("site bucket", site.to_owned()),
            ("site object", format!("{site}/index.html")),
            ("processor", format!("{function}:$LATEST")),
            (
                "another's function",
                format!("{function}-of-another:$LATEST"),
            ),
            ("stream", stream.to_owned()),
            ("another's stream", format!("{stream}-of-another")),
            (
                "processor log",
                format!("{}:log-stream:s", log("mysfits-processor")?),
            ),
            ("delivery log", errors.to_owned()),
            ("delivery log of another", format!("{errors}-of-another")),
            ("api log", format!("{}:log-stream:s", log("mysfits-api")?)),
            ("role", role.to_owned()),
            (
                "table",
                format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/MysfitsTable"),
            ),
            (
                "repository",
                format!("arn:aws:codecommit:us-east-1:{ACCOUNT}:r"),
            ),
        ]))
    }
}
