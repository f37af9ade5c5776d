//! What the cloud's books say of what is there: after a lost answer, a deletion by hand, another
//! name of the stack, an import. Through the provider protocol, in the aws package itself; what
//! clients do goes through AWS's own protocols.

use crate::client::Cloud;
use crate::support::{Engine, State, refusal};
use anyhow::{Context, Result};
use mysfits_local::provider::deployments::Record;
use serde_json::{Value, json};

const ACCOUNT: &str = "aws:apigateway/account:Account";
const ACCESS: &str = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const ALARM: &str = "aws:cloudwatch/metricAlarm:MetricAlarm";
const API: &str = "aws:apigateway/restApi:RestApi";
const BUCKET: &str = "aws:s3/bucket:Bucket";
const DASHBOARD: &str = "aws:cloudwatch/dashboard:Dashboard";
const DEPLOYMENT: &str = "aws:apigateway/deployment:Deployment";
const ENCRYPTION: &str =
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";
const FILTER: &str = "aws:cloudwatch/logMetricFilter:LogMetricFilter";
const GROUP: &str = "aws:cloudwatch/logGroup:LogGroup";
const INTEGRATION: &str = "aws:apigateway/integration:Integration";
const INTEGRATION_RESPONSE: &str = "aws:apigateway/integrationResponse:IntegrationResponse";
const LIFECYCLE: &str = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
const METHOD: &str = "aws:apigateway/method:Method";
const METHOD_RESPONSE: &str = "aws:apigateway/methodResponse:MethodResponse";
const OBJECT: &str = "aws:s3/bucketObjectv2:BucketObjectv2";
const OWNERSHIP: &str = "aws:s3/bucketOwnershipControls:BucketOwnershipControls";
const POLICY: &str = "aws:s3/bucketPolicy:BucketPolicy";
const REPOSITORY: &str = "aws:codecommit/repository:Repository";
const RESPONSE: &str = "aws:apigateway/response:Response";
const ROLE: &str = "aws:iam/role:Role";
const ROLE_POLICY: &str = "aws:iam/rolePolicy:RolePolicy";
const SETTINGS: &str = "aws:apigateway/methodSettings:MethodSettings";
const STAGE: &str = "aws:apigateway/stage:Stage";
const STREAM: &str = "aws:cloudwatch/logStream:LogStream";
const TOPIC: &str = "aws:sns/topic:Topic";
const TOPIC_POLICY: &str = "aws:sns/topicPolicy:TopicPolicy";
const VERSIONING: &str = "aws:s3/bucketVersioning:BucketVersioning";

/// A session of an engine, for a stack.
async fn session(cloud: &Cloud, stack: &str) -> Result<Engine> {
    let mut engine = Engine::connect(cloud.server.endpoints().provider).await?;
    let provider = format!("urn:pulumi:{stack}::test::pulumi:providers:aws::default");
    let config = json!({ "region": "us-east-1" });
    engine.configure_as(&provider, config).await?;
    Ok(engine)
}

fn records(cloud: &Cloud) -> Vec<Record> {
    cloud.server.cloud().deployments.all()
}

/// `TYPE NAME` of all that is in the books, sorted.
fn books(cloud: &Cloud) -> Vec<String> {
    let line = |record: Record| {
        let (kind, urn) = (&record.token, &record.resource.urn);
        let kind = kind.rsplit(':').next().unwrap_or_default();
        format!("{kind} {}", urn.rsplit("::").next().unwrap_or_default())
    };
    let mut lines: Vec<String> = records(cloud).into_iter().map(line).collect();
    lines.sort();
    lines
}

fn urn(token: &str, name: &str) -> String {
    urn_in("dev", token, name)
}

fn urn_in(stack: &str, token: &str, name: &str) -> String {
    format!("urn:pulumi:{stack}::test::{token}::{name}")
}

fn trust(service: &str) -> String {
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn allow(action: &str) -> String {
    let statement = json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

/// An API with one method, all by name.
struct Api {
    api: State,
    root: Value,
}

impl Api {
    async fn deploy(engine: &mut Engine, stack: &str) -> Result<Self> {
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

    fn method(&self) -> Value {
        self.part(json!({ "authorization": "NONE" }))
    }

    fn integration(&self) -> Value {
        self.part(json!({
            "type": "MOCK",
            "requestTemplates": { "application/json": "{\"statusCode\": 200}" },
        }))
    }

    fn answer(&self) -> Value {
        self.part(json!({ "statusCode": "200" }))
    }
}

/// Everything that AWS's API puts, by the side of what it needs.
async fn all_that_is_put(engine: &mut Engine) -> Result<Vec<(String, Value)>> {
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

#[tokio::test]
async fn what_aws_puts_is_overwritten_however_often_it_is_created() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    for (urn, inputs) in all_that_is_put(&mut engine).await? {
        let first = engine
            .deploy(&urn, inputs.clone())
            .await
            .context(urn.clone())?;
        let before = records(&cloud).len();
        // In the same session, and by an engine that knows of nothing.
        for mut engine in [engine.clone(), session(&cloud, "dev").await?] {
            let again = engine
                .deploy(&urn, inputs.clone())
                .await
                .context(urn.clone())?;
            assert_eq!(again.id, first.id, "{urn}");
            assert_eq!(records(&cloud).len(), before, "{urn}");
        }
        let read = engine.read(&urn, &first).await?;
        assert!(read.is_some(), "{urn}");
    }
    let cloud = cloud.restart().await?;
    let now = cloud.server.cloud();
    for standing in now.deployments.standing(&now.package) {
        let text = serde_json::to_string(&standing)?;
        assert!(!text.contains("notLive"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn what_aws_creates_is_refused_where_it_is_with_the_way_to_take_it_over() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let api = Api::deploy(&mut engine, "dev").await?;
    engine
        .deploy(&urn(INTEGRATION, "i"), api.integration())
        .await
        .err()
        .context("no method")?;
    let method = engine.deploy(&urn(METHOD, "m"), api.method()).await?;
    engine
        .deploy(&urn(INTEGRATION, "i"), api.integration())
        .await?;
    let deployment = json!({ "restApi": api.api.id });
    let deployment = engine.deploy(&urn(DEPLOYMENT, "d"), deployment).await?;
    let stage = json!({ "restApi": api.api.id, "stageName": "s", "deployment": deployment.id });
    let (api_id, root) = (&api.api.id, api.root.as_str().context("no root")?);
    for (token, inputs, id) in [
        (BUCKET, json!({ "bucket": "bucket" }), "bucket".to_owned()),
        (GROUP, json!({ "name": "g" }), "g".to_owned()),
        (
            ROLE,
            json!({ "name": "r", "assumeRolePolicy": trust("lambda.amazonaws.com") }),
            "r".to_owned(),
        ),
        (
            STREAM,
            json!({ "name": "s", "logGroupName": "g" }),
            "g:s".to_owned(),
        ),
        (REPOSITORY, json!({ "repositoryName": "c" }), "c".to_owned()),
        (
            METHOD_RESPONSE,
            api.answer(),
            format!("{api_id}/{root}/GET/200"),
        ),
        (STAGE, stage, format!("{api_id}/s")),
    ] {
        let created = engine.deploy(&urn(token, "x"), inputs.clone()).await?;
        let refused = refusal(engine.deploy(&urn(token, "x"), inputs.clone()).await)?;
        let hint = format!("pulumi import {token} x '{id}'");
        assert!(refused.contains(&hint), "{token}: {refused}");
        // What the message says works, for another stack too.
        let mut other = session(&cloud, "other").await?;
        let imported = other.import(&urn_in("other", token, "y"), &id).await?;
        let imported = imported.context(hint)?;
        assert_eq!(imported.id, created.id);
        for (name, value) in inputs.as_object().context("no object")? {
            assert_eq!(imported.inputs[name], *value, "{token}.{name}");
        }
    }
    let again = refusal(engine.deploy(&urn(METHOD, "m"), api.method()).await)?;
    assert!(
        again.contains("Method already exists for this resource"),
        "{again}"
    );
    engine.delete(&urn(METHOD, "m"), &method).await?;
    engine.delete(&urn(METHOD, "m"), &method).await?;
    Ok(())
}

#[tokio::test]
async fn a_creation_of_which_a_killed_engine_never_heard_goes_on_with_what_is_there() -> Result<()>
{
    let cloud = Cloud::start().await?;
    let wanted = [
        (BUCKET, json!({ "forceDestroy": true })),
        (GROUP, json!({ "name": "g" })),
        (REPOSITORY, json!({ "repositoryName": "c" })),
        (
            ROLE,
            json!({ "assumeRolePolicy": trust("lambda.amazonaws.com") }),
        ),
    ];
    let mut killed = session(&cloud, "dev").await?;
    let mut ids = Vec::new();
    for (token, inputs) in &wanted {
        ids.push(killed.deploy(&urn(token, "x"), inputs.clone()).await?.id);
    }
    let api = Api::deploy(&mut killed, "dev").await?;
    killed.deploy(&urn(METHOD, "m"), api.method()).await?;
    drop(killed);

    // The cloud may have been killed as well.
    let cloud = cloud.restart().await?;
    let bucket = &ids[0];
    cloud
        .put(&format!("/{bucket}/kept"))
        .body("1")
        .send()
        .await?
        .expect(200)?;
    let before = books(&cloud);
    let mut next = session(&cloud, "dev").await?;
    for ((token, inputs), id) in wanted.iter().zip(&ids) {
        let created = next.deploy(&urn(token, "x"), inputs.clone()).await?;
        assert_eq!(&created.id, id, "{token}");
    }
    let same = Api::deploy(&mut next, "dev").await?;
    assert_eq!(same.api.id, api.api.id);
    next.deploy(&urn(METHOD, "m"), api.method()).await?;
    assert_eq!(books(&cloud), before, "nothing is there twice");
    cloud
        .get(&format!("/{bucket}/kept"))
        .send()
        .await?
        .expect(200)?;

    // A session that ended orderly has heard of all it created.
    next.client.cancel(()).await?;
    let mut later = session(&cloud, "dev").await?;
    let refused = refusal(later.deploy(&urn(METHOD, "m"), api.method()).await)?;
    assert!(refused.contains("already exists"), "{refused}");
    let (_, inputs) = &wanted[0];
    let another = later.deploy(&urn(BUCKET, "x"), inputs.clone()).await?;
    assert_ne!(&another.id, bucket);
    Ok(())
}

#[tokio::test]
async fn what_an_engine_knows_is_not_created_once_more() -> Result<()> {
    let cloud = Cloud::start().await?;
    let bucket = urn(BUCKET, "b");
    let mut killed = session(&cloud, "dev").await?;
    let first = killed.deploy(&bucket, json!({})).await?;
    // The engine has it in its state, and replaces it without asking what differs.
    let mut next = session(&cloud, "dev").await?;
    next.check(&bucket, first.inputs.clone(), json!({})).await?;
    let second = next.deploy(&bucket, json!({})).await?;
    assert_ne!(second.id, first.id);
    next.delete(&bucket, &first).await?;
    cloud
        .head(&format!("/{}", second.id))
        .send()
        .await?
        .expect(200)?;
    cloud
        .head(&format!("/{}", first.id))
        .send()
        .await?
        .expect(404)?;
    Ok(())
}

#[tokio::test]
async fn what_was_deleted_by_hand_is_forgotten_and_made_again() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let bucket = engine
        .deploy(&urn(BUCKET, "b"), json!({ "bucket": "bucket" }))
        .await?;
    let object = json!({ "bucket": "bucket", "key": "o", "content": "1" });
    let page = urn(OBJECT, "o");
    let created = engine.deploy(&page, object.clone()).await?;
    let access = json!({ "bucket": "bucket", "blockPublicAcls": true });
    let access = engine.deploy(&urn(ACCESS, "a"), access).await?;
    for refreshed in [true, false] {
        cloud.delete("/bucket/o").send().await?.expect(204)?;
        if refreshed {
            assert_eq!(engine.read(&page, &created).await?, None);
            assert!(!books(&cloud).contains(&"BucketObjectv2 o".to_owned()));
        }
        engine.deploy(&page, object.clone()).await?;
        cloud.get("/bucket/o").send().await?.expect(200)?;
    }

    // With the bucket goes all that was in it or set on it.
    for path in ["/bucket/o", "/bucket"] {
        cloud.delete(path).send().await?.expect(204)?;
    }
    assert_eq!(engine.read(&urn(BUCKET, "b"), &bucket).await?, None);
    assert_eq!(books(&cloud), [] as [&str; 0]);
    assert_eq!(engine.read(&urn(ACCESS, "a"), &access).await?, None);
    let again = engine
        .deploy(&urn(BUCKET, "b"), json!({ "bucket": "bucket" }))
        .await?;
    assert_eq!(again.id, "bucket");
    Ok(())
}

/// An engine that has lost part of its state deletes the rest.
#[tokio::test]
async fn nothing_is_left_of_what_belonged_to_what_was_deleted() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let mut holders = Vec::new();
    for (urn, inputs) in all_that_is_put(&mut engine).await? {
        engine.deploy(&urn, inputs).await?;
    }
    for record in records(&cloud).into_iter().rev() {
        let resource = record.resource;
        let held = [BUCKET, GROUP, API, ROLE, TOPIC];
        if held.contains(&record.token.as_str()) {
            holders.push((resource.urn, resource.id, resource.inputs));
        }
    }
    for (urn, id, mut inputs) in holders {
        if urn.contains(BUCKET) {
            cloud.delete("/bucket/o").send().await?;
            inputs.insert("forceDestroy".into(), true.into());
        }
        if urn.contains(ROLE) {
            inputs.insert("forceDetachPolicies".into(), true.into());
        }
        let state = State {
            id,
            inputs: Value::Object(inputs.clone()),
            outputs: json!({}),
        };
        let state = engine.update(&urn, &state, Value::Object(inputs)).await?;
        engine.delete(&urn, &state).await.context(urn)?;
    }
    assert_eq!(books(&cloud), ["Account p", "Dashboard p", "MetricAlarm p"]);
    Ok(())
}

#[tokio::test]
async fn a_renamed_stack_keeps_its_resources_and_leaves_its_name() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let bucket = engine.deploy(&urn(BUCKET, "b"), json!({})).await?;
    let repository = json!({ "repositoryName": "of-dev" });
    let repository = engine.deploy(&urn(REPOSITORY, "r"), repository).await?;
    let api = Api::deploy(&mut engine, "dev").await?;
    engine.client.cancel(()).await?;

    // Under its new name the engine asks, changes, reads and previews.
    let mut renamed = session(&cloud, "prod").await?;
    let of_prod = |token: &str, name: &str| urn_in("prod", token, name);
    let request = crate::support::diff_request(&of_prod(BUCKET, "b"), &bucket, &bucket.inputs)?;
    renamed.client.diff(request).await?;
    renamed
        .read(&of_prod(API, "a"), &api.api)
        .await?
        .context("gone")?;
    let other_name = json!({ "repositoryName": "of-prod" });
    let repository = renamed
        .update(&of_prod(REPOSITORY, "r"), &repository, other_name)
        .await?;
    let stacks = |cloud: &Cloud| -> Vec<String> {
        let records = records(cloud).into_iter();
        records.map(|record| record.resource.stack).collect()
    };
    assert_eq!(stacks(&cloud), ["prod", "prod", "prod"]);
    renamed.client.cancel(()).await?;
    let cloud = cloud.restart().await?;
    assert_eq!(stacks(&cloud), ["prod", "prod", "prod"]);

    // A new stack of the old name has ids of its own, and touches nothing of the other.
    let mut new = session(&cloud, "dev").await?;
    let own_bucket = new.deploy(&urn(BUCKET, "b"), json!({})).await?;
    assert_ne!(own_bucket.id, bucket.id);
    let own_api = Api::deploy(&mut new, "dev").await?;
    assert_ne!(own_api.api.id, api.api.id);
    let own = json!({ "repositoryName": "of-dev" });
    let own = new.deploy(&urn(REPOSITORY, "r"), own).await?;
    assert_ne!(
        own.outputs["repositoryId"],
        repository.outputs["repositoryId"]
    );
    new.delete(&urn(REPOSITORY, "r"), &own).await?;
    new.delete(&urn(BUCKET, "b"), &own_bucket).await?;
    new.delete(&urn(API, "a"), &own_api.api).await?;
    assert_eq!(stacks(&cloud), ["prod", "prod", "prod"]);
    let mut renamed = session(&cloud, "prod").await?;
    let read = renamed
        .read(&of_prod(REPOSITORY, "r"), &repository)
        .await?
        .context("gone")?;
    assert_eq!(read.inputs["repositoryName"], "of-prod");
    renamed
        .delete(&of_prod(REPOSITORY, "r"), &repository)
        .await?;
    assert_eq!(books(&cloud), ["Bucket b", "RestApi a"]);
    Ok(())
}

#[tokio::test]
async fn what_clients_made_can_be_imported_read_changed_and_deleted() -> Result<()> {
    let cloud = Cloud::start().await?;
    cloud.put("/made").send().await?.expect(200)?;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let call = cloud.put("/made").query("versioning", "").body(versioning);
    call.send().await?.expect(200)?;
    let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
                 </PublicAccessBlockConfiguration>";
    let call = cloud
        .put("/made")
        .query("publicAccessBlock", "")
        .body(block);
    call.send().await?.expect(200)?;
    let put = cloud
        .put("/made/a/page.html")
        .header("content-type", "text/html");
    put.body("<p>1</p>").send().await?.expect(200)?;

    let mut engine = session(&cloud, "dev").await?;
    for (token, id) in [
        (BUCKET, "nowhere"),
        (VERSIONING, "nowhere"),
        (OBJECT, "made/nowhere"),
        (OBJECT, "made"),
        (POLICY, "made"),
        (LIFECYCLE, "made"),
        (STREAM, "nowhere:s"),
        (GROUP, "nowhere"),
    ] {
        assert_eq!(
            engine.import(&urn(token, "i"), id).await?,
            None,
            "{token} {id}"
        );
    }
    let bucket = engine
        .import(&urn(BUCKET, "i"), "made")
        .await?
        .context("no bucket")?;
    assert_eq!(bucket.inputs, json!({ "bucket": "made" }));
    assert_eq!(bucket.outputs["arn"], "arn:aws:s3:::made");
    assert_eq!(bucket.outputs["region"], "us-east-1");
    let versioning = engine
        .import(&urn(VERSIONING, "i"), "made")
        .await?
        .context("none")?;
    assert_eq!(
        versioning.inputs["versioningConfiguration"]["status"],
        "Enabled"
    );
    let access = engine
        .import(&urn(ACCESS, "i"), "made")
        .await?
        .context("none")?;
    assert_eq!(access.inputs["blockPublicAcls"], true);
    assert_eq!(access.inputs["restrictPublicBuckets"], false);
    for token in [OWNERSHIP, ENCRYPTION] {
        engine
            .import(&urn(token, "i"), "made")
            .await?
            .context(token)?;
    }
    let object = urn(OBJECT, "i");
    let by_url = engine
        .import(&object, "s3://made/a/page.html")
        .await?
        .context("none")?;
    let imported = engine
        .import(&object, "made/a/page.html")
        .await?
        .context("none")?;
    assert_eq!(imported, by_url);
    let (key, kind) = (&imported.inputs["key"], &imported.inputs["contentType"]);
    assert_eq!((key, kind), (&json!("a/page.html"), &json!("text/html")));
    assert_eq!(
        books(&cloud),
        [] as [&str; 0],
        "who imports may think better of it"
    );

    // What an import has shown is what a refresh shows, and what an update changes.
    let read = engine.read(&object, &imported).await?.context("gone")?;
    assert_eq!(read, imported);
    let inputs = json!({ "bucket": "made", "key": "a/page.html", "content": "2" });
    let changed = engine.update(&object, &imported, inputs).await?;
    assert_eq!(cloud.get("/made/a/page.html").send().await?.text(), "2");
    let call = cloud
        .put("/made/a/page.html")
        .header("content-type", "text/css");
    call.body("2").send().await?.expect(200)?;
    let read = engine.read(&object, &changed).await?.context("gone")?;
    assert_eq!(read.inputs["contentType"], "text/css");
    assert_eq!(books(&cloud), ["BucketObjectv2 i"]);
    engine.delete(&object, &changed).await?;
    engine.delete(&urn(ACCESS, "i"), &access).await?;
    let gone = cloud
        .get("/made")
        .query("publicAccessBlock", "")
        .send()
        .await?;
    gone.refused(404, "NoSuchPublicAccessBlockConfiguration")?;
    engine.delete(&urn(BUCKET, "i"), &bucket).await?;
    cloud.head("/made").send().await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn names_that_are_unique_within_a_group_are_no_more_than_that() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let mut streams = Vec::new();
    for group in ["g", "h"] {
        engine
            .deploy(&urn(GROUP, group), json!({ "name": group }))
            .await?;
        let stream = json!({ "name": "same", "logGroupName": group });
        streams.push(engine.deploy(&urn(STREAM, group), stream).await?);
        let filter = json!({
            "name": "same", "logGroupName": group, "pattern": "",
            "metricTransformation": { "name": "n", "namespace": "s", "value": "1" },
        });
        engine.deploy(&urn(FILTER, group), filter).await?;
    }
    engine.delete(&urn(STREAM, "g"), &streams[0]).await?;
    assert_eq!(engine.read(&urn(STREAM, "g"), &streams[0]).await?, None);
    let other = engine.read(&urn(STREAM, "h"), &streams[1]).await?;
    assert_eq!(other.as_ref(), Some(&streams[1]));
    Ok(())
}

#[tokio::test]
async fn of_two_owners_of_the_accounts_settings_the_second_overwrites_with_a_warning() -> Result<()>
{
    let cloud = Cloud::start().await?;
    let warnings = crate::listener::Listener::start().await?;
    let mut owners = Vec::new();
    for stack in ["dev", "prod"] {
        let mut engine = session(&cloud, stack).await?;
        warnings.attach(&mut engine).await?;
        let role = json!({ "name": stack, "assumeRolePolicy": trust("apigateway.amazonaws.com") });
        let role = engine.deploy(&urn_in(stack, ROLE, "r"), role).await?;
        let policy = json!({ "name": "p", "role": stack, "policy": allow("logs:*") });
        engine
            .deploy(&urn_in(stack, ROLE_POLICY, "p"), policy)
            .await?;
        let account = json!({ "cloudwatchRoleArn": role.outputs["arn"] });
        let account = engine.deploy(&urn_in(stack, ACCOUNT, "a"), account).await?;
        engine.client.cancel(()).await?;
        owners.push((stack, account));
    }
    let told = warnings.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&urn_in("dev", ACCOUNT, "a")), "{told:?}");
    assert!(told[0].contains("as on AWS it is overwritten") || told[0].contains("As on AWS"));

    // The first sees what the second has set, and takes it from the second with its deletion.
    let (_, first) = &owners[0];
    let mut dev = session(&cloud, "dev").await?;
    let read = dev
        .read(&urn_in("dev", ACCOUNT, "a"), first)
        .await?
        .context("gone")?;
    let other = "arn:aws:iam::000000000000:role/prod";
    assert_eq!(read.inputs["cloudwatchRoleArn"], other);
    dev.delete(&urn_in("dev", ACCOUNT, "a"), first).await?;
    let (_, second) = &owners[1];
    let mut prod = session(&cloud, "prod").await?;
    let account = urn_in("prod", ACCOUNT, "a");
    let read = prod.read(&account, second).await?.context("gone")?;
    assert_eq!(read.inputs.get("cloudwatchRoleArn"), None);
    // The next update of the second sets it again.
    let inputs = second.inputs.clone();
    prod.update(&account, &read, inputs).await?;
    let read = prod.read(&account, second).await?.context("gone")?;
    assert_eq!(read.inputs["cloudwatchRoleArn"], other);
    Ok(())
}

/// The table of docs/compatibility/resources.md.
#[tokio::test]
async fn each_type_is_created_as_the_documentation_says() -> Result<()> {
    let cloud = Cloud::start().await?;
    let now = cloud.server.cloud();
    let page = include_str!("../../../docs/compatibility/resources.md");
    let mut documented = Vec::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, kind, _, how @ ("put" | "create"), _] = cells[..] {
            documented.push((kind.to_owned(), how == "put"));
        }
    }
    let of_code = now.package.tokens().filter_map(|token| {
        let declared = now.package.resource_type(token)?;
        let (module, name) = token.strip_prefix("aws:")?.split_once(':')?;
        let module = module.split('/').next()?;
        Some((format!("{module}:{name}"), declared.of.overwrites()))
    });
    let mut of_code: Vec<_> = of_code.collect();
    of_code.sort();
    documented.sort();
    assert_eq!(documented, of_code);
    Ok(())
}
