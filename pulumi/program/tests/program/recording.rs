//! What a recording gives of the resources that were registered through it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use pulumi_mock::{Answer, value};
use serde_json::{Value, json};

use crate::{SAMPLES, sample, thing};

fn route(name: &str) -> String {
    format!("urn:pulumi:test::project::test:index:Route::{name}")
}

#[test]
fn all_inputs_of_its_resources_are_in_it_and_nothing_else() -> Result<()> {
    let run = sample("recording")
        .answer(|_| Answer::new().output("size", "large"))
        .run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let deployment = run.resource("deployment")?;
    let of = deployment.inputs["of"].as_str().context("no text")?;
    assert_eq!(
        serde_json::from_str::<Value>(of)?,
        json!([
            { "type": "test:index:Route", "name": "first", "inputs": { "weight": 2 } },
            { "type": "test:index:Route", "name": "second", "inputs": { "size": "large" } },
        ])
    );
    let expected = BTreeSet::from([route("first"), route("second"), thing("base")]);
    assert_eq!(deployment.dependencies, expected);
    assert_eq!(
        deployment.property_dependencies["of"],
        BTreeSet::from([thing("base")])
    );
    Ok(())
}

#[test]
fn it_is_unknown_when_an_input_is_and_secret_when_one_is() -> Result<()> {
    let preview = sample("recording").preview().run(SAMPLES)?;
    assert_eq!(
        preview.resource("deployment")?.inputs["of"],
        value::unknown()
    );

    let run = sample("recording")
        .answer(|_| Answer::new().output("size", value::secret("hidden")))
        .run(SAMPLES)?;
    let of = &run.resource("deployment")?.inputs["of"];
    let of = of["$secret"].as_str().context("no secret")?;
    assert!(of.contains("hidden"));
    Ok(())
}

#[test]
fn what_comes_too_late_for_it_ends_the_program() -> Result<()> {
    let run = sample("recording")
        .config("project:late", "true")
        .run(SAMPLES)?;
    assert_ne!(run.exit_code, Some(0));
    assert!(
        run.errors()
            .join("\n")
            .contains("late [test:index:Route] is registered through a recording"),
        "{run}"
    );
    Ok(())
}
