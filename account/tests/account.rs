//! What the program asks for, and that the template says the same.

use account::{AccountSettings, template};
use anyhow::{Context, Result, ensure};
use pulumi_mock::{Answer, Mock, Run};
use serde_json::{Value, json};

const SUBJECT: &str = "repo:octo-org@12/click-stream@345";

fn run(provider: bool) -> Result<Run> {
    let mock = Mock::new()
        .config("mysfits-account:subject", SUBJECT)
        .config("mysfits-account:githubProvider", &provider.to_string())
        .config("mysfits-account:apiGatewayLogs", "true")
        .project("mysfits-account")
        .function(
            "aws:index/getCallerIdentity:getCallerIdentity",
            json!({ "accountId": "123456789012" }),
        )
        .function(
            "aws:index/getRegion:getRegion",
            json!({ "region": "eu-west-1" }),
        )
        .answer(|resource| {
            let name =
                |property: &str| resource.inputs[property].as_str().unwrap_or("x").to_owned();
            let arn = match resource.r#type.as_str() {
                "aws:s3/bucket:Bucket" => format!("arn:aws:s3:::{}", name("bucket")),
                "aws:kms/key:Key" => "arn:aws:kms:eu-west-1:123456789012:key/k".to_owned(),
                "aws:iam/role:Role" => format!("arn:aws:iam::123456789012:role/{}", name("name")),
                "aws:iam/policy:Policy" => {
                    format!("arn:aws:iam::123456789012:policy/{}", name("name"))
                }
                _ => "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
                    .to_owned(),
            };
            Answer::new().output("arn", arn).output("keyId", "k")
        });
    let run = mock.run(env!("CARGO_BIN_EXE_account"))?;
    ensure!(run.exit_code == Some(0), "{run}");
    Ok(run)
}

/// The documents of a run: of trust and of inline policies by role, and of managed policies.
fn documents(run: &Run) -> Result<Vec<(String, Value)>> {
    let mut documents = Vec::new();
    for resource in &run.resources {
        for property in ["assumeRolePolicy", "policy"] {
            if let Some(text) = resource.inputs[property].as_str() {
                let label = format!("{} {}", resource.r#type, resource.name);
                documents.push((label, serde_json::from_str(text)?));
            }
        }
    }
    Ok(documents)
}

#[test]
fn the_template_has_the_documents_of_the_program() -> Result<()> {
    let run = run(true)?;
    let settings = AccountSettings {
        subject: SUBJECT.to_owned(),
        github_provider: true,
        api_gateway_logs: true,
    };
    // What CloudFormation puts in the place of a text.
    let template = template::of(&settings).to_string();
    let template = template
        .replace("${AWS::AccountId}", "123456789012")
        .replace("${AWS::Region}", "eu-west-1")
        .replace("${Key.Arn}", "arn:aws:kms:eu-west-1:123456789012:key/k");
    let template: Value = plain(serde_json::from_str(&template)?);
    let text = template.to_string();
    let documents = documents(&run)?;
    assert_eq!(documents.len(), 1 + 2 + 3 * 2 + 2);
    for (label, document) in documents {
        ensure!(
            text.contains(&document.to_string()),
            "the template lacks that of {label}: {document:#}"
        );
    }
    let resources = template["Resources"].as_object().context("no resources")?;
    for (kind, count) in [
        ("AWS::IAM::Role", 4),
        ("AWS::IAM::ManagedPolicy", 2),
        ("AWS::S3::Bucket", 1),
    ] {
        let found = resources
            .values()
            .filter(|resource| resource["Type"] == kind)
            .count();
        assert_eq!(found, count, "{kind}");
    }
    let names = |outputs: &Value| {
        outputs
            .as_object()
            .map(|all| all.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(
        names(&template["Outputs"]),
        run.outputs.as_ref().and_then(names)
    );
    Ok(())
}

/// Each `{"Fn::Sub": text}` as the text.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => match fields.get("Fn::Sub") {
            Some(text) => text.clone(),
            None => fields
                .into_iter()
                .map(|(name, value)| (name, plain(value)))
                .collect(),
        },
        Value::Array(items) => items.into_iter().map(plain).collect(),
        other => other,
    }
}

#[test]
fn roles_are_for_their_jobs_alone() -> Result<()> {
    let run = run(true)?;
    for (role, subjects) in [
        (
            "preview-of-mysfits",
            json!([
                format!("{SUBJECT}:pull_request"),
                format!("{SUBJECT}:ref:refs/heads/main")
            ]),
        ),
        (
            "deploy-of-mysfits-dev",
            json!([format!("{SUBJECT}:environment:dev")]),
        ),
        (
            "deploy-of-mysfits-prod",
            json!([format!("{SUBJECT}:environment:prod")]),
        ),
    ] {
        let (_, trust) = documents(&run)?
            .into_iter()
            .find(|(label, _)| *label == format!("aws:iam/role:Role {role}"))
            .context(role)?;
        let equals = &trust["Statement"][0]["Condition"]["StringEquals"];
        assert_eq!(equals["token.actions.githubusercontent.com:sub"], subjects);
        assert_eq!(
            equals["token.actions.githubusercontent.com:aud"],
            "sts.amazonaws.com"
        );
    }
    Ok(())
}

/// A deployer may change what is called `mysfits-…`.
#[test]
fn nothing_here_is_what_a_deployer_may_change() -> Result<()> {
    for resource in &run(true)?.resources {
        for property in ["name", "bucket"] {
            let name = resource.inputs[property].as_str().unwrap_or_default();
            ensure!(
                !name.starts_with("mysfits"),
                "{} is called {name}",
                resource.name
            );
        }
    }
    Ok(())
}

#[test]
fn a_provider_that_is_there_is_taken() -> Result<()> {
    let run = run(false)?;
    ensure!(
        !run.resources
            .iter()
            .any(|resource| resource.r#type.contains("openIdConnect"))
    );
    let text = documents(&run)?
        .iter()
        .map(|(_, document)| document.to_string())
        .collect::<String>();
    ensure!(
        text.contains(
            "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        )
    );
    Ok(())
}
