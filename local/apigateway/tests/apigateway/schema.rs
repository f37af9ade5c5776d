//! The aws package's schema and the types here know the same inputs.

use crate::support::TestCloud;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

#[tokio::test]
async fn every_input_of_the_schema_is_known() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let account = cloud.running.account();
    let package = &account.package;
    let schema: Value = serde_json::from_str(package.schema_json())?;
    let resources = schema["resources"].as_object().context("no resources")?;
    let mut checked = 0;
    for (token, resource) in resources {
        if !token.starts_with("aws:apigateway/") {
            continue;
        }
        let of = package.resource_type(token).context("no such type")?.of;
        let properties = resource["inputProperties"].as_object();
        for (name, property) in properties.context("no inputs")? {
            let nested = property["$ref"]
                .as_str()
                .and_then(|reference| reference.strip_prefix("#/types/"))
                .and_then(|reference| schema["types"][reference]["properties"].as_object());
            let values: Vec<Value> = match nested {
                None => vec![Value::Null],
                Some(nested) => nested.keys().map(|name| json!({ name: null })).collect(),
            };
            for value in values {
                let inputs = Map::from_iter([(name.clone(), value)]);
                for refusal in of.validate(&inputs) {
                    let unknown = refusal.reason.contains("unknown field");
                    assert!(!unknown, "{token} {inputs:?}: {}", refusal.reason);
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 80, "{checked}");
    Ok(())
}
