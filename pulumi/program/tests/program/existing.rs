//! What exists already, and is only read.

use anyhow::Result;
use pulumi_mock::value::{secret, unknown};
use pulumi_mock::{Answer, FAILED_AND_REPORTED, Mock, Run};
use serde_json::{Value, json};

use crate::{SAMPLES, sample, thing};

fn existing() -> Mock {
    sample("existing")
        .config("project:id", "thing-0")
        .answer(|resource| match resource.name.as_str() {
            "read" | "again" => Answer::new().output("name", format!("of {}", resource.name)),
            _ => Answer::new(),
        })
}

#[test]
fn an_existing_resource_is_read_by_its_id() -> Result<()> {
    let run = existing().run(SAMPLES)?;
    assert_eq!(run.exit_code, Some(0), "{run}");
    let read = run.resource("read")?;
    assert_eq!(read.read.as_deref(), Some("thing-0"));
    assert_eq!(read.inputs, json!({ "near": "here" }));
    assert_eq!(read.request.version, "1.2.3");
    assert!(read.request.accept_secrets);
    let again = run.resource("again")?;
    assert_eq!(again.read.as_deref(), Some("created-id"));
    assert_eq!(again.dependency_names(), ["created"].into());
    let user = run.resource("user")?;
    assert_eq!(
        user.inputs,
        json!({
            "id": "thing-0",
            "name": "of read",
            "again": "of again",
            "id-again": "the created-id",
        })
    );
    assert_eq!(user.property_dependencies["id"], [thing("read")].into());
    assert_eq!(user.read, None);
    Ok(())
}

#[test]
fn in_a_preview_what_exists_is_known() -> Result<()> {
    let run = existing().preview().run(SAMPLES)?;
    assert_eq!(run.exit_code, Some(0), "{run}");
    assert_eq!(
        run.resource("user")?.inputs,
        json!({
            "id": "thing-0",
            "name": "of read",
            "again": unknown(),
            "id-again": unknown(),
        })
    );
    Ok(())
}

#[test]
fn the_providers_of_components_read_too() -> Result<()> {
    let run = sample("existing-providers").run(SAMPLES)?;
    assert_eq!(run.exit_code, Some(0), "{run}");
    let of = |name: &str| anyhow::Ok(run.resource(name)?.options.provider.clone());
    let urn = "urn:pulumi:test::project::pulumi:providers";
    assert_eq!(
        of("inherited")?,
        Some(format!("{urn}:test::outer::outer-id"))
    );
    // What it says itself is of another package.
    assert_eq!(of("own")?, Some(format!("{urn}:test::outer::outer-id")));
    assert_eq!(of("outside")?, None);
    Ok(())
}

#[test]
fn a_resource_that_is_not_there_is_told() -> Result<()> {
    let run = existing()
        .answer(|resource| match resource.name.as_str() {
            "read" => Answer::refuse("there is no thing-0"),
            _ => Answer::new().output("name", "another"),
        })
        .run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        ["read [test:index:Thing] was not read: there is no thing-0"]
    );
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    Ok(())
}

fn referring(mock: Mock, outputs: Value) -> Result<Run> {
    mock.answer(move |resource| match resource.read {
        Some(_) => Answer::new().output("outputs", outputs.clone()),
        None => Answer::new(),
    })
    .run(SAMPLES)
}

#[test]
fn the_outputs_of_another_stack_are_as_secret_as_there() -> Result<()> {
    let outputs = json!({ "parts": ["ann", secret("hunter2")], "word": "hello" });
    for mock in [
        sample("stack-reference"),
        sample("stack-reference").preview(),
    ] {
        let run = referring(mock, outputs.clone())?;
        assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
        let reference = run.resource("other")?;
        assert_eq!(reference.r#type, "pulumi:pulumi:StackReference");
        assert_eq!(
            reference.read.as_deref(),
            Some("organization/project/other")
        );
        assert_eq!(
            run.resource("user")?.inputs,
            json!({ "parts": secret(json!(["ann", "hunter2"])), "word": "HELLO" })
        );
        let of = &run.resource("user")?.property_dependencies;
        assert_eq!(of["word"], [reference.urn.clone()].into());
    }
    Ok(())
}

#[test]
fn outputs_that_are_secret_as_a_whole_are_so_one_by_one() -> Result<()> {
    let outputs = secret(json!({ "parts": ["ann"], "word": "hello" }));
    let run = referring(sample("stack-reference"), outputs)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    assert_eq!(
        run.resource("user")?.inputs,
        json!({ "parts": secret(json!(["ann"])), "word": secret("HELLO") })
    );
    Ok(())
}

#[test]
fn an_output_that_the_other_stack_does_not_have_is_named() -> Result<()> {
    let outputs = json!({ "parts": [], "word": "hello", "size": 3 });
    for (name, reason) in [
        ("nothing", "there is none of this name"),
        ("size", "Expected String, got Integer"),
    ] {
        let mock = sample("stack-reference").config("project:output", name);
        let run = referring(mock, outputs.clone())?;
        assert_eq!(
            run.errors(),
            [format!(
                "the output {name} of the stack organization/project/other: {reason}"
            )]
        );
        assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    }
    Ok(())
}
