//! How the integration's answer becomes the caller's.

use crate::support::{Answer, Api, Mock, TestCloud};
use anyhow::Result;
use serde_json::{Value, json};

/// An API whose `POST /` answers with the status that the body names.
async fn api(cloud: &TestCloud, responses: Vec<Value>) -> Result<Api> {
    let api = cloud.api().await?;
    let mock = Mock {
        integration: json!({ "requestTemplates": { "application/json": "$input.json('$')" } }),
        responses,
        ..Mock::default()
    };
    cloud.mock(&api, (&api.root, "POST"), mock).await?;
    cloud.deploy(&api).await?;
    Ok(api)
}

async fn status(cloud: &TestCloud, api: &Api, status: u16) -> Result<Answer> {
    let body = json!({ "statusCode": status }).to_string();
    cloud.ask(api, "POST /", &[], &body).await
}

fn response(status: &str, pattern: &str, text: &str) -> Value {
    json!({
        "statusCode": status,
        "selectionPattern": pattern,
        "responseTemplates": { "application/json": text },
    })
}

#[tokio::test]
async fn a_pattern_has_to_match_the_whole_status() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(
        &cloud,
        vec![
            response("200", "", "default"),
            response("502", r"4\d{2}", "refused"),
            response("503", "5[0-9]+", "failed"),
            response("300", "30|31", "never"),
            response("201", "2.1|299", "created"),
        ],
    )
    .await?;
    for (given, expected) in [
        (200, (200, "default")),
        (400, (502, "refused")),
        (499, (502, "refused")),
        (500, (503, "failed")),
        (300, (200, "default")),
        (301, (200, "default")),
        (201, (201, "created")),
        (299, (201, "created")),
    ] {
        let answer = status(&cloud, &api, given).await?;
        assert_eq!(answer.said(), expected, "{given}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    Ok(())
}

#[tokio::test]
async fn what_no_response_takes_is_a_failure_of_the_api() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud, vec![response("200", "200", "fine")]).await?;
    assert_eq!(status(&cloud, &api, 200).await?.said(), (200, "fine"));
    let failed = (500, r#"{"message": "Internal server error"}"#);
    for body in [
        r#"{"statusCode": 201}"#,
        r#"{"statusCode": "200"}"#,
        r#"{"statusCode": 1e9}"#,
        r#"{"status": 200}"#,
        "[]",
        "7",
    ] {
        let answer = cloud.ask(&api, "POST /", &[], body).await?;
        assert_eq!(answer.said(), failed, "{body}");
        let error_type = answer.header("x-amzn-errortype");
        assert_eq!(error_type, "InternalServerErrorException");
    }
    Ok(())
}

#[tokio::test]
async fn headers_are_mapped_and_can_be_overridden() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let template = "#set($origin = $input.params('Origin'))\n\
        #if($origin == 'https://a.example' || $origin == 'http://localhost:8080')\n\
        #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)\n\
        #end\n\
        {\"status\":\"OK\"}";
    let response = json!({
        "statusCode": "200",
        "responseParameters": {
            "method.response.header.Access-Control-Allow-Origin": "'https://site.example'",
            "method.response.header.Vary": "'Origin'",
            "method.response.header.X-Stage": "context.stage",
            "method.response.header.X-Colour": "stageVariables.colour",
            "method.response.header.X-Absent": "integration.response.header.X-Absent",
        },
        "responseTemplates": { "application/json": template },
    });
    let api = api(&cloud, vec![response]).await?;
    for (origin, allowed) in [
        ("https://a.example", "https://a.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://site.example", "https://site.example"),
        ("https://evil.example", "https://site.example"),
    ] {
        let headers = [("Origin", origin)];
        let answer = cloud
            .ask(&api, "POST /", &headers, "{\"statusCode\": 200}")
            .await?;
        assert_eq!(answer.said(), (200, r#"{"status":"OK"}"#), "{origin}");
        assert_eq!(
            answer.lasting_headers(),
            [
                ("access-control-allow-origin", allowed),
                ("content-length", "15"),
                ("content-type", "application/json"),
                ("vary", "Origin"),
                ("x-stage", "prod"),
            ],
            "{origin}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_template_is_chosen_by_what_the_caller_accepts() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let response = json!({
        "statusCode": "200",
        "responseParameters": { "method.response.header.Content-Type": "'text/html'" },
        "responseTemplates": { "application/json": "{}", "text/html": "<p>$context.stage</p>" },
    });
    let api = api(&cloud, vec![response]).await?;
    for (accept, body) in [
        ("application/json", "{}"),
        ("text/html", "<p>prod</p>"),
        ("text/html; q=0.5", "<p>prod</p>"),
        ("image/png", "{}"),
        ("*/*", "{}"),
    ] {
        let headers = [("Accept", accept)];
        let answer = cloud
            .ask(&api, "POST /", &headers, "{\"statusCode\": 200}")
            .await?;
        assert_eq!(answer.said(), (200, body), "{accept}");
        assert_eq!(answer.header("content-type"), "text/html");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_to_a_preflight_has_no_body() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let mock = Mock {
        integration: json!({
            "passthroughBehavior": "WHEN_NO_TEMPLATES",
            "requestTemplates": { "application/json": "{\"statusCode\": 204}" },
        }),
        responses: vec![json!({
            "statusCode": "204",
            "responseParameters": {
                "method.response.header.Access-Control-Allow-Origin": "'https://site.example'",
                "method.response.header.Access-Control-Allow-Methods": "'OPTIONS,PUT'",
                "method.response.header.Access-Control-Allow-Headers": "'Content-Type'",
                "method.response.header.Access-Control-Max-Age": "'3600'",
            },
            "responseTemplates": { "application/json": "" },
        })],
        ..Mock::default()
    };
    cloud.mock(&api, (&api.root, "OPTIONS"), mock).await?;
    cloud.deploy(&api).await?;
    let headers = [
        ("Origin", "https://site.example"),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    let answer = cloud.ask(&api, "OPTIONS /", &headers, "").await?;
    assert_eq!(answer.said(), (204, ""));
    assert_eq!(
        answer.lasting_headers(),
        [
            ("access-control-allow-headers", "Content-Type"),
            ("access-control-allow-methods", "OPTIONS,PUT"),
            ("access-control-allow-origin", "https://site.example"),
            ("access-control-max-age", "3600"),
            ("content-type", "application/json"),
        ]
    );
    Ok(())
}
