//! Components.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use crate::{SAMPLES, sample, thing};

#[test]
fn resources_are_under_their_components() -> Result<()> {
    let run = sample("components").run(SAMPLES)?;
    let outer = "urn:pulumi:test::project::test:index:Outer::outer";
    let inner = "urn:pulumi:test::project::test:index:Outer$test:index:Inner::inner";
    assert_eq!(run.resource("outer")?.urn, outer);
    assert_eq!(run.resource("outer")?.parent, run.stack_urn);
    assert_eq!(run.resource("inner")?.parent, outer);
    assert_eq!(run.resource("leaf")?.parent, inner);
    assert_eq!(run.resource("outside")?.parent, run.stack_urn);
    assert!(!run.resource("outer")?.custom);
    assert!(run.resource("leaf")?.custom);
    assert_eq!(run.resource("inner")?.options.protect, Some(true));
    Ok(())
}

#[test]
fn every_component_registers_its_outputs() -> Result<()> {
    let run = sample("components").run(SAMPLES)?;
    let outputs: Vec<_> = run.component_outputs.values().collect();
    assert_eq!(
        outputs,
        [
            // elsewhere
            &json!({}),
            // inner
            &json!({}),
            // outer
            &json!({ "leaf": "leaf-id", "word": "hello" }),
        ]
    );
    assert_eq!(run.outputs, Some(json!({ "leaf": "leaf-id" })));
    Ok(())
}

#[test]
fn a_closure_may_register_what_an_output_says() -> Result<()> {
    let run = sample("nested").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let inputs = &run.resource("dependent")?.inputs;
    assert_eq!(inputs["ids"], json!(["one-0-id", "one-1-id"]));
    let part = "urn:pulumi:test::project::test:index:Part::part";
    assert_eq!(inputs["urn"], json!(part));
    assert_eq!(run.component_outputs[part], json!({ "id": "base-id" }));
    assert!(run.signalled_end, "{run}");

    // What is not known is not counted.
    let preview = sample("nested").preview().run(SAMPLES)?;
    assert_eq!((preview.exit_code, preview.errors()), (Some(0), vec![]));
    assert!(preview.resource("part").is_err(), "{preview}");
    Ok(())
}

#[test]
fn a_component_is_no_dependency_of_its_children() -> Result<()> {
    let run = sample("components").run(SAMPLES)?;
    assert!(run.resource("leaf")?.dependencies.is_empty());
    let inner = "urn:pulumi:test::project::test:index:Outer$test:index:Inner";
    let leaf = format!("{inner}$test:index:Thing::leaf");
    assert_eq!(run.resource("outside")?.dependencies, [leaf].into());
    assert_eq!(run.resource("outside")?.urn, thing("outside"));
    Ok(())
}

#[test]
fn what_depends_on_a_component_depends_on_all_that_is_under_it() -> Result<()> {
    let run = sample("components").run(SAMPLES)?;
    let outer = run.resource("outer")?.urn.clone();
    let under = ["inner", "leaf"].map(|name| run.resource(name));
    let mut all = BTreeSet::from([outer]);
    for resource in under {
        all.insert(resource?.urn.clone());
    }
    // What is itself under it depends on what came before, and so waits for nothing that waits
    // for it.
    assert_eq!(run.resource("within")?.dependencies, all);
    all.insert(run.resource("within")?.urn.clone());
    assert_eq!(run.resource("after")?.dependencies, all);
    Ok(())
}

#[test]
fn what_is_under_a_component_takes_its_provider() -> Result<()> {
    let run = sample("components").run(SAMPLES)?;
    // The engine hands it down by the package.
    let providers = &run.resource("elsewhere")?.request.providers;
    let provider = "urn:pulumi:test::project::pulumi:providers:test::provider::provider-id";
    assert_eq!(providers.get("test").map(String::as_str), Some(provider));
    let other = "urn:pulumi:test::project::pulumi:providers:other::other::other-id";
    assert_eq!(providers.get("other").map(String::as_str), Some(other));
    // To what is only read, nobody else does.
    let there = run.resource("there")?.options.provider.as_deref();
    assert_eq!(there, Some(provider));
    Ok(())
}
