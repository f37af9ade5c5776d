//! What becomes of a request on its way to the integration: its size, its parameters, its body
//! and its content type.

use crate::support::{Answer, Api, Mock, TestCloud};
use anyhow::Result;
use serde_json::json;

const JSON: (&str, &str) = ("Content-Type", "application/json");

const INVALID_BODY: (u16, &str) = (400, r#"{"message": "Invalid request body"}"#);
const UNSUPPORTED: (u16, &str) = (415, r#"{"message": "Unsupported Media Type"}"#);

/// An API with `POST /` that `mock` answers.
async fn api(cloud: &TestCloud, mock: Mock) -> Result<Api> {
    let api = cloud.api().await?;
    cloud.mock(&api, (&api.root, "POST"), mock).await?;
    cloud.deploy(&api).await?;
    Ok(api)
}

/// Posts a body with a content type, or without when that is empty.
async fn post(cloud: &TestCloud, api: &Api, content_type: &str, body: &str) -> Result<Answer> {
    let headers = [("Content-Type", content_type)];
    let headers = if content_type.is_empty() {
        &[]
    } else {
        &headers[..]
    };
    cloud.ask(api, "POST /", headers, body).await
}

#[tokio::test]
async fn templates_see_the_request() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let item = cloud.resource(&api, &api.root, "{id}").await?;
    for (verb, expression) in [
        ("GET", "$input.params('a')"),
        ("PUT", "$input.params('x-header')"),
        ("PATCH", "$input.params('id')"),
        ("POST", "$input.json('$')"),
        ("DELETE", "$context.identity.userAgent"),
        (
            "OPTIONS",
            "\"$context.domainName $context.protocol $stageVariables.colour\"",
        ),
        ("HEAD", "$context.requestTime"),
    ] {
        let mock = Mock::making(expression);
        cloud.mock(&api, (&item, verb), mock).await?;
    }
    cloud
        .deploy_with(&api, json!({ "variables": { "colour": "red" } }))
        .await?;

    let host = format!("127.0.0.1:{} HTTP/1.1 red", cloud.port());
    for (request, header, body, made) in [
        ("GET /1?a=b", JSON, "", "b"),
        ("GET /1?a=b&a=c%20d%2B+e", JSON, "", "c d+ e"),
        ("GET /1?b=b", JSON, "", ""),
        ("GET /1", ("a", "of a header"), "", "of a header"),
        ("GET /1?a=query", ("a", "of a header"), "", "query"),
        ("PUT /1", ("X-Header", "h"), "", "h"),
        ("PATCH /%C3%A9?id=2", ("id", "3"), "", "é"),
        (
            "POST /1",
            JSON,
            " {\"b\" : [1.0, \"\\u00e9\"],\n\"a\":{}} ",
            r#"{"b":[1.0,"é"],"a":{}}"#,
        ),
        ("DELETE /1", ("User-Agent", "me/1"), "", "me/1"),
        ("OPTIONS /1", JSON, "", &host),
        ("HEAD /1", JSON, "", "04/Mar/2026:05:06:07 +0000"),
    ] {
        let answer = cloud.ask(&api, request, &[header], body).await?;
        assert_eq!(
            (answer.status, answer.header("x-made")),
            (200, made),
            "{request}"
        );
    }
    Ok(())
}

/// A value of a request cannot become a header of its own.
#[tokio::test]
async fn headers_cannot_be_smuggled_into_the_answer() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud, Mock::making("$input.params('a')")).await?;
    let answer = cloud
        .ask(&api, "POST /?a=1%0d%0aX-Other:%201", &[JSON], "")
        .await?;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (answer.header("x-made"), answer.header("x-other")),
        ("", "")
    );
    Ok(())
}

#[tokio::test]
async fn a_template_that_needs_json_refuses_what_is_none() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = api(&cloud, Mock::making("$input.json('$.a')")).await?;
    for (body, made) in [("{\"a\": [1, 2]}", "[1,2]"), ("{}", "\"\"")] {
        let answer = post(&cloud, &api, "application/json", body).await?;
        assert_eq!(
            (answer.status, answer.header("x-made")),
            (200, made),
            "{body}"
        );
    }
    for body in ["{", "{\"a\": 1}}", "{'a': 1}", "\u{0}"] {
        let answer = post(&cloud, &api, "application/json", body).await?;
        let refused = (400, r#"{"message": "Invalid JSON in request body"}"#);
        assert_eq!(answer.said(), refused, "{body}");
        assert_eq!(answer.header("x-amzn-errortype"), "BadRequestException");
    }
    Ok(())
}

/// The table of AWS's "Integration passthrough behaviors". What passes is the body itself, and
/// `{"statusCode": 202}` is an answer for a mock.
#[tokio::test]
async fn passthrough_decides_what_becomes_of_other_content_types() -> Result<()> {
    let template = "{\"statusCode\": 200}";
    let passed = (202, "passed");
    let mapped = (200, "mapped");
    for (behaviour, content_type, answers) in [
        ("NEVER", "application/json", [mapped, mapped, UNSUPPORTED]),
        ("NEVER", "text/plain", [UNSUPPORTED, UNSUPPORTED, mapped]),
        ("NEVER", "$default", [mapped, mapped, mapped]),
        (
            "WHEN_NO_TEMPLATES",
            "application/json",
            [mapped, mapped, UNSUPPORTED],
        ),
        (
            "WHEN_NO_MATCH",
            "application/json",
            [mapped, mapped, passed],
        ),
        ("WHEN_NO_MATCH", "text/plain", [passed, passed, mapped]),
    ] {
        let cloud = TestCloud::start().await?;
        let response = |status: &str, text: &str| {
            json!({
                "statusCode": status,
                "selectionPattern": status,
                "responseTemplates": { "application/json": text },
            })
        };
        let mock = Mock {
            integration: json!({
                "passthroughBehavior": behaviour,
                "requestTemplates": { content_type: template },
            }),
            responses: vec![response("200", "mapped"), response("202", "passed")],
            ..Mock::default()
        };
        let api = api(&cloud, mock).await?;
        for (sent, expected) in ["", "application/json", "text/plain"].iter().zip(answers) {
            let answer = post(&cloud, &api, sent, "{\"statusCode\": 202}").await?;
            assert_eq!(
                answer.said(),
                expected,
                "{behaviour}, {content_type}: {sent}"
            );
            if expected == UNSUPPORTED {
                assert_eq!(answer.header("x-amzn-errortype"), "BadRequestException");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn bodies_are_checked_against_the_model_of_their_content_type() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let schema = json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "Click",
        "type": "object",
        "properties": {
            "userId": { "type": "string", "minLength": 1, "maxLength": 5 },
            "mysfitId": { "type": "string", "pattern": "^[0-9a-f]{8}$" },
        },
        "required": ["userId", "mysfitId"],
        "additionalProperties": false,
    });
    let model = json!({
        "restApi": api.id, "name": "Click", "contentType": "application/json",
        "schema": schema.to_string(),
    });
    cloud.declare("Model", "click", model).await?;
    let validator = json!({ "restApi": api.id, "name": "body", "validateRequestBody": true });
    let validator = cloud.declare("RequestValidator", "body", validator).await?;
    let mock = Mock {
        method: json!({
            "requestModels": { "application/json": "Click" },
            "requestValidatorId": validator.resource.id,
        }),
        integration: json!({ "passthroughBehavior": "NEVER" }),
        ..Mock::default()
    };
    cloud.mock(&api, (&api.root, "POST"), mock).await?;
    cloud.deploy(&api).await?;

    let fine = (200, "");
    let click = r#"{"userId": "u", "mysfitId": "0123abcd"}"#;
    for (content_type, body, expected) in [
        ("application/json", click, fine),
        ("", click, fine),
        ("application/json; charset=utf-8", click, fine),
        ("Application/JSON", click, fine),
        ("text/plain", click, UNSUPPORTED),
        ("text/plain", "", UNSUPPORTED),
        ("application/json", "", INVALID_BODY),
        ("application/json", "  ", INVALID_BODY),
        ("", "{}", INVALID_BODY),
        ("application/json; charset=utf-8", "{}", INVALID_BODY),
        ("application/json", "[]", INVALID_BODY),
        ("application/json", "null", INVALID_BODY),
        ("application/json", "{", INVALID_BODY),
        ("application/json", "{} {}", INVALID_BODY),
        ("application/json", r#"{"userId": "u"}"#, INVALID_BODY),
        (
            "application/json",
            r#"{"userId": "", "mysfitId": "0123abcd"}"#,
            INVALID_BODY,
        ),
        (
            "application/json",
            r#"{"userId": "123456", "mysfitId": "0123abcd"}"#,
            INVALID_BODY,
        ),
        (
            "application/json",
            r#"{"userId": "ééééé", "mysfitId": "0123abcd"}"#,
            fine,
        ),
        (
            "application/json",
            r#"{"userId": "u", "mysfitId": "0123ABCD"}"#,
            INVALID_BODY,
        ),
        (
            "application/json",
            r#"{"userId": 1, "mysfitId": "0123abcd"}"#,
            INVALID_BODY,
        ),
        (
            "application/json",
            r#"{"userId": "u", "mysfitId": "0123abcd", "x": 1}"#,
            INVALID_BODY,
        ),
    ] {
        let answer = post(&cloud, &api, content_type, body).await?;
        assert_eq!(answer.said(), expected, "{content_type}: {body}");
        if expected == INVALID_BODY {
            assert_eq!(
                answer.lasting_headers(),
                [
                    ("content-length", "35"),
                    ("content-type", "application/json"),
                    ("x-amzn-errortype", "BadRequestException"),
                ]
            );
        }
    }
    Ok(())
}

#[tokio::test]
async fn required_parameters_must_be_there_and_not_blank() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let api = cloud.api().await?;
    let validator = json!({
        "restApi": api.id, "name": "parameters", "validateRequestParameters": true,
    });
    let validator = cloud
        .declare("RequestValidator", "parameters", validator)
        .await?;
    let mock = Mock {
        method: json!({
            "requestValidatorId": validator.resource.id,
            "requestParameters": {
                "method.request.querystring.q": true,
                "method.request.querystring.optional": false,
                "method.request.header.X-A": true,
            },
        }),
        ..Mock::default()
    };
    cloud.mock(&api, (&api.root, "POST"), mock).await?;
    cloud.deploy(&api).await?;

    for (request, header, missing) in [
        ("POST /?q=1", ("X-A", "1"), None),
        ("POST /?q=1", ("x-a", "1"), None),
        ("POST /", ("X-A", "1"), Some("q")),
        ("POST /?q", ("X-A", "1"), Some("q")),
        ("POST /?q=%20", ("X-A", "1"), Some("q")),
        ("POST /?Q=1", ("X-A", "1"), Some("q")),
        ("POST /?q=1", ("X-B", "1"), Some("X-A")),
        ("POST /", ("X-B", "1"), Some("X-A, q")),
    ] {
        let answer = cloud.ask(&api, request, &[header], "").await?;
        let expected = match missing {
            None => (200, String::new()),
            Some(missing) => (
                400,
                format!(r#"{{"message": "Missing required request parameters: [{missing}]"}}"#),
            ),
        };
        assert_eq!(
            answer.said(),
            (expected.0, &*expected.1),
            "{request} {header:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn ten_mebibytes_are_all_that_is_taken() -> Result<()> {
    const LIMIT: usize = 10 * 1024 * 1024;
    let cloud = TestCloud::start().await?;
    let api = api(&cloud, Mock::default()).await?;
    let answer = post(&cloud, &api, "application/json", &" ".repeat(LIMIT)).await?;
    assert_eq!(answer.said(), (200, ""));
    for too_much in [1, 1024 * 1024] {
        let body = " ".repeat(LIMIT + too_much);
        let answer = post(&cloud, &api, "application/json", &body).await?;
        let refused = r#"{"message":"HTTP content length exceeded 10485760 bytes."}"#;
        assert_eq!(answer.said(), (413, refused));
    }
    Ok(())
}
