//! What changes, and what a change takes.

use crate::support::{TestCloud, archive, secret, urn};
use crate::world::{NOTE, THING};
use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use pulumi_protocol::UNKNOWN;
use rpc::diff_response::DiffChanges;
use rpc::property_diff::Kind::{self, *};
use serde_json::{Value, json};

/// Paths, sorted, and what is the matter there.
type Found = Vec<(&'static str, Kind)>;

#[tokio::test]
async fn changes_are_found_at_their_paths() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let elided = |hash: &str| {
        let mut archive = archive(hash);
        archive.as_object_mut().map(|map| map.remove("path"));
        archive
    };
    let cases: Vec<(Value, Value, Found)> = vec![
        (json!({}), json!({}), vec![]),
        (json!({ "count": 1 }), json!({ "count": 1.0 }), vec![]),
        (
            json!({ "count": 1 }),
            json!({ "count": 2 }),
            vec![("count", Update)],
        ),
        (json!({}), json!({ "count": 2 }), vec![("count", Add)]),
        (json!({ "count": 1 }), json!({}), vec![("count", Delete)]),
        (json!({ "count": null }), json!({}), vec![]),
        (
            json!({ "count": 1 }),
            json!({ "count": UNKNOWN }),
            vec![("count", Update)],
        ),
        (
            json!({ "labels": {"a": "1", "b.c": "2", "d": "3"} }),
            json!({ "labels": {"a": "1", "b.c": "3", "e": "4"} }),
            vec![
                ("labels.d", Delete),
                ("labels.e", Add),
                ("labels[\"b.c\"]", Update),
            ],
        ),
        (
            json!({ "zones": ["a", "b", "c"] }),
            json!({ "zones": ["a", "x"] }),
            vec![("zones[1]", Update), ("zones[2]", Delete)],
        ),
        (
            json!({ "zones": [] }),
            json!({ "zones": ["a"] }),
            vec![("zones[0]", Add)],
        ),
        (
            json!({ "rules": [{"target": "t", "weight": 1}] }),
            json!({ "rules": [{"target": "t"}] }),
            vec![("rules[0].weight", Delete)],
        ),
        // A nested property of a list, by the type's word.
        (
            json!({ "rules": [{"target": "t"}] }),
            json!({ "rules": [{"target": "u"}] }),
            vec![("rules[0].target", UpdateReplace)],
        ),
        // By the type's word, and by the schema's.
        (
            json!({ "name": "a" }),
            json!({ "name": "b" }),
            vec![("name", UpdateReplace)],
        ),
        (
            json!({}),
            json!({ "place": "b" }),
            vec![("place", AddReplace)],
        ),
        (
            json!({ "place": "b" }),
            json!({}),
            vec![("place", DeleteReplace)],
        ),
        // Archives are told apart by their content alone.
        (
            json!({ "code": elided("h") }),
            json!({ "code": archive("h") }),
            vec![],
        ),
        (
            json!({ "code": archive("h") }),
            json!({ "code": archive("i") }),
            vec![("code", Update)],
        ),
        // Secrets are compared by their content.
        (
            json!({ "password": secret("p") }),
            json!({ "password": secret("p") }),
            vec![],
        ),
        (
            json!({ "password": secret("p") }),
            json!({ "password": "q" }),
            vec![("password", Update)],
        ),
        (
            json!({ "__defaults": ["name"] }),
            json!({ "__defaults": [] }),
            vec![],
        ),
    ];
    for (old, new, expected) in cases {
        let diff = engine
            .diff(&urn(THING, "t"), old.clone(), new.clone(), json!({}))
            .await?;
        let mut found: Vec<(&str, Kind)> = Vec::new();
        for (path, diff) in &diff.detailed_diff {
            found.push((path, diff.kind()));
            assert!(diff.input_diff);
        }
        found.sort_by_key(|(path, _)| *path);
        assert_eq!(found, expected, "{old} {new}");
        assert!(diff.has_detailed_diff);

        // The protocol's invariants: every path has its property among the changed ones.
        let top = |path: &str| path.split(['.', '[']).next().map(str::to_owned);
        let changed = expected.iter().filter_map(|(path, _)| top(path));
        let mut changed: Vec<String> = changed.collect();
        changed.dedup();
        assert_eq!(diff.diffs, changed);
        let replaces = |kind: &Kind| matches!(kind, AddReplace | DeleteReplace | UpdateReplace);
        let replacing = expected.iter().filter(|(_, kind)| replaces(kind));
        let replacing: Vec<String> = replacing.filter_map(|(path, _)| top(path)).collect();
        assert_eq!(diff.replaces, replacing);
        let some = match expected.is_empty() {
            true => DiffChanges::DiffNone,
            false => DiffChanges::DiffSome,
        };
        assert_eq!(diff.changes(), some);
    }
    Ok(())
}

#[tokio::test]
async fn a_name_that_stays_must_be_free_before_it_is_taken() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let cases = [
        // The program fixed the name: the old one goes first.
        (
            json!({ "name": "n", "place": "a" }),
            json!({ "name": "n", "place": "b" }),
            true,
        ),
        // Names that differ live side by side.
        (json!({ "name": "n" }), json!({ "name": "m" }), false),
        // A name that was made up makes way for another.
        (
            json!({ "name": "n-1", "place": "a", "__defaults": ["name"] }),
            json!({ "name": "n-1", "place": "b", "__defaults": ["name"] }),
            false,
        ),
        // Nothing is replaced.
        (
            json!({ "name": "n", "count": 1 }),
            json!({ "name": "n", "count": 2 }),
            false,
        ),
    ];
    for (old, new, first) in cases {
        let diff = engine
            .diff(&urn(THING, "t"), old.clone(), new.clone(), json!({}))
            .await?;
        assert_eq!(diff.delete_before_replace, first, "{old} {new}");
    }
    let (old, new) = (json!({ "text": "a" }), json!({ "text": "b" }));
    let diff = engine.diff(&urn(NOTE, "n"), old, new, json!({})).await?;
    assert!(diff.delete_before_replace, "the type says so");
    Ok(())
}

#[tokio::test]
async fn a_resource_cannot_move() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({ "region": "eu-west-1" })).await?;
    let cases = [
        ("eu-west-1", json!({}), json!({}), false),
        (
            "eu-west-1",
            json!({}),
            json!({ "region": "eu-west-1" }),
            false,
        ),
        (
            "eu-west-1",
            json!({ "region": "eu-west-1" }),
            json!({}),
            false,
        ),
        (
            "eu-west-1",
            json!({}),
            json!({ "region": "eu-west-2" }),
            true,
        ),
        (
            "eu-west-2",
            json!({ "region": "eu-west-2" }),
            json!({}),
            true,
        ),
        ("eu-west-2", json!({}), json!({}), true),
    ];
    for (was, old, new, moves) in cases {
        let outputs = json!({ "region": was });
        let diff = engine
            .diff(&urn(THING, "t"), old.clone(), new.clone(), outputs)
            .await?;
        assert_eq!(diff.replaces == ["region"], moves, "{was} {old} {new}");
        assert_eq!(
            diff.changes() == DiffChanges::DiffSome,
            moves,
            "{was} {old} {new}"
        );
    }
    Ok(())
}
