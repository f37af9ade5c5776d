//! What depends on what.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use pulumi_mock::{Answer, Mock, value};
use serde_json::json;

use crate::{SAMPLES, sample, thing};

fn graph() -> Mock {
    sample("graph")
        .answer(|resource| match resource.name.as_str() {
            "base" => Answer::new().output("arn", "arn:base"),
            _ => Answer::new(),
        })
        .function("test:index:lookUp", json!({ "found": "it" }))
}

fn names(urns: &[&str]) -> BTreeSet<String> {
    urns.iter().map(|name| thing(name)).collect()
}

#[test]
fn every_registration_says_what_it_depends_on() -> Result<()> {
    let run = graph().run(SAMPLES)?;
    let expected = [
        ("alone", &[][..]),
        ("base", &[]),
        ("mapped", &["base"]),
        ("combined", &["alone", "base"]),
        ("nested", &["base"]),
        ("told", &["base"]),
        ("chosen", &["alone", "base"]),
        ("looked-up", &["base"]),
    ];
    for (name, dependencies) in expected {
        let resource = run.resource(name)?;
        assert_eq!(resource.dependencies, names(dependencies), "{name}");
        assert_eq!(resource.parent, run.stack_urn, "{name}");
        assert_eq!(resource.request.version, "1.2.3", "{name}");
        assert!(resource.custom, "{name}");
    }
    assert_eq!(run.resources.len(), expected.len());
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    assert!(run.signalled_end);
    Ok(())
}

#[test]
fn each_property_says_what_it_depends_on() -> Result<()> {
    let run = graph().run(SAMPLES)?;
    let of = |name: &str| anyhow::Ok(run.resource(name)?.property_dependencies.clone());
    let map = |entries: &[(&str, &[&str])]| -> BTreeMap<String, BTreeSet<String>> {
        entries
            .iter()
            .map(|(property, urns)| ((*property).to_owned(), names(urns)))
            .collect()
    };
    assert_eq!(of("mapped")?, map(&[("target", &["base"])]));
    assert_eq!(
        of("combined")?,
        map(&[("both", &["alone", "base"]), ("one", &["alone"])])
    );
    assert_eq!(of("nested")?, map(&[("document", &["base"])]));
    assert_eq!(of("told")?, map(&[]));
    // For a property without dependencies in the request, the engine assumes that it depends on
    // everything.
    let told = &run.resource("told")?.request.property_dependencies;
    assert!(told.contains_key("plain"));
    Ok(())
}

#[test]
fn values_go_from_one_resource_to_the_next() -> Result<()> {
    let run = graph().run(SAMPLES)?;
    assert_eq!(run.resource("mapped")?.inputs["target"], "arn:base/*");
    assert_eq!(run.resource("combined")?.inputs["both"], "base-id+alone-id");
    assert_eq!(
        run.resource("nested")?.inputs["document"],
        json!({ "statements": [{ "resource": "arn:base" }, { "resource": "*" }] })
    );
    assert_eq!(run.invokes[0].arguments, json!({ "arn": "arn:base" }));
    assert_eq!(run.invokes[0].version, "1.2.3");
    assert_eq!(run.resource("looked-up")?.inputs["found"], "it");
    assert_eq!(
        run.outputs,
        Some(json!({ "arn": "arn:base", "both": "base-id+alone-id" }))
    );
    Ok(())
}

#[test]
fn a_resource_is_asked_for_when_what_it_awaits_is_there() -> Result<()> {
    for seed in 0..5 {
        let run = graph().shuffle(seed).run(SAMPLES)?;
        for resource in &run.resources {
            assert!(
                resource
                    .dependencies
                    .iter()
                    .all(|urn| resource.asked_after.contains(urn)),
                "{} with seed {seed}",
                resource.name
            );
        }
    }
    Ok(())
}

#[test]
fn what_the_engine_leaves_out_of_an_update_is_unknown() -> Result<()> {
    let run = sample("graph")
        .answer(|resource| match resource.name.as_str() {
            "base" => Answer::leave_out(),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]), "{run}");
    assert_eq!(run.resource("mapped")?.inputs["target"], value::unknown());
    assert!(run.resource("mapped")?.depends_on("base"));
    assert_eq!(run.resource("looked-up")?.inputs["found"], value::unknown());
    assert!(run.invokes.is_empty());
    assert_eq!(
        run.outputs,
        Some(json!({ "arn": value::unknown(), "both": value::unknown() }))
    );
    Ok(())
}

#[test]
fn a_long_row_of_resources_is_nothing_special() -> Result<()> {
    let run = sample("row")
        .config("project:length", "5000")
        .run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]), "{run}");
    assert_eq!(run.outputs, Some(json!({ "last": "row-4999-id" })));
    Ok(())
}
