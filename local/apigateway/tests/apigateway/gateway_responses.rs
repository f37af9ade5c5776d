//! What the gateway answers by itself, and how an API shapes that.

use crate::support::{Api, Mock, TestCloud};
use anyhow::Result;
use serde_json::json;

/// An API whose `POST /` never takes plain text, and whose `GET /` is misconfigured.
async fn api(cloud: &TestCloud) -> Result<Api> {
    let api = cloud.api().await?;
    let never = Mock {
        integration: json!({ "passthroughBehavior": "NEVER" }),
        ..Mock::default()
    };
    cloud.mock(&api, (&api.root, "POST"), never).await?;
    let nothing_for_200 = Mock {
        responses: vec![json!({ "statusCode": "204", "selectionPattern": "204" })],
        ..Mock::default()
    };
    cloud
        .mock(&api, (&api.root, "GET"), nothing_for_200)
        .await?;
    Ok(api)
}

const PLAIN: &[(&str, &str)] = &[("Content-Type", "text/plain"), ("Origin", "http://a\"b")];

#[tokio::test]
async fn the_gateway_has_words_of_its_own() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    cloud.deploy(&api).await?;
    for (request, status, body, error_type) in [
        (
            "PUT /",
            403,
            r#"{"message":"Missing Authentication Token"}"#,
            "MissingAuthenticationTokenException",
        ),
        (
            "POST /",
            415,
            r#"{"message": "Unsupported Media Type"}"#,
            "BadRequestException",
        ),
        (
            "GET /",
            500,
            r#"{"message": "Internal server error"}"#,
            "InternalServerErrorException",
        ),
    ] {
        let answer = cloud.ask(&api, request, PLAIN, "").await?;
        assert_eq!(answer.said(), (status, body), "{request}");
        let length = body.len().to_string();
        assert_eq!(
            answer.lasting_headers(),
            [
                ("content-length", &*length),
                ("content-type", "application/json"),
                ("x-amzn-errortype", error_type),
            ],
            "{request}"
        );
        let id = uuid::Uuid::parse_str(answer.header("x-amzn-requestid"))?;
        assert_eq!(id.get_version_num(), 4);
        let extended = answer.header("x-amz-apigw-id");
        assert!(
            extended.len() == 16 && extended.ends_with('='),
            "{extended}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn declared_responses_shape_what_it_says() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    let cors = json!({
        "responseParameters": {
            "gatewayresponse.header.Access-Control-Allow-Origin": "'https://site.example'",
            "gatewayresponse.header.Vary": "'Origin'",
        },
        "responseTemplates": { "application/json": "{\"message\":$context.error.messageString}" },
    });
    cloud.gateway_response(&api, "DEFAULT_4XX", cors).await?;
    let template = "$context.error.message/$context.error.responseType/$context.apiId\
                    /$context.resourcePath/$context.httpMethod/${context.stage}s/$5.00";
    let unsupported = json!({
        "statusCode": "406",
        "responseParameters": {
            "gatewayresponse.header.X-Origin": "method.request.header.Origin",
            "gatewayresponse.header.X-Query": "method.request.querystring.q",
            "gatewayresponse.header.X-Absent": "method.request.querystring.r",
            "gatewayresponse.header.X-Type": "context.error.responseType",
            "gatewayresponse.header.Content-Type": "'text/plain'",
        },
        "responseTemplates": { "application/json": template },
    });
    cloud
        .gateway_response(&api, "UNSUPPORTED_MEDIA_TYPE", unsupported)
        .await?;
    cloud.deploy(&api).await?;

    let answer = cloud.ask(&api, "PUT /", PLAIN, "").await?;
    let said = r#"{"message":"Missing Authentication Token"}"#;
    assert_eq!(answer.said(), (403, said));
    assert_eq!(
        answer.lasting_headers(),
        [
            ("access-control-allow-origin", "https://site.example"),
            ("content-length", "42"),
            ("content-type", "application/json"),
            ("vary", "Origin"),
            ("x-amzn-errortype", "MissingAuthenticationTokenException"),
        ]
    );

    // One that is declared for the type itself takes nothing from the default.
    let answer = cloud.ask(&api, "POST /?q=1", PLAIN, "").await?;
    let said = format!(
        "Unsupported Media Type/UNSUPPORTED_MEDIA_TYPE/{}///POST/prods/$5.00",
        api.id
    );
    assert_eq!(answer.said(), (406, &*said));
    let length = said.len().to_string();
    assert_eq!(
        answer.lasting_headers(),
        [
            ("content-length", &*length),
            ("content-type", "text/plain"),
            ("x-amzn-errortype", "BadRequestException"),
            ("x-origin", "http://a\"b"),
            ("x-query", "1"),
            ("x-type", "UNSUPPORTED_MEDIA_TYPE"),
        ]
    );

    // Nothing is declared for what is the server's fault.
    let answer = cloud.ask(&api, "GET /", PLAIN, "").await?;
    assert_eq!(
        answer.said(),
        (500, r#"{"message": "Internal server error"}"#)
    );
    Ok(())
}

#[tokio::test]
async fn they_are_live_with_the_next_deployment() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud).await?;
    let stage = cloud.deploy(&api).await?;
    let response = cloud
        .gateway_response(&api, "DEFAULT_4XX", json!({ "statusCode": "418" }))
        .await?;
    assert_eq!(cloud.ask(&api, "PUT /", &[], "").await?.status, 403);

    let first = cloud.deployment(&api).await?;
    let stage = cloud
        .change(&stage, json!({ "deployment": first.resource.id }))
        .await?;
    assert_eq!(cloud.ask(&api, "PUT /", &[], "").await?.status, 418);

    cloud.delete(&response).await?;
    assert_eq!(cloud.ask(&api, "PUT /", &[], "").await?.status, 418);
    let second = cloud.deployment(&api).await?;
    cloud
        .change(&stage, json!({ "deployment": second.resource.id }))
        .await?;
    assert_eq!(cloud.ask(&api, "PUT /", &[], "").await?.status, 403);
    Ok(())
}
