//! What the schema and the types refuse, and the names that are made up.

use crate::support::{Engine, TestCloud, archive, asset, secret, urn, wire};
use crate::world::{NOTE, THING};
use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use pulumi_protocol::UNKNOWN;
use rpc::check_request::AutonamingOptions;
use rpc::check_request::autonaming_options::Mode;
use serde_json::{Value, json};

#[tokio::test]
async fn wrong_inputs_are_refused_by_name_all_at_once() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &[]),
        (
            json!({
                "name": "n", "count": 3, "share": 0.5, "enabled": true, "size": "small",
                "runtime": "anything", "zones": ["a"], "labels": {"a.b": "c"},
                "rules": [{"target": "t", "weight": 1}], "code": archive("h"),
                "source": asset("h"), "region": "eu-west-1", "tags": {"a": "b"},
            }),
            &[],
        ),
        // In previews much is unknown, and what is secret is checked like the rest.
        (
            json!({
                "count": UNKNOWN, "zones": UNKNOWN, "rules": [UNKNOWN, {"target": UNKNOWN}],
                "labels": {"a": UNKNOWN}, "code": UNKNOWN, "password": secret(UNKNOWN),
            }),
            &[],
        ),
        (
            json!({ "count": null, "rules": [{"target": "t", "weight": null}] }),
            &[],
        ),
        (json!({ "source": archive("h") }), &[]),
        (
            json!({ "cuont": 3, "color": "red" }),
            &[
                "color|there is no such property",
                "cuont|there is no such property; did you mean count?",
            ],
        ),
        (
            json!({ "count": "3", "share": true, "enabled": "true", "name": 5 }),
            &[
                "count|must be a whole number, found the string \"3\"",
                "enabled|must be true or false, found the string \"true\"",
                "name|must be a string, found the number 5",
                "share|must be a number, found true",
            ],
        ),
        (
            json!({ "count": 1.5 }),
            &["count|must be a whole number, found the number 1.5"],
        ),
        (
            json!({ "zones": "a" }),
            &["zones|must be a list, found the string \"a\""],
        ),
        (
            json!({ "zones": ["a", 1] }),
            &["|zones[1]: must be a string, found the number 1"],
        ),
        (
            json!({ "labels": {"x.y": 1} }),
            &["|labels[\"x.y\"]: must be a string, found the number 1"],
        ),
        (
            json!({ "labels": [] }),
            &["|labels: must be an object, found a list"],
        ),
        (
            json!({ "rules": [{"wieght": 1}, 7] }),
            &[
                "|rules[0].target: required, but missing",
                "|rules[0].wieght: there is no such property; did you mean weight?",
                "|rules[1]: must be an object, found the number 7",
            ],
        ),
        (
            json!({ "size": "huge" }),
            &["size|must be one of \"small\", \"large\", found the string \"huge\""],
        ),
        (
            json!({ "runtime": 7 }),
            &["runtime|must be one of \"small\", \"large\", found the number 7"],
        ),
        (
            json!({ "code": "a.zip" }),
            &["code|must be an archive, found the string \"a.zip\""],
        ),
        (
            json!({ "code": asset("h") }),
            &["|code: must be an archive, found an asset"],
        ),
        (
            json!({ "labels": archive("h") }),
            &["|labels: must be an object, found an archive"],
        ),
        (
            json!({ "name": asset("h") }),
            &["|name: must be a string, found an asset"],
        ),
        (
            json!({ "password": secret(7) }),
            &["|password: must be a string, found a number"],
        ),
        (
            json!({ "region": "Mars" }),
            &["region|must be a region such as us-east-1, found \"Mars\""],
        ),
        // The type's own rules come last.
        (json!({ "count": -1 }), &["count|must not be negative"]),
        (json!({ "count": -1, "password": UNKNOWN }), &[]),
    ];
    for (inputs, expected) in cases {
        let checked = engine
            .check(&urn(THING, "t"), json!({}), inputs.clone())
            .await?;
        assert_eq!(checked.failures, *expected, "{inputs}");
    }
    let missing = engine.check(&urn(NOTE, "n"), json!({}), json!({})).await?;
    assert_eq!(missing.failures, ["|text: required, but missing"]);
    Ok(())
}

#[tokio::test]
async fn an_unknown_type_is_told_what_there_is() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let urn = urn("aws:test/think:Think", "t");
    let checked = engine.check(&urn, json!({}), json!({ "a": 1 })).await?;
    assert_eq!(
        checked.failures,
        [format!(
            "|the embedded cloud does not know aws:test/think:Think: \
             did you mean {THING}? It knows {NOTE}, {THING}"
        )]
    );
    assert_eq!(checked.inputs, json!({ "a": 1 }));
    Ok(())
}

#[tokio::test]
async fn inputs_come_back_completed_and_otherwise_as_they_are() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let tags = r#"{"tags":{"team":"x","a":"default"}}"#;
    let mut engine = cloud.engine(json!({ "defaultTags": tags })).await?;
    let news = json!({
        "name": "n", "password": secret("p"), "count": UNKNOWN, "code": archive("h"),
        "tags": {"a": "own"}, "share": null,
    });
    let checked = engine.check(&urn(THING, "t"), json!({}), news).await?;
    assert_eq!(
        checked.inputs,
        json!({
            "name": "n", "password": secret("p"), "count": UNKNOWN, "code": archive("h"),
            "tags": {"a": "own", "team": "x"},
        })
    );
    let secret_tags = json!({ "name": "n", "tags": secret(json!({"a": "own"})) });
    let checked = engine
        .check(&urn(THING, "t"), json!({}), secret_tags)
        .await?;
    assert_eq!(
        checked.inputs["tags"],
        secret(json!({"a": "own", "team": "x"}))
    );
    let untaggable = engine
        .check(&urn(NOTE, "n"), json!({}), json!({ "text": "t" }))
        .await?;
    assert_eq!(untaggable.inputs, json!({ "text": "t" }));
    Ok(())
}

#[tokio::test]
async fn names_are_made_up_once_and_kept() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let thing = urn(THING, "thing");

    let first = engine.check(&thing, json!({}), json!({})).await?.inputs;
    let name = first["name"].as_str().unwrap_or_default();
    assert!(name.starts_with("thing-") && name.len() == 13, "{name}");
    assert_eq!(first["__defaults"], json!(["name"]));
    // A preview and the deployment after it agree.
    let again = engine.check(&thing, json!({}), json!({})).await?.inputs;
    assert_eq!(again, first);
    // An update keeps the name, also when it was made up by other rules.
    let old = json!({ "name": "other", "__defaults": ["name"] });
    let kept = engine
        .check(&thing, old, json!({ "count": 1 }))
        .await?
        .inputs;
    assert_eq!(
        kept,
        json!({ "name": "other", "__defaults": ["name"], "count": 1 })
    );
    // A name that the program gave and no longer gives makes way for one that is made up.
    let changed = engine
        .check(&thing, json!({ "name": "mine" }), json!({}))
        .await?
        .inputs;
    assert_eq!(changed["name"], first["name"]);
    // Names differ by resource, and a replacement has another name than its predecessor.
    let other = engine
        .check(&urn(THING, "thinh"), json!({}), json!({}))
        .await?
        .inputs;
    assert_ne!(other["name"].as_str().unwrap_or_default()[6..], name[6..]);
    engine.create(&thing, first.clone()).await?;
    let replacement = engine.check(&thing, json!({}), json!({})).await?.inputs;
    assert_ne!(replacement["name"], first["name"]);
    Ok(())
}

#[tokio::test]
async fn names_follow_prefixes_and_the_engines_wishes() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let thing = urn(THING, "thing");

    let prefixed = engine
        .check(&thing, json!({}), json!({ "namePrefix": "pre-" }))
        .await?;
    let name = prefixed.inputs["name"].as_str().unwrap_or_default();
    assert!(name.starts_with("pre-") && name.len() == 11, "{name}");
    let both = json!({ "namePrefix": "pre-", "name": "n" });
    let both = engine.check(&thing, json!({}), both).await?;
    assert_eq!(
        both.failures,
        ["namePrefix|conflicts with name: give one of the two"]
    );
    let unknown = json!({ "namePrefix": UNKNOWN });
    let unknown = engine.check(&thing, json!({}), unknown).await?;
    assert_eq!(unknown.inputs, json!({ "namePrefix": UNKNOWN }));

    let long = engine
        .check(&urn(THING, "a-name-much-too-long"), json!({}), json!({}))
        .await?;
    assert_eq!(long.failures.len(), 1);
    assert!(
        long.failures[0].contains("AWS allows 20"),
        "{:?}",
        long.failures
    );

    for (mode, name, expected) in [
        (Mode::Propose, "proposed", Ok("proposed")),
        (Mode::Enforce, "enforced", Ok("enforced")),
        (
            Mode::Disable,
            "",
            Err("|name: is required: automatic naming is disabled"),
        ),
    ] {
        let checked = propose(&mut engine, &thing, mode, name).await?;
        match expected {
            Ok(name) => assert_eq!(checked.inputs["name"], name),
            Err(reason) => assert_eq!(checked.failures, [reason]),
        }
    }
    Ok(())
}

async fn propose(
    engine: &mut Engine,
    urn: &str,
    mode: Mode,
    name: &str,
) -> Result<crate::support::Checked> {
    engine
        .check_with(rpc::CheckRequest {
            urn: urn.to_owned(),
            news: Some(wire(&json!({}))?),
            autonaming: Some(AutonamingOptions {
                proposed_name: name.to_owned(),
                mode: mode.into(),
            }),
            ..Default::default()
        })
        .await
}
