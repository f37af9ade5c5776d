//! Every change of the API goes live: it brings a new deployment.
//!
//! The program's trigger is a digest of all inputs of all resources under the API. The first test
//! computes it from what the engine was asked for; the second changes each of those inputs, and
//! sets each other input that AWS's schema has.

use anyhow::{Context, Result, ensure};
use pulumi_mock::{Resource, Run};
use serde_json::{Value, json};

use super::cloud::{self, kind};
use super::{mock, one, run};

/// What comes after a deployment, and is live without one.
const LIVE: [&str; 3] = [
    "apigateway/deployment",
    "apigateway/stage",
    "apigateway/methodSettings",
];

/// The API and what is under it, as a deployment shows it.
fn parts(run: &Run) -> Result<Vec<&Resource>> {
    let api = &one(run, "apigateway/deployment", "mysfits-api")?.inputs["restApi"];
    let shown = |part: &&Resource| {
        let of_api = part.inputs["restApi"] == *api || part.inputs["restApiId"] == *api;
        kind(part) == "apigateway/restApi" || of_api && !LIVE.contains(&kind(part))
    };
    let mut parts: Vec<&Resource> = run.resources.iter().filter(shown).collect();
    parts.sort_by_key(|part| (&part.r#type, &part.name));
    Ok(parts)
}

fn definitions(parts: &[&Resource]) -> Value {
    let definition =
        |part: &&Resource| json!({ "type": part.r#type, "name": part.name, "inputs": part.inputs });
    parts.iter().map(definition).collect()
}

#[test]
fn the_trigger_is_made_of_all_inputs_of_everything_under_the_api() -> Result<()> {
    let origins = mock().config("mysfits:allowedOrigins", r#"["https://a.example"]"#);
    for mock in [
        mock(),
        origins,
        mock().stack("prod"),
        super::limits::everything(),
    ] {
        let run = run(mock)?;
        let parts = parts(&run)?;
        assert_eq!(parts.len(), 18);
        let deployment = one(&run, "apigateway/deployment", "mysfits-api")?;
        assert_eq!(
            deployment.inputs["triggers"],
            json!({ "definition": infra::api_digest(&definitions(&parts)) })
        );
    }
    Ok(())
}

#[test]
fn each_change_of_an_input_is_a_new_deployment() -> Result<()> {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../pulumi/aws/schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema)?)?;
    let run = run(mock())?;
    let parts = parts(&run)?;
    let before = infra::api_digest(&definitions(&parts));
    let mut changes = 0;
    for (index, part) in parts.iter().enumerate() {
        let possible = schema["resources"][&part.r#type]["inputProperties"].as_object();
        let possible = possible.with_context(|| format!("no {} in the schema", part.r#type))?;
        for input in possible.keys() {
            for changed in changed(&part.inputs[input]) {
                let mut all = definitions(&parts);
                let inputs = all[index]["inputs"].as_object_mut();
                let inputs = inputs.context("no inputs")?;
                if changed.is_null() {
                    inputs.remove(input);
                } else {
                    inputs.insert(input.clone(), changed.clone());
                }
                ensure!(
                    infra::api_digest(&all) != before,
                    "{}: {input} may become {changed} without a deployment",
                    cloud::label(part)
                );
                changes += 1;
            }
        }
        let rest: Vec<&Resource> = parts
            .iter()
            .copied()
            .filter(|one| one.urn != part.urn)
            .collect();
        assert_ne!(
            infra::api_digest(&definitions(&rest)),
            before,
            "{}",
            cloud::label(part)
        );
    }
    assert!(changes > 200, "only {changes} changes");
    Ok(())
}

/// Values that differ from `value` in one place, for every place in it.
fn changed(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![json!("set"), json!(true), json!(1), json!({ "set": "set" })],
        Value::Bool(flag) => vec![json!(!flag), Value::Null],
        Value::Number(number) => vec![
            json!(number.as_f64().map(|number| number + 1.0)),
            Value::Null,
        ],
        Value::String(text) => vec![json!(format!("{text} ")), Value::Null],
        Value::Array(items) => {
            let mut all = vec![Value::Null];
            for (index, item) in items.iter().enumerate() {
                all.extend(changed(item).into_iter().map(|item| {
                    let mut items = items.clone();
                    items[index] = item;
                    items.into()
                }));
            }
            all
        }
        Value::Object(entries) => {
            let mut more = entries.clone();
            more.insert("another".to_owned(), json!("set"));
            let mut all = vec![Value::Null, more.into()];
            for (key, entry) in entries {
                all.extend(changed(entry).into_iter().map(|entry| {
                    let mut entries = entries.clone();
                    entries.insert(key.clone(), entry);
                    entries.into()
                }));
            }
            all
        }
    }
}
