//! What operators declare: validated and stored, though nothing runs behind it.

use crate::support::{Engine, refusal};
use anyhow::Result;
use mysfits_local::server::{Server, ServerConfig};
use serde_json::{Value, json};

const ALARM: &str = "aws:cloudwatch/metricAlarm:MetricAlarm";
const DASHBOARD: &str = "aws:cloudwatch/dashboard:Dashboard";
const DELIVERY: &str = "aws:cloudwatch/logDelivery:LogDelivery";
const DESTINATION: &str = "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination";
const FILTER: &str = "aws:cloudwatch/logMetricFilter:LogMetricFilter";
const SOURCE: &str = "aws:cloudwatch/logDeliverySource:LogDeliverySource";
const SUBSCRIPTION: &str = "aws:sns/topicSubscription:TopicSubscription";
const TOPIC: &str = "aws:sns/topic:Topic";
const TOPIC_POLICY: &str = "aws:sns/topicPolicy:TopicPolicy";

fn urn(token: &str, name: &str) -> String {
    format!("urn:pulumi:dev::test::{token}::{name}")
}

fn alarm() -> Value {
    json!({
        "namespace": "AWS/Lambda", "metricName": "Errors", "statistic": "Sum",
        "comparisonOperator": "GreaterThanThreshold", "threshold": 0, "period": 300,
        "evaluationPeriods": 3, "datapointsToAlarm": 2, "treatMissingData": "notBreaching",
        "dimensions": { "FunctionName": "f" }, "alarmActions": [], "okActions": [],
    })
}

#[tokio::test]
async fn an_alarm_is_sent_to_a_topic() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;

    let topic = json!({ "name": "alarms", "displayName": "Mysfits" });
    let topic = engine.deploy(&urn(TOPIC, "t"), topic).await?;
    assert_eq!(topic.id, "arn:aws:sns:eu-west-1:000000000000:alarms");
    let mail = json!({ "topic": topic.id, "protocol": "email", "endpoint": "a@example.com" });
    engine.deploy(&urn(SUBSCRIPTION, "s"), mail).await?;
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": "cloudwatch.amazonaws.com" },
        "Action": "sns:Publish", "Resource": topic.id,
    });
    let policy = |statement: &Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        json!({ "arn": topic.id, "policy": policy.to_string() })
    };
    let policies = urn(TOPIC_POLICY, "p");
    let attached = engine.deploy(&policies, policy(&statement)).await?;
    assert_eq!(attached.id, topic.id);
    let mut of_nobody = statement.clone();
    of_nobody["Principal"] = Value::Null;
    let error = engine.deploy(&policies, policy(&of_nobody)).await;
    assert!(refusal(error)?.contains("rincipal"));
    let mut inputs = alarm();
    inputs["name"] = "errors".into();
    inputs["alarmActions"] = json!([topic.id]);
    let created = engine.deploy(&urn(ALARM, "a"), inputs).await?;
    assert_eq!(
        created.outputs["arn"],
        "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:errors"
    );

    let nowhere = json!({
        "topic": "arn:aws:sns:eu-west-1:000000000000:other", "protocol": "email",
        "endpoint": "a@example.com",
    });
    let error = engine.deploy(&urn(SUBSCRIPTION, "n"), nowhere).await;
    assert!(refusal(error)?.contains("Topic does not exist"));
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_cloudwatch_refuses_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "us-east-1" })).await?;

    let wrong = [
        ("comparisonOperator", json!("Greater")),
        ("statistic", json!("p99")),
        ("treatMissingData", json!("notbreaching")),
        ("period", json!(90)),
        ("datapointsToAlarm", json!(4)),
        ("alarmActions", json!(["topic"])),
    ];
    for (property, value) in wrong {
        let mut inputs = alarm();
        inputs[property] = value;
        let error = refusal(engine.deploy(&urn(ALARM, "a"), inputs).await)?;
        assert!(error.contains(property), "{property}: {error}");
    }
    let metric =
        |name: &str| json!({ "namespace": "n", "metricName": name, "period": 300, "stat": "Sum" });
    let share = json!({ "id": "share", "expression": "a / b", "returnData": true });
    let queries = json!([
        { "id": "a", "metric": metric("A") }, { "id": "b", "metric": metric("B") }, share,
    ]);
    let of_queries = |queries: &Value| {
        let mut inputs = alarm();
        for own in [
            "namespace",
            "metricName",
            "statistic",
            "period",
            "dimensions",
        ] {
            inputs[own] = Value::Null;
        }
        inputs["metricQueries"] = queries.clone();
        inputs
    };
    engine
        .deploy(&urn(ALARM, "q"), of_queries(&queries))
        .await?;
    let mut with_both = alarm();
    with_both["metricQueries"] = queries.clone();
    let mut nothing_returned = of_queries(&queries);
    nothing_returned["metricQueries"][2]["returnData"] = false.into();
    let mut badly_named = of_queries(&queries);
    badly_named["metricQueries"][0]["id"] = "A".into();
    let mut with_neither = of_queries(&queries);
    with_neither["metricQueries"] = Value::Null;
    for (inputs, expected) in [
        (with_both, "in place of a metric of its own"),
        (nothing_returned, "exactly one"),
        (badly_named, "small letter"),
        (with_neither, "or metricQueries"),
    ] {
        let error = refusal(engine.deploy(&urn(ALARM, "w"), inputs).await)?;
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let board = json!({ "dashboardName": "a.b", "dashboardBody": "{\"widgets\":[]}" });
    let error = refusal(engine.deploy(&urn(DASHBOARD, "d"), board).await)?;
    assert!(error.contains("dashboardName"), "{error}");
    let board = json!({ "dashboardName": "ab", "dashboardBody": "{}" });
    let error = refusal(engine.deploy(&urn(DASHBOARD, "d"), board).await)?;
    assert!(error.contains("widgets"), "{error}");
    let filter = json!({
        "logGroupName": "nowhere", "pattern": "",
        "metricTransformation": { "name": "n", "namespace": "s", "value": "1" },
    });
    let error = refusal(engine.deploy(&urn(FILTER, "f"), filter).await)?;
    assert!(error.contains("log group does not exist"), "{error}");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn logs_of_a_distribution_are_delivered_from_one_region() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(ServerConfig::new(folder.path())).await?;
    let mut engine = Engine::connect(server.endpoints().provider).await?;
    engine.configure(json!({ "region": "eu-west-1" })).await?;

    let source = json!({
        "name": "site", "logType": "ACCESS_LOGS",
        "resourceArn": "arn:aws:cloudfront::000000000000:distribution/E1",
    });
    let error = refusal(engine.deploy(&urn(SOURCE, "s"), source.clone()).await)?;
    assert!(error.contains("us-east-1"), "{error}");

    let there = |mut inputs: Value| {
        inputs["region"] = "us-east-1".into();
        inputs
    };
    let destination = json!({
        "name": "site", "outputFormat": "json",
        "deliveryDestinationConfiguration": {
            "destinationResourceArn": "arn:aws:logs:us-east-1:000000000000:log-group:site",
        },
    });
    let destination = engine
        .deploy(&urn(DESTINATION, "d"), there(destination))
        .await?;
    let delivery = json!({
        "deliverySourceName": "site", "deliveryDestinationArn": destination.outputs["arn"],
        "recordFields": ["date"],
    });
    let early = engine
        .deploy(&urn(DELIVERY, "l"), there(delivery.clone()))
        .await;
    assert!(refusal(early)?.contains("Delivery source site does not exist"));
    engine.deploy(&urn(SOURCE, "s"), there(source)).await?;
    let delivery = engine.deploy(&urn(DELIVERY, "l"), there(delivery)).await?;
    let arn = delivery.outputs["arn"].as_str().unwrap_or_default();
    assert!(
        arn.starts_with("arn:aws:logs:us-east-1:000000000000:delivery:"),
        "{arn}"
    );
    server.stop().await;
    Ok(())
}
