//! The statements that the stack declares, and how one is taken away and given back.

use super::provider::Provider;
use anyhow::{Context, Result, bail, ensure};
use pulumi_protocol::urn;
use serde_json::{Value, json};

/// One statement of one document of the deployed stack.
pub struct Statement {
    /// Such as `policy mysfits-delivery Store`.
    pub name: String,
    resource: Value,
    /// The property that holds its document; a permission is a statement by itself.
    document: Option<&'static str>,
    index: usize,
}

/// Where a role says whom it trusts.
const TRUST: &str = "assumeRolePolicy";

/// Which types have documents, in which property, and how their statements are called here.
const DOCUMENTS: [(&str, &str, &str); 3] = [
    ("aws:iam/role:Role", TRUST, "trust"),
    ("aws:iam/rolePolicy:RolePolicy", "policy", "policy"),
    ("aws:s3/bucketPolicy:BucketPolicy", "policy", "bucket"),
];

/// What a person attaches, and the stack to nobody: taken away, nothing of the stack stops.
const FOR_PEOPLE: &str = "aws:iam/policy:Policy";

const PERMISSION: &str = "aws:lambda/permission:Permission";

/// All statements in the state of a stack.
pub fn statements(resources: &[Value]) -> Result<Vec<Statement>> {
    let mut statements = Vec::new();
    for resource in resources {
        let kind = resource["type"].as_str().unwrap_or_default();
        let name = name(resource)?;
        if kind == PERMISSION {
            statements.push(Statement {
                name: format!("permission {name}"),
                resource: resource.clone(),
                document: None,
                index: 0,
            });
        }
        if kind == FOR_PEOPLE {
            continue;
        }
        for (property, value) in resource["inputs"].as_object().into_iter().flatten() {
            let Some(all) = value.as_str().and_then(parse) else {
                continue;
            };
            let known = DOCUMENTS
                .iter()
                .find(|known| (known.0, known.1) == (kind, property));
            let Some((_, property, called)) = known else {
                bail!("{kind} has statements in {property}, which no test takes away");
            };
            for (index, statement) in all.iter().enumerate() {
                let sid = statement["Sid"].as_str().unwrap_or_default();
                statements.push(Statement {
                    name: format!("{called} {name} {sid}").trim().to_owned(),
                    resource: resource.clone(),
                    document: Some(property),
                    index,
                });
            }
        }
    }
    Ok(statements)
}

/// Takes statements of one document away.
pub async fn take_away(statements: &[&Statement], provider: &mut Provider) -> Result<()> {
    let Some(first) = statements.first() else {
        return Ok(());
    };
    let resource = &first.resource;
    ensure!(
        statements.iter().all(|one| one.resource == *resource),
        "statements of two documents"
    );
    let Some(property) = first.document else {
        return provider.delete(resource).await;
    };
    let all = first.all().context("no statements")?;
    let is_taken = |index: &usize| statements.iter().any(|one| one.index == *index);
    let rest = all.into_iter().enumerate();
    let rest = rest.filter(|(index, _)| !is_taken(index));
    let mut rest: Vec<Value> = rest.map(|(_, statement)| statement).collect();
    if rest.is_empty() {
        if property != TRUST {
            return provider.delete(resource).await;
        }
        // A role has to trust somebody.
        rest.push(json!({
            "Effect": "Allow",
            "Principal": { "Service": "ec2.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }));
    }
    let mut inputs = resource["inputs"].clone();
    let document = json!({ "Version": "2012-10-17", "Statement": rest });
    inputs[property] = document.to_string().into();
    provider.update(resource, &inputs).await
}

/// Gives them back.
pub async fn give_back(statements: &[&Statement], provider: &mut Provider) -> Result<()> {
    let Some(first) = statements.first() else {
        return Ok(());
    };
    let left = first.all().map_or(0, |all| all.len() - statements.len());
    match left == 0 && first.document != Some(TRUST) {
        true => provider.create(&first.resource).await,
        false => {
            provider
                .update(&first.resource, &first.resource["inputs"])
                .await
        }
    }
}

impl Statement {
    /// All statements of its document.
    fn all(&self) -> Option<Vec<Value>> {
        parse(self.resource["inputs"][self.document?].as_str()?)
    }
}

/// The name that the program gave a resource.
pub fn name(resource: &Value) -> Result<&str> {
    let urn = resource["urn"].as_str().and_then(urn::parse);
    Ok(urn.context("no URN")?.name)
}

/// The statements of a policy document.
fn parse(text: &str) -> Option<Vec<Value>> {
    let document: Value = serde_json::from_str(text).ok()?;
    document.get("Statement")?.as_array().cloned()
}
