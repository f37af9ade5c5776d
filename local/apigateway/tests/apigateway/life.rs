//! What is live when: a deployment shows the API as it was, a stage shows what it points to.

use crate::support::{Api, Mock, STAGE, TestCloud, client};
use anyhow::Result;
use serde_json::json;

fn saying(text: &str) -> serde_json::Value {
    json!({ "responseTemplates": { "application/json": text } })
}

async fn said(cloud: &TestCloud, api: &Api, request: &str) -> Result<(u16, String)> {
    let answer = cloud.ask(api, request, &[], "").await?;
    Ok((answer.status, answer.body))
}

fn is(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

fn missing() -> (u16, String) {
    is(403, r#"{"message":"Missing Authentication Token"}"#)
}

#[tokio::test]
async fn outputs_are_those_of_the_aws_provider() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let id = &api.id;
    assert_eq!((id.len(), api.root.len()), (10, 10));
    assert!(
        id.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    );
    let record = &api.record.resource;
    let execution = format!("arn:aws:execute-api:us-east-1:000000000000:{id}");
    assert_eq!(record.output("executionArn"), execution);
    assert_eq!(
        record.output("arn"),
        format!("arn:aws:apigateway:us-east-1::/restapis/{id}")
    );
    assert_eq!(record.output("createdDate"), "2026-03-04T05:06:07.089Z");

    let clicks = json!({ "restApi": id, "parentId": api.root, "pathPart": "clicks" });
    let clicks = cloud.declare("Resource", "clicks", clicks).await?;
    assert_eq!(clicks.resource.output("path"), "/clicks");
    let clicks = clicks.resource.id;
    let mock = cloud.mock(&api, (&clicks, "PUT"), Mock::default()).await?;
    assert_eq!(mock.request.resource.id, format!("agm-{id}-{clicks}-PUT"));
    assert_eq!(
        mock.integration.resource.id,
        format!("agi-{id}-{clicks}-PUT")
    );
    assert_eq!(
        mock.responses[0].resource.id,
        format!("agir-{id}-{clicks}-PUT-200")
    );

    let stage = cloud.deploy(&api).await?.resource;
    assert_eq!(stage.id, format!("ags-{id}-{STAGE}"));
    let invoke_url = format!("http://127.0.0.1:{}/{id}/{STAGE}", cloud.port());
    assert_eq!(stage.output("invokeUrl"), invoke_url);
    assert_eq!(stage.output("executionArn"), format!("{execution}/{STAGE}"));
    let answer = client()?
        .put(format!("{}/clicks", stage.output("invokeUrl")))
        .send()
        .await?;
    assert_eq!(answer.status().as_u16(), 200);

    let response = cloud
        .gateway_response(&api, "DEFAULT_4XX", json!({}))
        .await?;
    assert_eq!(response.resource.id, format!("aggr-{id}-DEFAULT_4XX"));
    Ok(())
}

#[tokio::test]
async fn a_change_is_not_live_without_a_deployment() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let mock = cloud
        .mock(&api, (&api.root, "GET"), Mock::saying("one"))
        .await?;
    let stage = cloud.deploy(&api).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "one"));

    // Changed, added and removed: nothing of it shows.
    let changed = cloud.change(&mock.responses[0], saying("two")).await?;
    let more = cloud.resource(&api, &api.root, "more").await?;
    let more = cloud
        .mock(&api, (&more, "GET"), Mock::saying("more"))
        .await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "one"));
    assert_eq!(said(&cloud, &api, "GET /more").await?, missing());

    // A deployment that no stage points to is not live either.
    let second = cloud.deployment(&api).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "one"));
    let second = json!({ "deployment": second.resource.id });
    let first = json!({ "deployment": stage.resource.inputs["deployment"] });
    let stage = cloud.change(&stage, second.clone()).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "two"));
    assert_eq!(said(&cloud, &api, "GET /more").await?, is(200, "more"));

    // What is gone from the declarations answers as long as it is deployed.
    cloud.delete(&changed).await?;
    cloud.delete(&mock.integration).await?;
    cloud.delete(&mock.request).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "two"));
    let third = cloud.deployment(&api).await?;
    let third = json!({ "deployment": third.resource.id });
    let stage = cloud.change(&stage, third).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, missing());
    assert_eq!(said(&cloud, &api, "GET /more").await?, is(200, "more"));
    cloud.delete(&more.request).await?;

    // And back.
    let stage = cloud.change(&stage, first).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "one"));
    cloud.change(&stage, second).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "two"));
    Ok(())
}

#[tokio::test]
async fn a_restart_changes_nothing() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let mock = cloud
        .mock(&api, (&api.root, "GET"), Mock::saying("$stageVariables.n"))
        .await?;
    let stage = cloud
        .deploy_with(&api, json!({ "variables": { "n": "one" } }))
        .await?;
    let changed = cloud.change(&mock.responses[0], saying("two")).await?;
    let before = cloud.running.account().deployments.all();

    let cloud = cloud.restart().await?;
    let records = cloud.running.account().deployments.all();
    assert_eq!(format!("{records:?}"), format!("{before:?}"));
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "one"));

    // What was declared but not deployed is still there to be deployed.
    let second = cloud.deployment(&api).await?;
    let second = json!({ "deployment": second.resource.id });
    let stage = cloud.change(&stage, second).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "two"));

    // What is deployed is still there when what was declared is gone.
    cloud.delete(&changed).await?;
    cloud.delete(&mock.integration).await?;
    cloud.delete(&mock.request).await?;
    let cloud = cloud.restart().await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "two"));

    cloud.delete(&stage).await?;
    let cloud = cloud.restart().await?;
    assert_eq!(
        said(&cloud, &api, "GET /").await?,
        is(403, r#"{"message":"Forbidden"}"#)
    );
    Ok(())
}

#[tokio::test]
async fn what_belongs_to_the_stage_is_live_at_once() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let template = "$stageVariables.n $!stageVariables.get('n')";
    cloud
        .mock(&api, (&api.root, "GET"), Mock::saying(template))
        .await?;
    let stage = cloud
        .deploy_with(&api, json!({ "variables": { "n": "1" } }))
        .await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "1 1"));
    let stage = cloud
        .change(&stage, json!({ "variables": { "n": "2" } }))
        .await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "2 2"));
    let stage = cloud.change(&stage, json!({ "variables": null })).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, " "));

    cloud.delete(&stage).await?;
    assert_eq!(
        said(&cloud, &api, "GET /").await?,
        is(403, r#"{"message":"Forbidden"}"#)
    );
    Ok(())
}

#[tokio::test]
async fn two_stages_show_two_deployments() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let mock = cloud
        .mock(&api, (&api.root, "GET"), Mock::saying("one"))
        .await?;
    cloud.deploy(&api).await?;
    cloud.change(&mock.responses[0], saying("two")).await?;
    let second = cloud.deployment(&api).await?;
    let inputs = json!({
        "restApi": api.id, "stageName": "next", "deployment": second.resource.id,
    });
    cloud.declare("Stage", "next", inputs).await?;
    assert_eq!(said(&cloud, &api, "GET /").await?, is(200, "one"));
    let next = cloud.url(&api, "/").replace("/prod/", "/next/");
    let client = client()?;
    assert_eq!(client.get(next).send().await?.text().await?, "two");
    Ok(())
}
