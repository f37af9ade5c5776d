//! An API as the stack's program declares it, with all that its answers and its log depend on.

use super::support::{Api, Mock, STAGE, TestCloud, mock};
use anyhow::Result;
use cloud_resource::deployments::Record;
use serde_json::{Value, json};

pub const SITE: &str = "https://site.example";
pub const MORE: &str = "http://localhost:8080";

pub const CLICK: &str =
    r#"{"userId": "user 1", "mysfitId": "4e53920c-505a-4a90-a694-b9300791f0ae"}"#;

const PUT_RECORD: &str = r#"{
    "DeliveryStreamName": "clicks",
    "Record": {"Data": "$util.base64Encode($input.json('$'))"}
}"#;

pub const OK: &str = r#"{"status":"OK"}"#;
pub const REFUSED: &str = r#"{"message":"The click was not stored"}"#;

/// What an answer has beside `Content-Length` and the ids.
pub const JSON: (&str, &str) = ("content-type", "application/json");
pub const ALLOWED: (&str, &str) = ("access-control-allow-origin", SITE);
pub const VARY: (&str, &str) = ("vary", "Origin");

const STREAM: &str = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream";

pub struct Clicks {
    pub cloud: TestCloud,
    pub api: Api,
    pub stage: Record,
    pub stream: Record,
    /// The API's role and its policy.
    pub role: Record,
    pub policy: Record,
}

pub fn document(statement: Value) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

pub fn trust(conditions: Value) -> String {
    let mut statement = json!({
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "sts:AssumeRole",
    });
    if !conditions.is_null() {
        statement["Condition"] = conditions;
    }
    document(statement)
}

impl Clicks {
    pub async fn start() -> Result<Self> {
        let cloud = TestCloud::start().await?;
        let stream = stream(&cloud).await?;
        let role = json!({ "name": "api", "assumeRolePolicy": trust(Value::Null) });
        let role = cloud.declare("aws:iam/role:Role", "api", role).await?;
        let policy = document(json!({
            "Effect": "Allow",
            "Action": "firehose:PutRecord",
            "Resource": stream.resource.output("arn"),
        }));
        let policy = json!({ "name": "api", "role": "api", "policy": policy });
        let policy = cloud
            .declare("aws:iam/rolePolicy:RolePolicy", "api", policy)
            .await?;
        let api = cloud.api().await?;
        declare(&cloud, &api, role.resource.output("arn")).await?;

        let group = json!({ "name": "access" });
        let group = cloud
            .declare("aws:cloudwatch/logGroup:LogGroup", "access", group)
            .await?;
        cloud.account().await?;
        let format = json!({
            "requestId": "$context.requestId",
            "requestTime": "$context.requestTime",
            "ip": "$context.identity.sourceIp",
            "method": "$context.httpMethod",
            "path": "$context.resourcePath",
            "protocol": "$context.protocol",
            "status": "$context.status",
            "responseLength": "$context.responseLength",
            "responseLatency": "$context.responseLatency",
            "integrationStatus": "$context.integrationStatus",
            "integrationLatency": "$context.integrationLatency",
            "error": "$context.error.message",
        });
        let log = json!({
            "destinationArn": group.resource.output("arn"),
            "format": format.to_string(),
        });
        let stage = cloud
            .deploy_with(&api, json!({ "accessLogSettings": log }))
            .await?;
        let settings = json!({
            "restApi": api.id, "stageName": STAGE, "methodPath": "*/*",
            "settings": { "throttlingRateLimit": 0.001, "throttlingBurstLimit": 20 },
        });
        cloud.declare("MethodSettings", "all", settings).await?;
        Ok(Self {
            cloud,
            api,
            stage,
            stream,
            role,
            policy,
        })
    }

    /// Sends a click from the site's pages, and expects this answer with the headers of CORS.
    pub async fn click(&self, status: u16, body: &str, more: &[(&str, &str)]) -> Result<()> {
        let headers = [("Content-Type", "application/json"), ("Origin", SITE)];
        let answer = self
            .cloud
            .ask(&self.api, "PUT /clicks", &headers, CLICK)
            .await?;
        assert_eq!(answer.said(), (status, body));
        let length = body.len().to_string();
        let mut expected = vec![ALLOWED, ("content-length", &*length), JSON, VARY];
        expected.extend(more);
        expected.sort_unstable();
        assert_eq!(answer.lasting_headers(), expected);
        Ok(())
    }
}

/// A stream that passes everything on to a bucket at once.
async fn stream(cloud: &TestCloud) -> Result<Record> {
    let bucket = json!({ "bucket": "clicks" });
    cloud
        .declare("aws:s3/bucket:Bucket", "clicks", bucket)
        .await?;
    let role = cloud
        .role("delivery", "firehose.amazonaws.com", &["s3:PutObject"])
        .await?;
    let stream = json!({
        "name": "clicks",
        "destination": "extended_s3",
        "extendedS3Configuration": {
            "roleArn": role, "bucketArn": "arn:aws:s3:::clicks", "bufferingInterval": 0,
        },
    });
    cloud.declare(STREAM, "clicks", stream).await
}

/// The API, as the stack's program declares it.
async fn declare(cloud: &TestCloud, api: &Api, role: &str) -> Result<()> {
    let clicks = cloud.resource(api, &api.root, "clicks").await?;
    let schema = json!({
        "$schema": "http://json-schema.org/draft-04/schema#",
        "title": "Click",
        "type": "object",
        "properties": {
            "userId": { "type": "string", "minLength": 1, "maxLength": 128 },
            "mysfitId": {
                "type": "string",
                "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
            },
        },
        "required": ["userId", "mysfitId"],
        "additionalProperties": false,
    });
    let model = json!({
        "restApi": api.id, "name": "Click", "contentType": "application/json",
        "schema": schema.to_string(),
    });
    cloud.declare("Model", "click", model).await?;
    let validator = json!({
        "restApi": api.id, "name": "body",
        "validateRequestBody": true, "validateRequestParameters": false,
    });
    let validator = cloud.declare("RequestValidator", "body", validator).await?;

    let put = Mock {
        method: json!({
            "requestModels": { "application/json": "Click" },
            "requestValidatorId": validator.resource.id,
        }),
        integration: json!({
            "type": "AWS",
            "integrationHttpMethod": "POST",
            "uri": "arn:aws:apigateway:us-east-1:firehose:action/PutRecord",
            "credentials": role,
            "passthroughBehavior": "NEVER",
            "requestParameters": {
                "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
            },
            "requestTemplates": { "application/json": PUT_RECORD },
        }),
        responses: vec![
            answer("200", "", OK, json!({})),
            answer(
                "503",
                r"5\d{2}",
                r#"{"message":"The click was not stored: try again later"}"#,
                json!({ "method.response.header.Retry-After": "'1'" }),
            ),
            answer("502", r"4\d{2}", REFUSED, json!({})),
        ],
    };
    cloud.mock(api, (&clicks, "PUT"), put).await?;
    let options = Mock {
        integration: json!({ "requestTemplates": mock(204) }),
        responses: vec![answer(
            "204",
            "",
            "",
            json!({
                "method.response.header.Access-Control-Allow-Methods": "'OPTIONS,PUT'",
                "method.response.header.Access-Control-Allow-Headers": "'Content-Type'",
                "method.response.header.Access-Control-Max-Age": "'3600'",
            }),
        )],
        ..Mock::default()
    };
    cloud.mock(api, (&clicks, "OPTIONS"), options).await?;
    for kind in ["DEFAULT_4XX", "DEFAULT_5XX"] {
        let shape = json!({
            "responseParameters": {
                "gatewayresponse.header.Access-Control-Allow-Origin": format!("'{SITE}'"),
                "gatewayresponse.header.Vary": "'Origin'",
            },
            "responseTemplates": {
                "application/json": r#"{"message":$context.error.messageString}"#,
            },
        });
        cloud.gateway_response(api, kind, shape).await?;
    }
    Ok(())
}

/// An integration response, with the headers of CORS and the script for more origins.
fn answer(status: &str, pattern: &str, body: &str, headers: Value) -> Value {
    let script = format!(
        "#set($origin = $input.params('Origin'))\n\
         #if($origin == '{MORE}')\n\
         #set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)\n\
         #end\n"
    );
    let cors = json!({
        "method.response.header.Access-Control-Allow-Origin": format!("'{SITE}'"),
        "method.response.header.Vary": "'Origin'",
    });
    json!({
        "statusCode": status,
        "selectionPattern": pattern,
        "responseParameters": super::support::merged(cors, headers),
        "responseTemplates": { "application/json": format!("{script}{body}") },
    })
}
