//! What the embedded cloud does not have is refused when it is declared, by its name.

use crate::support::{Mock, STAGE, TestCloud, merged, mock, refusal};
use anyhow::Result;
use serde_json::{Value, json};

async fn refused(cloud: &TestCloud, kind: &str, inputs: Value) -> Result<String> {
    refusal(cloud.declare(kind, "refused", inputs).await)
}

#[tokio::test]
async fn unsupported_features() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let clicks = cloud.resource(&api, &api.root, "clicks").await?;
    cloud.method(&api, (&clicks, "PUT"), json!({})).await?;
    let own = json!({ "restApi": api.id, "resourceId": clicks, "httpMethod": "PUT" });
    let rest_api = json!({ "name": "other" });
    let method = merged(
        own.clone(),
        json!({ "httpMethod": "GET", "authorization": "NONE" }),
    );
    let mock = json!({ "type": "MOCK", "requestTemplates": mock(200) });
    let mock = merged(own.clone(), mock);
    let firehose = merged(
        own.clone(),
        json!({
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:firehose:action/PutRecord",
            "credentials": "arn:aws:iam::000000000000:role/api",
            "requestParameters": {
                "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            },
        }),
    );
    let answer = merged(own, json!({ "statusCode": "200" }));
    let gateway = json!({ "restApiId": api.id, "responseType": "DEFAULT_4XX" });
    let stage = json!({ "restApi": api.id, "stageName": STAGE, "deployment": "abcdef" });
    let settings = json!({ "restApi": api.id, "stageName": STAGE, "methodPath": "*/*" });
    let template = |text: &str| json!({ "requestTemplates": { "application/json": text } });
    let response_template =
        |text: &str| json!({ "responseTemplates": { "application/json": text } });

    for (kind, base, changes, expected) in [
        (
            "RestApi",
            &rest_api,
            json!({ "binaryMediaTypes": ["image/png"] }),
            "binaryMediaTypes: the embedded cloud does not support binary payloads",
        ),
        (
            "RestApi",
            &rest_api,
            json!({ "body": "{}" }),
            "body: the embedded cloud does not support the import of an OpenAPI document",
        ),
        (
            "RestApi",
            &rest_api,
            json!({ "policy": "{}" }),
            "policy: the embedded cloud does not support resource policies of APIs",
        ),
        (
            "RestApi",
            &rest_api,
            json!({ "minimumCompressionSize": "0" }),
            "minimumCompressionSize: ",
        ),
        (
            "RestApi",
            &rest_api,
            json!({ "disableExecuteApiEndpoint": true }),
            "disableExecuteApiEndpoint: ",
        ),
        (
            "RestApi",
            &rest_api,
            json!({ "endpointConfiguration": { "types": "PRIVATE" } }),
            "endpointConfiguration.types: the embedded cloud does not support PRIVATE endpoints",
        ),
        (
            "Method",
            &method,
            json!({ "authorization": "AWS_IAM" }),
            "authorization: the embedded cloud does not support the authorization AWS_IAM",
        ),
        (
            "Method",
            &method,
            json!({ "apiKeyRequired": true }),
            "apiKeyRequired: the embedded cloud does not support API keys",
        ),
        (
            "Method",
            &method,
            json!({ "httpMethod": "TRACE" }),
            "httpMethod: Invalid HttpMethod specified. Valid options are GET,PUT,",
        ),
        (
            "Method",
            &method,
            json!({ "requestParameters": { "a": true } }),
            "requestParameters[\"a\"]: Invalid mapping expression specified: a",
        ),
        (
            "Integration",
            &mock,
            json!({ "type": "HTTP_PROXY", "uri": "https://a.example" }),
            "type: the embedded cloud does not support HTTP_PROXY integrations; \
             there are AWS and MOCK",
        ),
        (
            "Integration",
            &mock,
            json!({ "type": "AWS_PROXY" }),
            "type: the embedded cloud does not support AWS_PROXY integrations",
        ),
        (
            "Integration",
            &mock,
            json!({ "requestTemplates": null }),
            "requestTemplates: the embedded cloud does not support a MOCK integration \
             without a template",
        ),
        (
            "Integration",
            &mock,
            json!({ "cacheKeyParameters": ["a"] }),
            "cacheKeyParameters: the embedded cloud does not support caching",
        ),
        (
            "Integration",
            &mock,
            json!({ "contentHandling": "CONVERT_TO_TEXT" }),
            "contentHandling: ",
        ),
        (
            "Integration",
            &mock,
            json!({ "passthroughBehavior": "ALWAYS" }),
            "passthroughBehavior: ALWAYS is none of",
        ),
        (
            "Integration",
            &mock,
            json!({ "timeoutMilliseconds": 49 }),
            "timeoutMilliseconds: Timeout should be between 50 ms and 29000 ms",
        ),
        (
            "Integration",
            &mock,
            json!({ "timeoutMilliseconds": 29001 }),
            "timeoutMilliseconds: Timeout should be between 50 ms and 29000 ms",
        ),
        (
            "Integration",
            &mock,
            json!({ "requestParameters": { "integration.request.querystring.a": "'b'" } }),
            "requestParameters[\"integration.request.querystring.a\"]: ",
        ),
        (
            "Integration",
            &mock,
            template("a\n $util.toJson($input.path('$'))"),
            "requestTemplates[\"application/json\"]: line 2, column 2: \
             $util.toJson(…) is not supported",
        ),
        (
            "Integration",
            &mock,
            template(&"x".repeat(300 * 1024 + 1)),
            "requestTemplates[\"application/json\"]: line 1, column 1: a template may have 307200 \
             bytes at most",
        ),
        (
            "Integration",
            &mock,
            template("#parse('a')"),
            "requestTemplates[\"application/json\"]: line 1, column 1: ",
        ),
        (
            "Integration",
            &firehose,
            json!({ "uri": "arn:aws:apigateway:us-east-1:firehose:action/DeleteDeliveryStream" }),
            "uri: the embedded cloud does not support firehose:action/DeleteDeliveryStream",
        ),
        (
            "Integration",
            &firehose,
            json!({ "uri": "arn:aws:apigateway:us-east-1:sqs:path/a" }),
            "uri: the embedded cloud does not support sqs:path/a",
        ),
        (
            "Integration",
            &firehose,
            json!({ "uri": "https://a.example" }),
            "uri: Invalid ARN specified in the request",
        ),
        (
            "Integration",
            &firehose,
            json!({ "uri": "arn:aws:apigateway:us-east-1:firehose" }),
            "uri: AWS ARN for integration must contain path or action",
        ),
        (
            "Integration",
            &firehose,
            json!({ "integrationHttpMethod": null }),
            "integrationHttpMethod: Enumeration value for HttpMethod must be non-empty",
        ),
        (
            "Integration",
            &firehose,
            json!({ "credentials": null }),
            "credentials: Role ARN must be specified for AWS integrations",
        ),
        (
            "Integration",
            &firehose,
            json!({ "credentials": "arn:aws:iam::111111111111:role/api" }),
            "credentials: Cross-account pass role is not allowed.",
        ),
        (
            "Integration",
            &firehose,
            json!({ "credentials": "arn:aws:iam::*:user/*" }),
            "credentials: the embedded cloud does not support arn:aws:iam::*:user/*",
        ),
        (
            "Integration",
            &firehose,
            json!({ "requestParameters": null }),
            "requestParameters: Firehose's protocol needs",
        ),
        (
            "IntegrationResponse",
            &answer,
            json!({ "selectionPattern": "(" }),
            "selectionPattern: ",
        ),
        (
            "IntegrationResponse",
            &answer,
            json!({ "statusCode": "100" }),
            "statusCode: Invalid status code specified: 100",
        ),
        (
            "IntegrationResponse",
            &answer,
            json!({ "statusCode": "600" }),
            "statusCode: Invalid status code specified: 600",
        ),
        (
            "IntegrationResponse",
            &answer,
            json!({ "responseParameters": { "method.response.header.Content-Length": "'1'" } }),
            "responseParameters[\"method.response.header.Content-Length\"]: \
             the embedded cloud does not support setting Content-Length",
        ),
        (
            "IntegrationResponse",
            &answer,
            json!({ "responseParameters": { "method.response.header.A": "b" } }),
            "responseParameters[\"method.response.header.A\"]: \
             Invalid mapping expression specified: b",
        ),
        (
            "IntegrationResponse",
            &answer,
            response_template("#set($context.responseOverride.header.Connection = 'close')"),
            "responseTemplates[\"application/json\"]: line 1, column 6: \
             the embedded cloud does not support setting Connection",
        ),
        (
            "Response",
            &gateway,
            json!({ "responseType": "TEAPOT" }),
            "responseType: TEAPOT is none of ACCESS_DENIED,",
        ),
        (
            "Response",
            &gateway,
            json!({ "responseParameters": { "gatewayresponse.header.Date": "'now'" } }),
            "responseParameters[\"gatewayresponse.header.Date\"]: ",
        ),
        (
            "Response",
            &gateway,
            json!({ "responseTemplates": { "application/json": "$input.body" } }),
            "responseTemplates[\"application/json\"]: $input is not supported here",
        ),
        (
            "Stage",
            &stage,
            json!({ "cacheClusterEnabled": true }),
            "cacheClusterEnabled: the embedded cloud does not support caching",
        ),
        (
            "Stage",
            &stage,
            json!({ "clientCertificateId": "a" }),
            "clientCertificateId: ",
        ),
        (
            "MethodSettings",
            &settings,
            json!({ "settings": { "cachingEnabled": true } }),
            "settings.cachingEnabled: ",
        ),
        (
            "Stage",
            &stage,
            json!({ "xrayTracingEnabled": true }),
            "xrayTracingEnabled: the embedded cloud does not support X-Ray",
        ),
        (
            "MethodSettings",
            &settings,
            json!({ "settings": { "loggingLevel": "INFO" } }),
            "settings.loggingLevel: the embedded cloud does not support execution logs",
        ),
        (
            "MethodSettings",
            &settings,
            json!({ "settings": { "dataTraceEnabled": true } }),
            "settings.dataTraceEnabled: ",
        ),
        (
            "MethodSettings",
            &settings,
            json!({ "settings": {}, "methodPath": "clicks" }),
            "methodPath: ",
        ),
        (
            "Deployment",
            &json!({ "restApi": api.id }),
            json!({ "variables": { "a": "b" } }),
            "variables: ",
        ),
    ] {
        let said = refused(&cloud, kind, merged(base.clone(), changes.clone())).await?;
        assert!(said.starts_with(expected), "{kind} {changes}: {said}");
    }
    Ok(())
}

/// AWS does not say which response is taken then.
#[tokio::test]
async fn two_patterns_for_one_status() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let response =
        |status: &str, pattern: &str| json!({ "statusCode": status, "selectionPattern": pattern });
    let mock = Mock {
        responses: vec![response("200", "2.."), response("201", "20.")],
        ..Mock::default()
    };
    cloud.mock(&api, (&api.root, "PUT"), mock).await?;
    assert_eq!(
        refused(&cloud, "Deployment", json!({ "restApi": api.id })).await?,
        "BadRequestException: PUT /, integration responses, selectionPattern: more than one \
         pattern matches the status 200"
    );
    Ok(())
}
