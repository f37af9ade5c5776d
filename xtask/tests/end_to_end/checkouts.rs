//! A second checkout, at a path with spaces, beside this one.

use crate::copy::Copy;
use crate::place::Place;
use anyhow::{Context, Result};
use pulumi_protocol::urn;
use serde_json::Value;
use std::fs;

#[test]
fn two_checkouts_run_at_once_and_a_changed_function_is_updated_alone() -> Result<()> {
    let copy = Copy::new()?;
    let there = Place::of_copy(&copy)?;
    let here = Place::new()?;
    here.xtask(&["up"])?;
    there.xtask(&["up"])?;
    there.assert_clean()?;
    for name in ["clicksEndpoint", "siteUrl"] {
        assert_ne!(here.outputs()?[name], there.outputs()?[name]);
    }
    here.xtask(&["down"])?;
    here.assert_clean()?;
    there.xtask(&["click"])?;

    let source = copy.root.join("lambda/src/main.rs");
    let changed = fs::read_to_string(&source)? + "\n#[used]\nstatic CHANGED: u8 = 1;\n";
    fs::write(&source, changed)?;
    rename_the_repository(&copy)?;
    let preview = there.shell("pulumi preview --json --stack local")?;
    let changes = changes(&serde_json::from_str(&preview)?)?;
    assert_eq!(changes, ["update aws:lambda/function:Function"]);
    there.shell("pulumi up --stack local --yes")?;
    there.shell("pulumi preview --stack local --expect-no-changes")?;
    let repository = |resource: &Value| resource["type"] == "aws:codecommit/repository:Repository";
    let resources = there.resources()?;
    let renamed = resources.iter().find(|one| repository(one));
    let urn = renamed.and_then(|one| one["urn"].as_str());
    assert!(urn.is_some_and(|urn| urn.ends_with("::renamed")), "{urn:?}");
    there.xtask(&["click"])?;
    there.xtask(&["down"])?;
    Ok(())
}

/// Renames a resource in the way of docs/adopting.md, of which a preview says nothing.
fn rename_the_repository(copy: &Copy) -> Result<()> {
    let source = copy.root.join("infra/src/repository.rs");
    let before = fs::read_to_string(&source)?;
    let after = before
        .replace("\"mysfits-processor\",", "\"renamed\",")
        .replace(
            ".parent(&component)",
            ".parent(&component).alias(pulumi_program::Alias::name(\"mysfits-processor\"))",
        );
    assert!(after.contains("renamed") && after.contains("Alias"));
    fs::write(source, after)?;
    Ok(())
}

/// What a preview would do, other than nothing: the operation and the type.
fn changes(preview: &Value) -> Result<Vec<String>> {
    let steps = preview["steps"].as_array().context("no steps")?;
    let mut changes = Vec::new();
    for step in steps {
        let operation = step["op"].as_str().context("no operation")?;
        let urn = step["urn"].as_str().context("no urn")?;
        let kind = urn::parse(urn).context("no URN")?.own_type();
        if operation != "same" {
            changes.push(format!("{operation} {kind}"));
        }
    }
    Ok(changes)
}
