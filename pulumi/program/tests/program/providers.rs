//! Providers, and who inherits them; dependencies on whole components.

use std::collections::BTreeSet;

use anyhow::Result;
use pulumi_mock::{FAILED_AND_REPORTED, Run};
use serde_json::json;

use crate::{SAMPLES, sample};

fn reference(name: &str) -> Option<String> {
    let urn = "urn:pulumi:test::project::pulumi:providers:test";
    Some(format!("{urn}::{name}::{name}-id"))
}

fn provider_of(run: &Run, name: &str) -> Result<Option<String>> {
    Ok(run.resource(name)?.options.provider.clone())
}

#[test]
fn what_is_under_a_resource_takes_its_provider() -> Result<()> {
    let run = sample("under-a-resource")
        .function("test:index:lookUp", json!({}))
        .run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    for name in [
        "base",
        "custom",
        "read",
        "deeper",
        "in-part",
        "read-in-part",
    ] {
        assert_eq!(provider_of(&run, name)?, reference("east"), "{name}");
    }
    assert_eq!(provider_of(&run, "own")?, reference("west"));
    assert_eq!(run.invokes[0].provider, reference("east"));
    let part = &run.resource("part")?.request.providers;
    assert_eq!(part.get("test").cloned(), reference("east"));
    Ok(())
}

#[test]
fn a_provider_is_for_its_package_alone() -> Result<()> {
    let run = sample("of-another-package")
        .function("other:index:lookUp", json!({}))
        .run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    assert_eq!(provider_of(&run, "foreign")?, None);
    assert_eq!(provider_of(&run, "read")?, None);
    assert_eq!(provider_of(&run, "thing")?, reference("east"));
    assert_eq!(provider_of(&run, "under")?, reference("east"));
    assert_eq!(run.invokes[0].provider, None);
    Ok(())
}

#[test]
fn what_depends_on_a_component_depends_on_what_comes_later_too() -> Result<()> {
    let run = sample("late-members").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let after = run.resource("after")?;
    let expected = BTreeSet::from(["whole", "late", "part", "later"]);
    assert_eq!(after.dependency_names(), expected);
    Ok(())
}

#[test]
fn what_waits_in_a_circle_is_told() -> Result<()> {
    let run = sample("in-a-circle").run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        [
            "these wait for each other, so that none of them can be registered: after \
             [test:index:Thing], late [test:index:Thing]. What depends on a component waits for \
             all that is under it"
        ]
    );
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    assert!(run.resource("apart").is_ok(), "{run}");
    Ok(())
}
