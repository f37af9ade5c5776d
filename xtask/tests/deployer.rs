//! What the deployer may do (infra/deployer): the calls of every resource type are allowed, nothing
//! else is, and IAM accepts the documents.

use anyhow::{Context, Result, ensure};
use cloud_iam::document::{Document, PolicyKind};
use cloud_iam::evaluate::{Actor, Decision, Policies, Request, decide};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Characters of a managed policy, white space apart:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MAX_SIZE: usize = 6_144;

/// Its calls need what the provider asks for itself, whatever the resources.
const PROVIDER: &str = "provider";

/// The statement that lets roles be passed.
const PASS: &str = "PassRoles";

/// The types of the program `account`, which a person runs and no deployer.
const OF_THE_ACCOUNT: [&str; 4] = [
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:kms/alias:Alias",
    "aws:kms/key:Key",
];

/// What API calls a resource type makes.
#[derive(Deserialize)]
struct Calls {
    source: String,
    on: Vec<String>,
    reads: Vec<String>,
    writes: Vec<String>,
}

fn root() -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(package.parent().context("no checkout")?.to_owned())
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(root()?.join(path)).with_context(|| path.to_owned())
}

fn calls() -> Result<BTreeMap<String, Calls>> {
    Ok(toml::from_str(&read("infra/deployer/calls.toml")?)?)
}

/// The permission of an entry, which may begin with the names of calls.
fn action(entry: &str) -> &str {
    entry.rsplit(' ').next().unwrap_or(entry)
}

fn actions<'a>(
    calls: &'a BTreeMap<String, Calls>,
    kind: impl Fn(&'a Calls) -> &'a Vec<String>,
) -> BTreeSet<&'a str> {
    let entries = calls.values().flat_map(kind);
    entries.map(|entry| action(entry)).collect()
}

/// The actions that a document allows, each written out.
fn allowed(document: &Document) -> BTreeSet<&str> {
    let statements = document.statements.iter();
    statements
        .flat_map(|statement| statement.actions.patterns())
        .map(String::as_str)
        .collect()
}

fn document(name: &str) -> Result<Document> {
    let mut document: Value = serde_json::from_str(&read(&format!("infra/deployer/{name}"))?)?;
    for statement in document["Statement"]
        .as_array_mut()
        .context("no statements")?
    {
        // A condition key that the embedded cloud does not know; it is tested by itself.
        if statement["Sid"] == PASS
            && let Some(statement) = statement.as_object_mut()
        {
            statement.remove("Condition");
        }
    }
    Document::parse(&document.to_string(), PolicyKind::Identity)
        .map_err(|error| anyhow::anyhow!("{name}: {error}"))
}

#[test]
fn every_resource_type_has_its_calls() -> Result<()> {
    let tokens: toml::Table = read("pulumi/aws/tokens.toml")?.parse()?;
    let types = tokens["resources"].as_table().context("no resources")?;
    let types = types.keys().map(String::as_str);
    let types: BTreeSet<&str> = types
        .filter(|kind| !OF_THE_ACCOUNT.contains(kind))
        .collect();
    let calls = calls()?;
    let listed = calls.keys().map(String::as_str);
    let listed: BTreeSet<&str> = listed.filter(|kind| *kind != PROVIDER).collect();
    assert_eq!(
        listed, types,
        "infra/deployer/calls.toml (left) and pulumi/aws/tokens.toml"
    );
    for (kind, calls) in &calls {
        ensure!(calls.source.ends_with(".go"), "{kind} has no source");
        ensure!(
            !calls.on.is_empty() && !calls.reads.is_empty(),
            "{kind} is not read"
        );
    }
    Ok(())
}

#[test]
fn the_documents_allow_those_calls_and_no_others() -> Result<()> {
    let calls = calls()?;
    let reads = actions(&calls, |calls| &calls.reads);
    let writes = actions(&calls, |calls| &calls.writes);
    let writes: BTreeSet<&str> = writes.difference(&reads).copied().collect();
    let (preview, deploy) = (document("preview.json")?, document("deploy.json")?);
    assert_eq!(allowed(&preview), reads);
    assert_eq!(allowed(&deploy), writes);
    Ok(())
}

#[test]
fn the_documents_are_such_as_iam_takes() -> Result<()> {
    for name in ["preview.json", "deploy.json", "state.json"] {
        let text = read(&format!("infra/deployer/{name}"))?;
        let size = text
            .chars()
            .filter(|letter| !letter.is_whitespace())
            .count();
        assert!(size <= MAX_SIZE, "{name} has {size} characters");
        document(name)?;
    }
    Ok(())
}

/// As the embedded cloud's evaluator decides, which is AWS's.
#[test]
fn a_deployer_may_make_every_call_and_a_preview_only_those_that_read() -> Result<()> {
    let (preview, deploy) = (document("preview.json")?, document("deploy.json")?);
    let mut named = 0;
    for (kind, calls) in calls()? {
        let entries = calls.reads.iter().map(|entry| (entry, true));
        let entries = entries.chain(calls.writes.iter().map(|entry| (entry, false)));
        for (entry, is_read) in entries {
            for on in &calls.on {
                let named_for = |name: &str, database: &str| {
                    on.replace("NAME", name).replace("DATABASE", database)
                };
                let ours = named_for("mysfits-example-1a2b3c4", "mysfits_dev");
                let both = [&preview, &deploy];
                let what = format!("{entry} on {ours} for {kind}");
                assert!(may(&both, action(entry), &ours), "{what} is refused");
                if is_read {
                    assert!(may(&both[..1], action(entry), &ours), "{what} is refused");
                }
                // Nothing that is not the stack's is changed, where a name tells.
                if !is_read && *on != ours && !ANYWHERE.contains(&action(entry)) {
                    let other = named_for("orders-1a2b3c4", "orders");
                    assert!(
                        !may(&both, action(entry), &other),
                        "{entry} on {other} is allowed"
                    );
                    named += 1;
                }
            }
        }
    }
    assert!(named > 50, "{named}");
    Ok(())
}

/// A deployer that could change its own managed policy could do everything.
#[test]
fn a_deployer_changes_no_managed_policy_but_the_analysts() -> Result<()> {
    let (preview, deploy) = (document("preview.json")?, document("deploy.json")?);
    let writes = &calls()?["aws:iam/policy:Policy"].writes;
    for entry in writes {
        for policy in [
            "mysfits-deployer",
            "mysfits-deploy",
            "mysfits-preview",
            "orders",
        ] {
            let arn = format!("arn:aws:iam::123456789012:policy/{policy}");
            let may = may(&[&preview, &deploy], action(entry), &arn);
            assert!(!may, "{entry} on {arn} is allowed");
        }
    }
    Ok(())
}

/// Writes that have no resource of the stack's own, or none with its name.
const ANYWHERE: [&str; 10] = [
    "cloudfront:AllowVendedLogDeliveryForResource",
    "logs:DeleteDeliveryDestination",
    "logs:DeleteDeliverySource",
    "logs:PutDeliveryDestination",
    "logs:PutDeliverySource",
    "logs:TagResource",
    "logs:UntagResource",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
    "sts:GetCallerIdentity",
];

/// No write is among what a preview may do.
#[test]
fn a_preview_changes_nothing() -> Result<()> {
    let preview = document("preview.json")?;
    for action in allowed(&preview) {
        let name = action.split_once(':').map_or(action, |(_, name)| name);
        let reads = ["Describe", "GET", "Get", "List"];
        assert!(reads.iter().any(|verb| name.starts_with(verb)), "{action}");
    }
    Ok(())
}

/// A role is passed to the three services of the stack, and to no other:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>
#[test]
fn roles_are_passed_to_the_services_of_the_stack_alone() -> Result<()> {
    let deploy: Value = serde_json::from_str(&read("infra/deployer/deploy.json")?)?;
    let statements = deploy["Statement"].as_array().context("no statements")?;
    let passing = |statement: &&Value| statement.to_string().contains("iam:PassRole");
    let passing: Vec<&Value> = statements.iter().filter(passing).collect();
    let services = ["apigateway", "firehose", "lambda"].map(|name| format!("{name}.amazonaws.com"));
    assert_eq!(
        passing,
        [&json!({
            "Sid": PASS,
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": "arn:aws:iam::*:role/mysfits-*",
            "Condition": { "StringEquals": { "iam:PassedToService": services } },
        })]
    );
    Ok(())
}

fn may(documents: &[&Document], action: &str, resource: &str) -> bool {
    let request = Request {
        actor: Actor::Session {
            role_arn: "arn:aws:iam::123456789012:role/deployer",
            session_arn: "arn:aws:sts::123456789012:assumed-role/deployer/session",
        },
        action,
        resource,
        keys: &[],
    };
    let policies = Policies {
        identity: documents,
        resource: None,
    };
    decide(&request, &policies) == Decision::Allowed
}
