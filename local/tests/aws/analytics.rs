//! Glue, Athena and managed policies: checked and stored, as declarations.

use crate::client::Cloud;
use anyhow::Result;
use cloud_testing::stack::refusal;
use serde_json::{Value, json};

const DATABASE: &str = "aws:glue/catalogDatabase:CatalogDatabase";
const TABLE: &str = "aws:glue/catalogTable:CatalogTable";
const WORKGROUP: &str = "aws:athena/workgroup:Workgroup";
const QUERY: &str = "aws:athena/namedQuery:NamedQuery";
const POLICY: &str = "aws:iam/policy:Policy";

/// A table with these of its inputs changed.
fn table(changes: &Value) -> Value {
    let mut table = json!({
        "name": "events",
        "databaseName": "db",
        "tableType": "EXTERNAL_TABLE",
        "partitionKeys": [{ "name": "hour", "type": "string" }],
        "storageDescriptor": {
            "location": "s3://bucket/events/",
            "columns": [{ "name": "a", "type": "string" }],
        },
        "parameters": {
            "projection.enabled": "true",
            "projection.hour.type": "date",
            "projection.hour.format": "yyyy/MM/dd/HH",
            "projection.hour.range": "2026/01/01/00,NOW",
            "projection.hour.interval": "1",
            "projection.hour.interval.unit": "HOURS",
            "storage.location.template": "s3://bucket/events/${hour}/",
        },
    });
    merge(&mut table, changes);
    table
}

/// Null takes away.
fn merge(into: &mut Value, changes: &Value) {
    match (into.as_object_mut(), changes.as_object()) {
        (Some(object), Some(changes)) => {
            for (name, change) in changes {
                match change {
                    Value::Null => drop(object.remove(name)),
                    change => merge(object.entry(name).or_insert(Value::Null), change),
                }
            }
        }
        _ => *into = changes.clone(),
    }
}

#[tokio::test]
async fn a_table_is_declared_in_its_database() -> Result<()> {
    let cloud = Cloud::start().await?;
    let early = refusal(cloud.deploy(TABLE, "t", table(&json!({}))).await);
    assert!(early.contains("EntityNotFoundException"), "{early}");
    let database = cloud.deploy(DATABASE, "d", json!({ "name": "db" })).await?;
    assert_eq!(
        database.resource.output("arn"),
        "arn:aws:glue:us-east-1:000000000000:database/db"
    );
    let twice = refusal(cloud.deploy(DATABASE, "e", json!({ "name": "db" })).await);
    assert!(twice.contains("AlreadyExistsException"), "{twice}");
    let declared = cloud.deploy(TABLE, "t", table(&json!({}))).await?;
    assert_eq!(declared.resource.id, "000000000000:db:events");
    assert_eq!(
        declared.resource.output("arn"),
        "arn:aws:glue:us-east-1:000000000000:table/db/events"
    );
    cloud.undeploy(&declared).await
}

#[tokio::test]
async fn what_no_query_could_read_is_refused() -> Result<()> {
    let cloud = Cloud::start().await?;
    cloud.deploy(DATABASE, "d", json!({ "name": "db" })).await?;
    let cases = [
        (json!({ "name": "Events" }), "no capitals"),
        (
            json!({ "parameters": { "projection.hour.interval.unit": null } }),
            "projection.hour.interval.unit",
        ),
        (
            json!({ "parameters": { "projection.hour.range": null } }),
            "projection.hour.range",
        ),
        (
            json!({ "parameters": { "projection.hour.type": "hourly" } }),
            "none of date, enum, injected and integer",
        ),
        (
            json!({ "parameters": { "storage.location.template": "s3://bucket/events/" } }),
            "has no ${hour}",
        ),
        (
            json!({ "partitionKeys": [{ "name": "a", "type": "string" }] }),
            "column \"a\" is there 2 times",
        ),
    ];
    for (changes, expected) in cases {
        let refused = refusal(cloud.deploy(TABLE, "t", table(&changes)).await);
        assert!(refused.contains(expected), "{changes}: {refused}");
    }
    // Days need neither interval nor unit.
    let daily = json!({ "parameters": {
        "projection.hour.format": "yyyy/MM/dd",
        "projection.hour.interval": null,
        "projection.hour.interval.unit": null,
    } });
    cloud.deploy(TABLE, "t", table(&daily)).await?;
    Ok(())
}

#[tokio::test]
async fn a_workgroup_holds_queries_and_goes_only_by_force() -> Result<()> {
    let cloud = Cloud::start().await?;
    let query = json!({ "name": "q", "database": "db", "query": "SELECT 1", "workgroup": "w" });
    let early = refusal(cloud.deploy(QUERY, "q", query.clone()).await);
    assert!(early.contains("WorkGroup w is not found"), "{early}");
    for (configuration, expected) in [
        (
            json!({ "bytesScannedCutoffPerQuery": 10_000_000 }),
            "10485760",
        ),
        (
            json!({ "engineVersion": { "selectedEngineVersion": "Athena engine version 2" } }),
            "Athena engine version 3",
        ),
    ] {
        let inputs = json!({ "name": "w", "configuration": configuration });
        let refused = refusal(cloud.deploy(WORKGROUP, "w", inputs).await);
        assert!(refused.contains(expected), "{refused}");
    }
    let kept = cloud.deploy(WORKGROUP, "w", json!({ "name": "w" })).await?;
    let primary = refusal(
        cloud
            .deploy(WORKGROUP, "p", json!({ "name": "primary" }))
            .await,
    );
    assert!(primary.contains("already created"), "{primary}");
    let long = json!({ "name": "l", "database": "db", "query": "a".repeat(262_145) });
    let refused = refusal(cloud.deploy(QUERY, "l", long).await);
    assert!(refused.contains("262144"), "{refused}");
    cloud.deploy(QUERY, "q", query).await?;
    let refused = refusal(cloud.undeploy(&kept).await);
    assert!(refused.contains("not empty"), "{refused}");
    let forced = json!({ "name": "w", "forceDestroy": true });
    let kept = cloud.change(kept, forced).await?;
    cloud.undeploy(&kept).await
}

#[tokio::test]
async fn a_managed_policy_is_a_policy() -> Result<()> {
    let cloud = Cloud::start().await?;
    let document = |action: &str| {
        let statement = json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    };
    let inputs = |document: String| json!({ "name": "p", "policy": document });
    let policy = cloud
        .deploy(POLICY, "p", inputs(document("s3:GetObject")))
        .await?;
    assert_eq!(
        policy.resource.output("arn"),
        "arn:aws:iam::000000000000:policy/p"
    );
    let twice = refusal(
        cloud
            .deploy(POLICY, "q", inputs(document("s3:GetObject")))
            .await,
    );
    assert!(twice.contains("EntityAlreadyExists"), "{twice}");
    for document in [
        "{".to_owned(),
        document(&format!("s3:{}", "a".repeat(6_144))),
    ] {
        let refused = cloud
            .deploy(POLICY, "r", json!({ "name": "r", "policy": document }))
            .await;
        assert!(refusal(refused).contains("policy"));
    }
    Ok(())
}
