//! Requests that no engine sends: each has an answer, and the cloud goes on.

use crate::support::{Engine, TestCloud, urn, wire};
use crate::world::THING;
use anyhow::{Context, Result, ensure};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use pulumi_protocol::{ARCHIVE, ASSET, OUTPUT, RESOURCE, SECRET, SIGNATURE, UNKNOWN};
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tonic::{Code, Status};

const CASES: usize = 300;

const NAMES: &[&str] = &[
    "name",
    "namePrefix",
    "count",
    "share",
    "enabled",
    "size",
    "runtime",
    "zones",
    "labels",
    "rules",
    "code",
    "source",
    "password",
    "place",
    "region",
    "tags",
    "__defaults",
    "tagsAll",
    "defaultTags",
    "allowedAccountIds",
    SIGNATURE,
];

const SIGNATURES: &[&str] = &[
    SECRET,
    ARCHIVE,
    ASSET,
    RESOURCE,
    OUTPUT,
    "no signature at all",
];

#[tokio::test]
async fn whatever_is_asked_is_answered() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let mut random = TestRunner::deterministic();
    for _ in 0..CASES {
        let request = (
            any_urn(),
            properties(),
            properties(),
            properties(),
            ".{0,8}",
        );
        let request = request.new_tree(&mut random).map_err(anyhow::Error::msg)?;
        let (urn, old, new, outputs, id) = request.current();
        ask(&mut engine, urn, [old, new, outputs], id).await?;
    }
    engine.deploy(&urn(THING, "after"), json!({})).await?;
    Ok(())
}

#[tokio::test]
async fn nonsense_on_the_port_harms_nobody_else() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let port = cloud.server.endpoints().provider;
    let mut engine = cloud.engine(json!({})).await?;
    let preface: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for nonsense in [
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n".as_slice(),
        &[0; 4096],
        &[0xff; 100_000],
        preface,
        &[preface, &[0xff; 4096]].concat(),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        // The cloud may hang up before all of it is written.
        let _ = stream.write_all(nonsense).await;
    }
    engine.deploy(&urn(THING, "after"), json!({})).await?;
    Ok(())
}

/// Every call that takes properties. None may end in a failure of the cloud itself.
async fn ask(engine: &mut Engine, urn: String, values: [Value; 3], id: String) -> Result<()> {
    let client = &mut engine.client;
    let [old, new, outputs] = values;
    let (old, new, outputs) = (Some(wire(&old)?), Some(wire(&new)?), Some(wire(&outputs)?));
    let checked = client.check(rpc::CheckRequest {
        urn: urn.clone(),
        olds: old.clone(),
        news: new.clone(),
        ..Default::default()
    });
    healthy(checked.await)?;
    let diff = client.diff(rpc::DiffRequest {
        urn: urn.clone(),
        olds: outputs.clone(),
        old_inputs: old.clone(),
        news: new.clone(),
        ..Default::default()
    });
    if let Some(diff) = healthy(diff.await)? {
        for path in diff.detailed_diff.keys() {
            let top = path.split(['.', '[']).next().unwrap_or(path).to_owned();
            ensure!(
                diff.diffs.contains(&top),
                "{path} is not among {:?}",
                diff.diffs
            );
        }
    }
    for preview in [true, false] {
        let created = client.create(rpc::CreateRequest {
            urn: urn.clone(),
            properties: new.clone(),
            preview,
            ..Default::default()
        });
        healthy(created.await)?;
        let updated = client.update(rpc::UpdateRequest {
            id: id.clone(),
            urn: urn.clone(),
            olds: outputs.clone(),
            old_inputs: old.clone(),
            news: new.clone(),
            preview,
            ..Default::default()
        });
        healthy(updated.await)?;
    }
    let read = client.read(rpc::ReadRequest {
        id: id.clone(),
        urn: urn.clone(),
        properties: outputs.clone(),
        inputs: old.clone(),
        ..Default::default()
    });
    healthy(read.await)?;
    let configured = client.check_config(rpc::CheckRequest {
        news: new.clone(),
        ..Default::default()
    });
    healthy(configured.await)?;
    let deleted = client.delete(rpc::DeleteRequest {
        id,
        urn,
        properties: outputs,
        old_inputs: old,
        ..Default::default()
    });
    healthy(deleted.await)?;
    Ok(())
}

fn healthy<T>(answer: Result<tonic::Response<T>, Status>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) => {
            let code = status.code();
            let sick = matches!(
                code,
                Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable | Code::Aborted
            );
            ensure!(!sick, "{status}");
            Ok(None)
        }
    }
}

fn any_urn() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(urn(THING, "t")),
        1 => Just(urn("aws:test/none:None", "t")),
        1 => ".{0,20}",
        1 => "urn:pulumi:.{0,5}::.{0,5}::.{0,5}::.{0,5}",
    ]
}

/// Properties of a thing, often with the wrong values, and some that are none of its.
fn properties() -> impl Strategy<Value = Value> {
    let name = prop_oneof![8 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => ".{0,6}"];
    prop::collection::vec((name, value()), 0..6)
        .prop_map(|properties| Value::Object(properties.into_iter().collect::<Map<_, _>>()))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        ".{0,10}".prop_map(Value::from),
        Just(Value::from(UNKNOWN)),
        Just(Value::from("small")),
        Just(Value::from(r#"{"tags":{"a":[]}}"#)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,4}", inner.clone(), 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            (prop::sample::select(SIGNATURES), inner).prop_map(|(signature, value)| {
                json!({ SIGNATURE: signature, "value": value, "id": value, "hash": value })
            }),
        ]
    })
}

#[tokio::test]
async fn values_nested_beyond_measure_are_refused() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let mut deep = json!("x");
    for _ in 0..60 {
        deep = json!([deep]);
    }
    let refused = engine
        .check(&urn(THING, "t"), json!({}), json!({ "zones": deep }))
        .await;
    refused.err().context("refused")?;
    engine.deploy(&urn(THING, "after"), json!({})).await?;
    Ok(())
}
