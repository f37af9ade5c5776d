//! What the tests of the cloud's books have in common: sessions of engines on a whole cloud, and
//! what they declare.

use crate::cloud::Cloud;
use crate::support::{Engine, ResourceState};
use anyhow::Result;
use cloud_resource::deployments::Record;
use serde_json::{Value, json};

pub const ACCOUNT: &str = "aws:apigateway/account:Account";
pub const ACCESS: &str = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
pub const ALARM: &str = "aws:cloudwatch/metricAlarm:MetricAlarm";
pub const API: &str = "aws:apigateway/restApi:RestApi";
pub const BUCKET: &str = "aws:s3/bucket:Bucket";
pub const DASHBOARD: &str = "aws:cloudwatch/dashboard:Dashboard";
pub const DEPLOYMENT: &str = "aws:apigateway/deployment:Deployment";
pub const ENCRYPTION: &str =
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
pub const FILTER: &str = "aws:cloudwatch/logMetricFilter:LogMetricFilter";
pub const GROUP: &str = "aws:cloudwatch/logGroup:LogGroup";
pub const INTEGRATION: &str = "aws:apigateway/integration:Integration";
pub const INTEGRATION_RESPONSE: &str = "aws:apigateway/integrationResponse:IntegrationResponse";
pub const LIFECYCLE: &str = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
pub const METHOD: &str = "aws:apigateway/method:Method";
pub const METHOD_RESPONSE: &str = "aws:apigateway/methodResponse:MethodResponse";
pub const OBJECT: &str = "aws:s3/bucketObjectv2:BucketObjectv2";
pub const ORIGIN_ACCESS: &str = "aws:cloudfront/originAccessControl:OriginAccessControl";
pub const OWNERSHIP: &str = "aws:s3/bucketOwnershipControls:BucketOwnershipControls";
pub const POLICY: &str = "aws:s3/bucketPolicy:BucketPolicy";
pub const REPOSITORY: &str = "aws:codecommit/repository:Repository";
pub const RESPONSE: &str = "aws:apigateway/response:Response";
pub const ROLE: &str = "aws:iam/role:Role";
pub const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";
pub const SETTINGS: &str = "aws:apigateway/methodSettings:MethodSettings";
pub const STAGE: &str = "aws:apigateway/stage:Stage";
pub const STREAM: &str = "aws:cloudwatch/logStream:LogStream";
pub const TOPIC: &str = "aws:sns/topic:Topic";
pub const TOPIC_POLICY: &str = "aws:sns/topicPolicy:TopicPolicy";
pub const VERSIONING: &str = "aws:s3/bucketVersioning:BucketVersioning";

/// A session of an engine, for a stack.
pub async fn session(cloud: &Cloud, stack: &str) -> Result<Engine> {
    let mut engine = Engine::connect(cloud.server.endpoints().provider).await?;
    let provider = format!("urn:pulumi:{stack}::test::pulumi:providers:aws::default");
    let config = json!({ "region": "us-east-1" });
    engine.configure_as(&provider, config).await?;
    Ok(engine)
}

pub fn records(cloud: &Cloud) -> Vec<Record> {
    cloud.server.cloud().account.deployments.all()
}

/// `TYPE NAME` of all that is in the books, sorted.
pub fn books(cloud: &Cloud) -> Vec<String> {
    let line = |record: Record| {
        let (kind, urn) = (&record.token, &record.resource.urn);
        let kind = kind.rsplit(':').next().unwrap_or_default();
        format!("{kind} {}", urn.rsplit("::").next().unwrap_or_default())
    };
    let mut lines: Vec<String> = records(cloud).into_iter().map(line).collect();
    lines.sort();
    lines
}

pub fn urn(token: &str, name: &str) -> String {
    urn_in("dev", token, name)
}

pub fn urn_in(stack: &str, token: &str, name: &str) -> String {
    format!("urn:pulumi:{stack}::test::{token}::{name}")
}

pub fn trust(service: &str) -> String {
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

pub fn allow(action: &str) -> String {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// An API with one method, all by name.
pub struct Api {
    pub api: ResourceState,
    pub root: Value,
}

impl Api {
    pub async fn deploy(engine: &mut Engine, stack: &str) -> Result<Self> {
        let api = engine
            .deploy(&urn_in(stack, API, "a"), json!({ "name": "a" }))
            .await?;
        let root = api.outputs["rootResourceId"].clone();
        Ok(Self { api, root })
    }

    fn part(&self, more: Value) -> Value {
        let mut inputs = json!({
            "restApi": self.api.id, "resourceId": self.root, "httpMethod": "GET",
        });
        if let (Some(inputs), Value::Object(more)) = (inputs.as_object_mut(), more) {
            inputs.extend(more);
        }
        inputs
    }

    pub fn method(&self) -> Value {
        self.part(json!({ "authorization": "NONE" }))
    }

    pub fn integration(&self) -> Value {
        self.part(json!({
            "type": "MOCK",
            "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
        }))
    }

    pub fn answer(&self) -> Value {
        self.part(json!({ "statusCode": "200" }))
    }
}

/// Everything that AWS's API puts, by the side of what it needs.
pub async fn all_that_is_put(engine: &mut Engine) -> Result<Vec<(String, Value)>> {
    let mut puts: Vec<(String, Value)> = Vec::new();
    engine
        .deploy(&urn(BUCKET, "b"), json!({ "bucket": "bucket" }))
        .await?;
    let tls = json!({
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/*",
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    let tls = json!({ "Version": "2012-10-17", "Statement": [tls] }).to_string();
    for (token, inputs) in [
        (
            VERSIONING,
            json!({ "versioningConfiguration": { "status": "Enabled" } }),
        ),
        (ACCESS, json!({ "blockPublicAcls": true })),
        (POLICY, json!({ "policy": tls })),
        (
            OWNERSHIP,
            json!({ "rule": { "objectOwnership": "BucketOwnerEnforced" } }),
        ),
        (
            ENCRYPTION,
            json!({ "rules": [{ "applyServerSideEncryptionByDefault": { "sseAlgorithm": "AES256" } }] }),
        ),
        (
            LIFECYCLE,
            json!({ "rules": [{
                "id": "r", "status": "Enabled", "filter": { "prefix": "" },
                "expiration": { "days": 1 },
            }] }),
        ),
        (OBJECT, json!({ "key": "o", "content": "text" })),
    ] {
        let mut inputs = inputs;
        inputs["bucket"] = "bucket".into();
        puts.push((urn(token, "p"), inputs));
    }
    let role = json!({ "name": "r", "assumeRolePolicy": trust("apigateway.amazonaws.com") });
    let role = engine.deploy(&urn(ROLE, "r"), role).await?;
    let policy = json!({ "name": "p", "role": "r", "policy": allow("logs:*") });
    puts.push((urn(ROLE_POLICY, "p"), policy));
    let account = json!({ "cloudwatchRoleArn": role.outputs["arn"] });
    puts.push((urn(ACCOUNT, "p"), account));

    let group = json!({ "name": "g" });
    engine.deploy(&urn(GROUP, "g"), group).await?;
    let filter = json!({
        "name": "f", "logGroupName": "g", "pattern": "",
        "metricTransformation": { "name": "n", "namespace": "s", "value": "1" },
    });
    puts.push((urn(FILTER, "p"), filter));
    let alarm = json!({
        "name": "a", "namespace": "n", "metricName": "m", "statistic": "Sum", "period": 60,
        "comparisonOperator": "GreaterThanThreshold", "threshold": 0, "evaluationPeriods": 1,
    });
    puts.push((urn(ALARM, "p"), alarm));
    let board = json!({ "dashboardName": "d", "dashboardBody": "{\"widgets\":[]}" });
    puts.push((urn(DASHBOARD, "p"), board));
    let topic = json!({ "name": "t" });
    let arn = engine.deploy(&urn(TOPIC, "p"), topic.clone()).await?.id;
    puts.push((urn(TOPIC, "p"), topic));
    let publish = json!({
        "Effect": "Allow", "Principal": { "Service": "cloudwatch.amazonaws.com" },
        "Action": "sns:Publish", "Resource": arn,
    });
    let publish = json!({ "Version": "2012-10-17", "Statement": [publish] }).to_string();
    puts.push((
        urn(TOPIC_POLICY, "p"),
        json!({ "arn": arn, "policy": publish }),
    ));

    let api = Api::deploy(engine, "dev").await?;
    engine.deploy(&urn(METHOD, "m"), api.method()).await?;
    engine
        .deploy(&urn(METHOD_RESPONSE, "m"), api.answer())
        .await?;
    puts.push((urn(INTEGRATION, "p"), api.integration()));
    puts.push((urn(INTEGRATION_RESPONSE, "p"), api.answer()));
    let response = json!({ "restApiId": api.api.id, "responseType": "DEFAULT_4XX" });
    puts.push((urn(RESPONSE, "p"), response));
    engine
        .deploy(&urn(INTEGRATION, "p"), api.integration())
        .await?;
    let deployment = json!({ "restApi": api.api.id });
    let deployment = engine.deploy(&urn(DEPLOYMENT, "d"), deployment).await?;
    let stage = json!({
        "restApi": api.api.id, "stageName": "s", "deployment": deployment.id,
    });
    engine.deploy(&urn(STAGE, "s"), stage).await?;
    let settings = json!({
        "restApi": api.api.id, "stageName": "s", "methodPath": "*/*",
        "settings": { "throttlingBurstLimit": 1 },
    });
    puts.push((urn(SETTINGS, "p"), settings));
    Ok(puts)
}
