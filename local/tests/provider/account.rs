//! What an account is prepared with: keys and their names, identities from elsewhere, and policies that
//! are attached to roles.

use crate::support::{Engine, refusal};
use anyhow::Result;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::json;

fn urn(kind: &str, name: &str) -> String {
    format!("urn:pulumi:dev::test::{kind}::{name}")
}

const KEY: &str = "aws:kms/key:Key";
const ALIAS: &str = "aws:kms/alias:Alias";
const PROVIDER: &str = "aws:iam/openIdConnectProvider:OpenIdConnectProvider";
const ROLE: &str = "aws:iam/role:Role";
const POLICY: &str = "aws:iam/policy:Policy";
const ATTACHMENT: &str = "aws:iam/rolePolicyAttachment:RolePolicyAttachment";

#[tokio::test]
async fn a_name_is_of_a_key_that_is_there() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;

    let key = engine
        .deploy(&urn(KEY, "k"), json!({ "enableKeyRotation": true }))
        .await?;
    assert_eq!(key.id.len(), 36, "a UUID");
    let alias = json!({ "name": "alias/team", "targetKeyId": key.id });
    let named = engine.deploy(&urn(ALIAS, "a"), alias.clone()).await?;
    assert_eq!(named.outputs["targetKeyArn"], key.outputs["arn"]);
    let twice = refusal(engine.deploy(&urn(ALIAS, "b"), alias).await)?;
    assert!(twice.contains("AlreadyExistsException"), "{twice}");
    for (name, target, says) in [
        (
            "alias/other",
            "00000000-0000-0000-0000-000000000000",
            "NotFoundException",
        ),
        ("alias/aws/s3", key.id.as_str(), "keys of AWS's"),
        ("alias/pulumi", key.id.as_str(), "every embedded cloud"),
        ("team", key.id.as_str(), "alias/"),
    ] {
        let inputs = json!({ "name": name, "targetKeyId": target });
        let refused = refusal(engine.deploy(&urn(ALIAS, "c"), inputs).await)?;
        assert!(refused.contains(says), "{name}: {refused}");
    }
    let soon = engine
        .deploy(&urn(KEY, "l"), json!({ "deletionWindowInDays": 1 }))
        .await;
    let soon = refusal(soon)?;
    assert!(soon.contains("7 to 30 days"), "{soon}");
    Ok(())
}

#[tokio::test]
async fn a_policy_stays_as_long_as_it_is_attached() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;

    let issuer = json!({ "url": "https://token.actions.githubusercontent.com", "clientIdLists": ["sts.amazonaws.com"] });
    let provider = engine.deploy(&urn(PROVIDER, "p"), issuer.clone()).await?;
    let twice = refusal(engine.deploy(&urn(PROVIDER, "q"), issuer).await)?;
    assert!(twice.contains("EntityAlreadyExists"), "{twice}");
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Federated": provider.id },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
            "token.actions.githubusercontent.com:sub": "repo:o@1/r@2:environment:dev",
        } },
    }] });
    let role = json!({ "name": "deployer", "assumeRolePolicy": trust.to_string() });
    let role = engine.deploy(&urn(ROLE, "r"), role).await?;
    let document = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" },
    ] });
    let policy = json!({ "name": "reader", "policy": document.to_string() });
    let policy = engine.deploy(&urn(POLICY, "p"), policy).await?;
    let attach = |role: &str, arn: &str| json!({ "role": role, "policyArn": arn });
    let attachment = engine
        .deploy(&urn(ATTACHMENT, "a"), attach("deployer", &policy.id))
        .await?;

    for (role, arn) in [
        ("nobody", policy.id.as_str()),
        ("deployer", "arn:aws:iam::aws:policy/AdministratorAccess"),
    ] {
        let refused = engine
            .deploy(&urn(ATTACHMENT, "b"), attach(role, arn))
            .await;
        let refused = refusal(refused)?;
        assert!(refused.contains("NoSuchEntity"), "{refused}");
    }
    for (kind, name, state) in [(POLICY, "p", &policy), (ROLE, "r", &role)] {
        let refused = refusal(engine.delete(&urn(kind, name), state).await)?;
        assert!(refused.contains("DeleteConflict"), "{refused}");
    }
    engine.delete(&urn(ATTACHMENT, "a"), &attachment).await?;
    engine.delete(&urn(POLICY, "p"), &policy).await?;
    engine.delete(&urn(ROLE, "r"), &role).await?;
    Ok(())
}
