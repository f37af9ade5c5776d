//! Values on their way to the engine and back.

use std::collections::BTreeSet;

use anyhow::Result;
use pulumi_mock::value::{file_archive, file_asset, secret, string_asset, unknown};
use pulumi_mock::{Answer, Mock, Run};
use serde_json::json;

use crate::{SAMPLES, sample, thing};

fn values() -> Result<Run> {
    sample("values")
        .secret("project:password", "hunter2")
        .function("test:index:hash", json!({ "hash": "2ab96390" }))
        .answer(|resource| match resource.name.as_str() {
            "inputs" => Answer::new()
                .output("count", 5_000_000_000_i64)
                .output("rate", 10)
                .output("small", 41)
                .output(
                    "settings",
                    json!({ "user": "ann", "password": secret("hunter2") }),
                ),
            _ => Answer::new(),
        })
        .run(SAMPLES)
}

#[test]
fn inputs_arrive_as_the_program_has_them() -> Result<()> {
    let run = values()?;
    let resource = run.resource("inputs")?;
    assert_eq!(
        resource.inputs,
        json!({
            "integer": 7,
            "fraction": 0.5,
            "large": 5_000_000_000_i64,
            "flag": true,
            "set": "here",
            "list": [1, null, 3],
            "nested": { "b": {} },
            "secret": secret("hunter2"),
            "derived": secret("hunter2!"),
            "deep": { "list": ["x", secret("hunter2")], "y": 1 },
            "exactly": { "user": "ann", "password": secret("hunter2") },
            "archive": file_archive("f.zip"),
            "file": file_asset("index.html"),
            "text": string_asset("body"),
        })
    );
    assert!(resource.request.accept_secrets);
    assert!(resource.request.supports_partial_values);
    assert!(resource.request.supports_result_reporting);
    Ok(())
}

#[test]
fn outputs_arrive_as_the_engine_has_them() -> Result<()> {
    let run = values()?;
    assert_eq!(
        run.resource("outputs")?.inputs,
        json!({
            "count": 5_000_000_000_i64,
            "small": 42,
            "rate": 11,
            // What was computed from a secret is one, however deep that was.
            "user": secret("ann"),
            "code": file_archive("f.zip"),
            "password": secret("hunter2"),
        })
    );
    assert_eq!(run.outputs, Some(json!({ "password": secret("hunter2") })));
    Ok(())
}

#[test]
fn what_a_function_makes_of_a_secret_is_one() -> Result<()> {
    let run = values()?;
    assert_eq!(run.invokes[0].arguments, json!({ "text": "hunter2" }));
    let gathered = run.resource("gathered")?;
    assert_eq!(
        gathered.inputs,
        json!({ "several": secret(json!(["x", "2ab96390", "here"])) })
    );
    assert_eq!(gathered.dependency_names(), ["inputs"].into());
    Ok(())
}

#[test]
fn what_comes_of_an_absent_output_depends_on_its_resource() -> Result<()> {
    let run = values()?;
    assert_eq!(run.resource("told")?.inputs, json!({ "word": "nothing" }));
    assert!(run.resource("told")?.depends_on("inputs"));
    Ok(())
}

#[test]
fn in_a_preview_an_unknown_argument_makes_a_functions_answer_unknown() -> Result<()> {
    let run = sample("graph").preview().run(SAMPLES)?;
    assert!(run.invokes.is_empty());
    let looked_up = run.resource("looked-up")?;
    assert_eq!(looked_up.inputs, json!({ "found": unknown() }));
    assert!(looked_up.depends_on("base"));
    Ok(())
}

#[test]
fn in_a_preview_what_is_unknown_stays_so() -> Result<()> {
    let run = sample("unknowns")
        .preview()
        .answer(|resource| match resource.name.as_str() {
            "base" => Answer::new()
                .output("arn", "arn:base")
                .output("settings", json!({ "user": "ann" })),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    let dependent = run.resource("dependent")?;
    assert_eq!(
        dependent.inputs,
        json!({
            "arn": unknown(),
            "derived": unknown(),
            "id": unknown(),
            "name": "known",
            "nested": { "arn": unknown(), "name": "known" },
            "secret": unknown(),
            "whole": unknown(),
        })
    );
    // Unknown or not, a value says what it depends on: the plan of an update holds it to that.
    let base: BTreeSet<_> = [thing("base")].into();
    assert_eq!(dependent.dependencies, base);
    for property in ["arn", "derived", "id", "name", "nested", "secret", "whole"] {
        assert_eq!(
            dependent.property_dependencies.get(property),
            Some(&base),
            "{property}"
        );
    }
    assert_eq!(
        run.outputs,
        Some(json!({ "arn": unknown(), "name": "known" }))
    );
    assert_eq!(run.exit_code, Some(0));
    Ok(())
}

#[test]
fn a_value_with_something_unknown_in_it_is_unknown_to_the_program() -> Result<()> {
    let run = sample("unknowns").preview().run(SAMPLES)?;
    let third = run.resource("third")?;
    assert_eq!(third.inputs, json!({ "part": unknown() }));
    assert_eq!(third.dependency_names(), ["dependent"].into());
    Ok(())
}

#[test]
fn the_configuration_of_a_provider_is_strings() -> Result<()> {
    let mock: Mock = sample("provider").secret("project:password", "hunter2");
    let run = mock.run(SAMPLES)?;
    assert_eq!(
        run.resource("provider")?.inputs,
        json!({
            "region": "eu-west-1",
            "retries": "3",
            "tags": r#"{"a":"b"}"#,
            "account": secret(r#"{"password":"hunter2"}"#),
        })
    );
    Ok(())
}

#[test]
fn a_text_of_outputs_keeps_secrets_and_dependencies() -> Result<()> {
    let run = sample("texts").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let told = run.resource("told")?;
    assert_eq!(
        told.inputs,
        json!({
            "none": "{} and nothing",
            "both": "one-id:  7:one-id",
            "hidden": secret("plain/hunter2"),
            "urn": format!("of {}", thing("one")),
            "many": "two-id\"two-id\"1xtrue",
        })
    );
    assert_eq!(told.property_dependencies["both"], [thing("one")].into());
    assert_eq!(told.property_dependencies["many"], [thing("two")].into());

    let preview = sample("texts").preview().run(SAMPLES)?;
    let told = preview.resource("told")?;
    assert_eq!(told.inputs["both"], unknown());
    assert_eq!(told.property_dependencies["both"], [thing("one")].into());
    Ok(())
}
