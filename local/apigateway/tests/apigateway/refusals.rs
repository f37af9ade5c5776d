//! What AWS refuses, in AWS's words.

use crate::support::{Api, Mock, STAGE, TestCloud, merged, refusal};
use anyhow::Result;
use serde_json::{Value, json};

/// An API with `GET /` and `/clicks`.
async fn api(cloud: &TestCloud) -> Result<(Api, String)> {
    let api = cloud.api().await?;
    let clicks = cloud.resource(&api, &api.root, "clicks").await?;
    cloud
        .mock(&api, (&api.root, "GET"), Mock::default())
        .await?;
    Ok((api, clicks))
}

async fn refused(cloud: &TestCloud, kind: &str, inputs: Value) -> Result<String> {
    refusal(cloud.declare(kind, "refused", inputs).await)
}

#[tokio::test]
async fn resources() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let (api, clicks) = api(&cloud).await?;
    let variable = cloud.resource(&api, &clicks, "{id}").await?;
    let files = cloud.resource(&api, &api.root, "files").await?;
    let greedy = cloud.resource(&api, &files, "{path+}").await?;
    for (parent, part, expected) in [
        (
            "nothere",
            "a",
            "NotFoundException: Invalid Resource identifier specified",
        ),
        (
            &*api.root,
            "clicks",
            "ConflictException: Another resource with the same parent already has this name: \
             clicks",
        ),
        (
            &clicks,
            "{other}",
            "BadRequestException: A sibling ({id}) of this resource already has a variable path \
             part -- only one is allowed",
        ),
        (
            &greedy,
            "a",
            "BadRequestException: Cannot create a child of a resource with a greedy path \
             variable: {path+}",
        ),
        (
            &variable,
            "a/b",
            "BadRequestException: Resource's path part only allow",
        ),
        (
            &variable,
            "",
            "BadRequestException: Resource's path part only allow",
        ),
        (
            &variable,
            "{a",
            "BadRequestException: Resource's path part only allow",
        ),
        (
            &variable,
            "{+}",
            "BadRequestException: Resource's path part only allow",
        ),
    ] {
        let inputs = json!({ "restApi": api.id, "parentId": parent, "pathPart": part });
        let said = refused(&cloud, "Resource", inputs).await?;
        assert!(said.starts_with(expected), "{part}: {said}");
    }
    let inputs = json!({ "restApi": "abcdefghij", "parentId": api.root, "pathPart": "a" });
    assert_eq!(
        refused(&cloud, "Resource", inputs).await?,
        "NotFoundException: Invalid API identifier specified 000000000000:abcdefghij"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_in_another_region_is_not_there() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let (api, _) = api(&cloud).await?;
    let inputs = json!({ "restApi": api.id, "parentId": api.root, "pathPart": "a" });
    let elsewhere = cloud.declare_in("eu-west-1", "Resource", "refused", inputs);
    let said = refusal(elsewhere.await)?;
    assert!(
        said.starts_with("NotFoundException: Invalid API identifier specified"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn methods_and_what_belongs_to_them() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let (api, clicks) = api(&cloud).await?;
    let put = (&*clicks, "PUT");
    let of = |inputs: Value| {
        let own = json!({ "restApi": api.id, "resourceId": clicks, "httpMethod": "PUT" });
        merged(own, inputs)
    };
    let no_method = "NotFoundException: Invalid Method identifier specified";
    let mapping = |parameter: &str| {
        format!(
            "BadRequestException: Invalid mapping expression specified: Validation Result: \
             warnings : [], errors : [Invalid mapping expression parameter specified: {parameter}]"
        )
    };
    let integration = json!({ "type": "MOCK", "requestTemplates": crate::support::mock(200) });
    let header = "method.response.header.X-A";

    // Nothing can be without the method,
    for (kind, inputs) in [
        ("MethodResponse", json!({ "statusCode": "200" })),
        ("Integration", integration.clone()),
        ("IntegrationResponse", json!({ "statusCode": "200" })),
    ] {
        assert_eq!(
            refused(&cloud, kind, of(inputs)).await?,
            no_method,
            "{kind}"
        );
    }
    // which needs its resource, validator and models,
    for (inputs, expected) in [
        (
            json!({ "resourceId": "nothere" }),
            "NotFoundException: Invalid Resource identifier specified",
        ),
        (
            json!({ "requestValidatorId": "nothere" }),
            "BadRequestException: Invalid Request Validator identifier specified",
        ),
        (
            json!({ "requestModels": { "application/json": "Nothere" } }),
            "BadRequestException: Invalid model identifier specified: Nothere",
        ),
    ] {
        let inputs = merged(of(json!({ "authorization": "NONE" })), inputs);
        assert_eq!(refused(&cloud, "Method", inputs).await?, expected);
    }
    cloud
        .method(
            &api,
            put,
            json!({ "requestModels": { "application/json": "Empty" } }),
        )
        .await?;
    assert_eq!(
        refused(&cloud, "Method", of(json!({ "authorization": "NONE" }))).await?,
        "ConflictException: Method already exists for this resource"
    );

    // an integration response not without integration and method response,
    let response = of(json!({ "statusCode": "200", "responseParameters": { header: "'a'" } }));
    assert_eq!(
        refused(&cloud, "IntegrationResponse", response.clone()).await?,
        "NotFoundException: No integration defined for method"
    );
    assert_eq!(
        refused(
            &cloud,
            "Integration",
            of(merged(
                integration.clone(),
                json!({ "requestParameters": {
                    "integration.request.header.X-A": "method.request.header.X-A"
                } })
            ))
        )
        .await?,
        mapping("method.request.header.X-A")
    );
    cloud
        .of_method(&api, "Integration", put, integration)
        .await?;
    assert_eq!(
        refused(&cloud, "IntegrationResponse", response.clone()).await?,
        "NotFoundException: Invalid Response status code specified"
    );
    let models =
        json!({ "statusCode": "200", "responseModels": { "application/json": "Nothere" } });
    assert_eq!(
        refused(&cloud, "MethodResponse", of(models)).await?,
        "BadRequestException: Invalid model identifier specified: Nothere"
    );
    let method_response = cloud
        .of_method(&api, "MethodResponse", put, json!({ "statusCode": "200" }))
        .await?;
    assert_eq!(
        refused(&cloud, "MethodResponse", of(json!({ "statusCode": "200" }))).await?,
        "ConflictException: Response already exists for this resource"
    );

    // and not with a header that the method response does not declare.
    assert_eq!(
        refused(&cloud, "IntegrationResponse", response.clone()).await?,
        mapping(header)
    );
    let declares = json!({ "responseParameters": { header: false } });
    cloud.change(&method_response, declares).await?;
    let response = cloud
        .declare("IntegrationResponse", "response", response)
        .await?;
    let more = json!({ "responseParameters": {
        header: "'a'", "method.response.header.X-B": "'b'",
    } });
    assert_eq!(
        refusal(cloud.change(&response, more).await)?,
        mapping("method.response.header.X-B")
    );
    Ok(())
}

#[tokio::test]
async fn models() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let (api, clicks) = api(&cloud).await?;
    let model = |name: &str, schema: &str| {
        json!({
            "restApi": api.id, "name": name, "contentType": "application/json", "schema": schema,
        })
    };
    let click = cloud
        .declare("Model", "click", model("Click", "{}"))
        .await?;
    for (name, schema, expected) in [
        (
            "Click",
            "{}",
            "ConflictException: Model name already exists for this REST API",
        ),
        (
            "Error",
            "{}",
            "ConflictException: Model name already exists for this REST API",
        ),
        (
            "a-b",
            "{}",
            "BadRequestException: Model name must be alphanumeric: a-b",
        ),
        (
            "A",
            "",
            "schema: Model schema must have at least 1 property or array items defined",
        ),
        ("A", "{", "schema: the schema is no JSON:"),
        ("A", "[]", "schema: Invalid model schema specified"),
        (
            "A",
            r#"{"properties": {"const": {"const": 1}}}"#,
            "schema: Invalid model schema specified. Unsupported keyword(s): [\"const\"]",
        ),
        (
            "A",
            r#"{"type": "text"}"#,
            "schema: Invalid model schema specified",
        ),
        (
            "A",
            r#"{"$schema": "http://json-schema.org/draft-07/schema#"}"#,
            "schema: API Gateway's models are of JSON schema draft 4",
        ),
        (
            "A",
            r#"{"$ref": "https://apigateway.amazonaws.com/restapis/a/models/B"}"#,
            "schema: the embedded cloud does not support a reference out of the schema",
        ),
    ] {
        let said = refused(&cloud, "Model", model(name, schema)).await?;
        assert!(said.starts_with(expected), "{name} {schema}: {said}");
    }
    let uses = json!({ "requestModels": { "application/json": "Click" } });
    let method = cloud.method(&api, (&clicks, "PUT"), uses).await?;
    assert_eq!(
        refusal(cloud.delete(&click).await)?,
        "ConflictException: Cannot delete model 'Click', is referenced in method request: \
         /clicks/PUT"
    );
    cloud.delete(&method).await?;
    cloud.delete(&click).await
}

#[tokio::test]
async fn deployments_and_stages() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let deployment = || refused(&cloud, "Deployment", json!({ "restApi": api.id }));
    assert_eq!(
        deployment().await?,
        "BadRequestException: The REST API doesn't contain any methods"
    );
    let root = (&*api.root, "GET");
    cloud.method(&api, root, json!({})).await?;
    assert_eq!(
        deployment().await?,
        "BadRequestException: No integration defined for method (GET /)"
    );
    let integration = json!({ "type": "MOCK", "requestTemplates": crate::support::mock(200) });
    cloud
        .of_method(&api, "Integration", root, integration)
        .await?;

    let base = json!({ "restApi": api.id });
    let stage = |name: &str, deployment: &str| {
        let own = json!({ "stageName": name, "deployment": deployment });
        merged(base.clone(), own)
    };
    assert_eq!(
        refused(&cloud, "Stage", stage(STAGE, "nothere")).await?,
        "NotFoundException: Invalid Deployment identifier specified"
    );
    let first = cloud.deployment(&api).await?;
    let id = &first.resource.id;
    assert_eq!(
        refused(&cloud, "Stage", stage("a.b", id)).await?,
        "stageName: Stage name only allows a-zA-Z0-9_-"
    );
    let settings = json!({
        "restApi": api.id, "stageName": STAGE, "methodPath": "*/*", "settings": {},
    });
    assert_eq!(
        refused(&cloud, "MethodSettings", settings).await?,
        "NotFoundException: Invalid stage identifier specified"
    );
    let live = cloud.declare("Stage", STAGE, stage(STAGE, id)).await?;
    assert_eq!(
        refused(&cloud, "Stage", stage(STAGE, id)).await?,
        "ConflictException: Stage already exists"
    );
    assert_eq!(
        refusal(cloud.delete(&first).await)?,
        "BadRequestException: Active stages pointing to this deployment must be moved or deleted"
    );
    assert_eq!(
        refusal(
            cloud
                .change(&live, json!({ "deployment": "nothere" }))
                .await
        )?,
        "NotFoundException: Invalid Deployment identifier specified"
    );

    // Logs need the account's role,
    let no_role = "BadRequestException: CloudWatch Logs role ARN must be set in account settings \
                   to enable logging";
    let log = json!({
        "accessLogSettings": {
            "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:api",
            "format": "$context.requestId",
        },
    });
    assert_eq!(refusal(cloud.change(&live, log.clone()).await)?, no_role);
    // which has to be one that API Gateway may assume and that may write logs.
    let account = |role: &str| json!({ "cloudwatchRoleArn": role });
    let lacking = "BadRequestException: The role ARN does not have required permissions configured";
    let nobody = "arn:aws:iam::000000000000:role/nobody";
    let other = cloud
        .role("other", "lambda.amazonaws.com", &["logs:*"])
        .await?;
    let powerless = cloud
        .role("powerless", "apigateway.amazonaws.com", &[])
        .await?;
    for role in [nobody, &other, &powerless] {
        let said = refused(&cloud, "Account", account(role)).await?;
        assert!(said.starts_with(lacking), "{role}: {said}");
    }
    cloud.account().await?;
    cloud.change(&live, log).await?;
    cloud.delete(&live).await?;
    cloud.delete(&first).await
}

#[tokio::test]
async fn access_log_settings() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let (api, _) = api(&cloud).await?;
    cloud.account().await?;
    let stage = cloud.deploy(&api).await?;
    let group = "arn:aws:logs:us-east-1:000000000000:log-group:api";
    let long = format!("$context.requestId {}", "x".repeat(3072));
    for (destination, format, expected) in [
        (
            group,
            "$context.status",
            "Access Log format must include either $context.requestId",
        ),
        (
            group,
            "$context.requestId\n$context.status",
            "Access Log format must be single line",
        ),
        (
            group,
            "$context.requestId $context.nothing",
            "$context.nothing is not supported here",
        ),
        (
            group,
            "$context.requestId $input.body",
            "$input is not supported here",
        ),
        (group, &*long, "a format may have 3072 bytes at most"),
        (
            "arn:aws:s3:::bucket",
            "$context.requestId",
            "Invalid ARN specified in the request.",
        ),
        (
            "arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-a",
            "$context.requestId",
            "does not support a delivery stream as an access log",
        ),
    ] {
        let settings = json!({ "destinationArn": destination, "format": format });
        let changed = cloud.change(&stage, json!({ "accessLogSettings": settings }));
        let said = refusal(changed.await)?;
        assert!(said.contains(expected), "{format}: {said}");
    }
    for format in [
        "$context.requestId",
        "$context.extendedRequestId $context.status\n",
    ] {
        let settings = json!({ "destinationArn": format!("{group}:*"), "format": format });
        cloud
            .change(&stage, json!({ "accessLogSettings": settings }))
            .await?;
    }
    Ok(())
}

/// AWS would let the second overwrite the first.
#[tokio::test]
async fn all_programs_share_the_account_s_settings_in_a_region() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let first = cloud.account().await?;
    let count = || cloud.running.account().deployments.all().len();
    let before = count();
    let second = cloud.declare("Account", "second", json!({})).await?;
    assert_eq!(second.resource.id, first.resource.id);
    assert_eq!(count(), before, "it is the same resource");
    let elsewhere = cloud.declare_in("eu-west-1", "Account", "elsewhere", json!({}));
    elsewhere.await?;
    cloud.delete(&second).await?;
    let role = json!({ "cloudwatchRoleArn": first.resource.inputs["cloudwatchRoleArn"] });
    cloud.declare("Account", "third", role).await?;
    Ok(())
}
