//! What the program asks the engine for, without an engine and without AWS.

mod accepted;
mod analytics;
mod cloud;
mod configuration;
mod cost;
mod dependencies;
mod limits;
mod live;
mod operations;
mod order;
mod owner;
mod security;
mod site;
mod terraform;

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use cloud::mock;
use pulumi_mock::{Mock, Resource, Run};
use serde_json::{Value, json};

/// A run that ends well.
fn run(mock: Mock) -> Result<Run> {
    let run = mock.run(env!("CARGO_BIN_EXE_infra"))?;
    ensure!(run.exit_code == Some(0), "{run}");
    Ok(run)
}

/// The resources of a kind, such as `s3/bucket`.
fn all<'a>(run: &'a Run, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
    let resources = run.resources.iter();
    resources.filter(move |resource| cloud::kind(resource) == kind)
}

/// The resource of a kind and a name: a name alone may be one of several.
fn one<'a>(run: &'a Run, kind: &str, name: &str) -> Result<&'a Resource> {
    let mut resources = run.resources.iter();
    let found = resources.find(|resource| cloud::kind(resource) == kind && resource.name == name);
    found.with_context(|| format!("no {kind} {name} in {run}"))
}

/// `kind name` of every resource, components apart.
fn names(run: &Run) -> BTreeSet<String> {
    let resources = run.resources.iter().filter(|resource| resource.custom);
    resources.map(cloud::label).collect()
}

#[test]
fn the_outputs_are_those_of_the_contract() -> Result<()> {
    let run = run(mock())?;
    let clone = "git-codecommit.eu-west-1.amazonaws.com/v1/repos/MythicalMysfits-ClicksProcessingLambdaRepository";
    let expected = json!({
        "analystPolicyArn": "arn:aws:iam::123456789012:policy/mysfits-analyst-1a2b3c4",
        "clicksBucket": "mysfits-clicks-1a2b3c4",
        "clicksEndpoint": "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/clicks",
        "deliveryStream": "mysfits-clicks-1a2b3c4",
        "mysfitsApiEndpoint": "https://d111111abcdef8.cloudfront.net",
        "processor": "mysfits-processor-1a2b3c4",
        "queryDatabase": "mysfits_dev",
        "queryWorkgroup": "mysfits-1a2b3c4",
        "region": "eu-west-1",
        "repositoryCloneUrlHttp": format!("https://{clone}"),
        "repositoryCloneUrlSsh": format!("ssh://{clone}"),
        "siteBucket": "mysfits-site-1a2b3c4",
        "siteUrl": "https://d111111abcdef8.cloudfront.net",
    });
    assert_eq!(run.outputs, Some(expected));
    Ok(())
}

#[test]
fn the_site_knows_its_deployment() -> Result<()> {
    let run = run(mock().config("mysfits:cognitoUserPoolId", "eu-west-1_abcdefghi"))?;
    let config = one(&run, "s3/bucketObjectv2", "mysfits-site/config.json")?;
    let content = config.inputs["content"].as_str().unwrap_or_default();
    assert_eq!(
        serde_json::from_str::<Value>(content)?,
        json!({
            "awsRegion": "eu-west-1",
            "cognitoDomain": "",
            "cognitoUserPoolClientId": "",
            "cognitoUserPoolId": "eu-west-1_abcdefghi",
            "mysfitsApiEndpoint": "https://d111111abcdef8.cloudfront.net",
            "streamingApiEndpoint":
                "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/prod/clicks",
        })
    );
    let page = one(&run, "s3/bucketObjectv2", "mysfits-site/index.html")?;
    let page = page.inputs["content"].as_str().unwrap_or_default();
    assert!(page.contains(
        "connect-src 'self' https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com https://d111111abcdef8.cloudfront.net;"
    ));
    Ok(())
}

#[test]
fn an_existing_mysfits_service_takes_the_place_of_the_catalogue() -> Result<()> {
    let url = "https://mysfits.example.com/v1/";
    let run = run(mock().config("mysfits:mysfitsApiUrl", url))?;
    assert!(
        !names(&run)
            .iter()
            .any(|name| name.contains("mysfits-site/mysfits"))
    );
    let function = one(&run, "lambda/function", "mysfits-processor")?;
    let variables = &function.inputs["environment"]["variables"];
    assert_eq!(variables, &json!({ "MYSFITS_API_URL": url }));
    Ok(())
}

#[test]
fn a_preview_shows_what_an_update_does() -> Result<()> {
    let update = run(mock())?;
    let preview = run(mock().preview())?;
    assert_eq!(names(&preview), names(&update));
    Ok(())
}
