//! Limits of methods: the buckets refill far too slowly to be seen here.

use crate::support::{Api, Mock, STAGE, TestCloud};
use anyhow::Result;
use cloud_resource::deployments::Record;
use serde_json::json;

const SLOW: f64 = 0.001;

async fn api(cloud: &TestCloud) -> Result<Api> {
    let api = cloud.api().await?;
    let clicks = cloud.resource(&api, &api.root, "clicks").await?;
    for (resource, verb) in [(&clicks, "PUT"), (&clicks, "GET"), (&api.root, "GET")] {
        cloud.mock(&api, (resource, verb), Mock::default()).await?;
    }
    Ok(api)
}

async fn limit(cloud: &TestCloud, api: &Api, path: &str, rate: f64, burst: u32) -> Result<Record> {
    let inputs = json!({
        "restApi": api.id, "stageName": STAGE, "methodPath": path,
        "settings": { "throttlingRateLimit": rate, "throttlingBurstLimit": burst },
    });
    cloud.declare("MethodSettings", path, inputs).await
}

/// How many of ten requests get through.
async fn admitted(cloud: &TestCloud, api: &Api, request: &str) -> Result<usize> {
    let mut admitted = 0;
    for _ in 0..10 {
        let answer = cloud.ask(api, request, &[], "").await?;
        if answer.status == 200 {
            admitted += 1;
            continue;
        }
        assert_eq!(answer.said(), (429, r#"{"message":"Too Many Requests"}"#));
        assert_eq!(
            answer.header("x-amzn-errortype"),
            "TooManyRequestsException"
        );
    }
    Ok(admitted)
}

#[tokio::test]
async fn each_method_has_the_stage_s_limit_unless_it_has_its_own() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    cloud.deploy(&api).await?;
    assert_eq!(admitted(&cloud, &api, "PUT /clicks").await?, 10);

    limit(&cloud, &api, "*/*", SLOW, 3).await?;
    limit(&cloud, &api, "clicks/PUT", SLOW, 5).await?;
    assert_eq!(admitted(&cloud, &api, "PUT /clicks").await?, 5);
    assert_eq!(admitted(&cloud, &api, "GET /clicks").await?, 3);
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 3);
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 0);
    Ok(())
}

#[tokio::test]
async fn settings_are_live_at_once_and_buckets_stay_as_empty_as_they_are() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    let stage = cloud.deploy(&api).await?;
    let settings = limit(&cloud, &api, "*/*", SLOW, 3).await?;
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 3);

    let deployment = cloud.deployment(&api).await?;
    let change = json!({ "deployment": deployment.resource.id });
    cloud.change(&stage, change).await?;
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 0);

    let more = json!({
        "settings": { "throttlingRateLimit": SLOW, "throttlingBurstLimit": 4 },
    });
    let settings = cloud.change(&settings, more).await?;
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 4);

    let nothing = json!({ "settings": { "throttlingRateLimit": 0, "throttlingBurstLimit": 0 } });
    let settings = cloud.change(&settings, nothing).await?;
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 0);

    cloud.delete(&settings).await?;
    assert_eq!(admitted(&cloud, &api, "GET /").await?, 10);
    Ok(())
}
