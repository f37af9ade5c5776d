//! The critical path of a stack: the longest chain of resources of which each waits for the one
//! before.

use serde_json::Value;
use std::collections::HashMap;

/// Names of resources, in the order in which they wait for each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain(pub Vec<String>);

impl Chain {
    /// The longest in an exported state, where everything comes after what it depends on.
    /// Components and providers take no time.
    pub fn longest(resources: &[Value]) -> Self {
        let mut until: HashMap<&str, Self> = HashMap::new();
        for resource in resources {
            let before = ["dependencies", "parent", "provider"]
                .iter()
                .flat_map(|field| references(&resource[field]))
                .filter_map(|urn| until.get(urn))
                .max_by_key(|chain| chain.0.len());
            let mut chain = before.cloned().unwrap_or_default();
            let urn = resource["urn"].as_str().unwrap_or_default();
            if takes_time(resource) {
                chain.0.extend(urn.rsplit("::").next().map(str::to_owned));
            }
            until.insert(urn, chain);
        }
        let longest = until.into_values().max_by_key(|chain| chain.0.len());
        longest.unwrap_or_default()
    }
}

/// A URN, or a list of them; that of a provider has its id after it.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::String(urn) => vec![urn.rsplit_once("::").map_or(urn, |(urn, _)| urn), urn],
        Value::Array(urns) => urns.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub fn takes_time(resource: &Value) -> bool {
    let kind = resource["type"].as_str().unwrap_or_default();
    resource["custom"] == true && !kind.starts_with("pulumi:")
}

#[cfg(test)]
mod tests {
    use super::Chain;
    use serde_json::json;

    #[test]
    fn the_longest_chain_leads_through_components_and_past_the_short_ones() {
        let resources = [
            json!({ "urn": "s", "type": "pulumi:pulumi:Stack" }),
            json!({ "urn": "p", "type": "pulumi:providers:aws", "custom": true, "parent": "s" }),
            json!({ "urn": "a", "type": "t", "custom": true, "parent": "s", "provider": "p::id" }),
            json!({ "urn": "b", "type": "t", "custom": true, "parent": "s", "dependencies": ["a"] }),
            json!({ "urn": "c", "type": "t", "custom": false, "dependencies": ["b"] }),
            json!({ "urn": "d", "type": "t", "custom": true, "dependencies": [], "parent": "s" }),
            json!({ "urn": "e", "type": "t", "custom": true, "dependencies": ["d"], "parent": "c" }),
            json!({ "urn": "f", "type": "t", "custom": true, "dependencies": ["e", "d"] }),
        ];
        let chain = Chain::longest(&resources);
        assert_eq!(chain.0, ["a", "b", "e", "f"]);
    }
}
