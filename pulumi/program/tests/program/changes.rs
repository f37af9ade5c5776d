//! Transforms, hooks, and what is taken for a resource.

use anyhow::Result;
use pulumi_mock::FAILED_AND_REPORTED;
use pulumi_mock::value::secret;
use serde_json::json;

use crate::{SAMPLES, sample, thing};

#[test]
fn a_transform_changes_every_resource() -> Result<()> {
    let run = sample("transforms").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let inputs = |name: &str| anyhow::Ok(run.resource(name)?.inputs.clone());
    assert_eq!(inputs("before")?, json!({ "tags": { "team": "orders" } }));
    assert_eq!(
        inputs("tagged")?,
        json!({ "tags": { "name": "ours", "team": "own" } })
    );
    assert_eq!(inputs("untagged")?, json!({ "size": 1 }));
    for name in ["before", "tagged", "untagged"] {
        let options = &run.resource(name)?.options;
        assert_eq!(options.protect, Some(true), "{name}");
        assert_eq!(options.ignore_changes, ["note"], "{name}");
    }
    Ok(())
}

#[test]
fn a_transform_of_a_component_changes_what_is_under_it() -> Result<()> {
    let run = sample("transforms").run(SAMPLES)?;
    let deep = run.resource("deep")?;
    assert_eq!(deep.inputs, json!({ "note": secret("hunter2") }));
    assert_eq!(deep.options.aliases.len(), 1);
    // That of the program comes last.
    assert_eq!(deep.options.protect, Some(true));
    Ok(())
}

#[test]
fn a_transform_moves_nothing() -> Result<()> {
    let run = sample("moving").run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        [
            "moved [test:index:Thing] was not registered: a transform gives it a parent, or makes it \
             an existing resource, and can do neither"
        ]
    );
    Ok(())
}

#[test]
fn hooks_are_called_by_the_engine() -> Result<()> {
    let run = sample("hooks").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let told = "before small [test:index:Thing] 3\nafter small [test:index:Thing] 3\n";
    assert_eq!(run.stdout, told);
    let hooks = &run.resource("small")?.options.hooks;
    assert_eq!(hooks["after_delete"], ["after"]);

    let run = sample("hooks")
        .config("project:large", "big")
        .run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        ["big [test:index:Thing] was not registered: the hook refuses failed: big is too large"]
    );
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));

    let preview = sample("hooks").preview().run(SAMPLES)?;
    assert_eq!((preview.exit_code, preview.stdout.as_str()), (Some(0), ""));
    Ok(())
}

#[test]
fn an_engine_without_hooks_is_told_once() -> Result<()> {
    let run = sample("hooks")
        .without_feature("resourceHooks")
        .run(SAMPLES)?;
    assert!(run.resource("small").is_err(), "{run}");
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    assert!(run.errors()[0].contains("does not know hooks"), "{run}");
    Ok(())
}

#[test]
fn what_is_no_urn_is_refused_in_the_preview() -> Result<()> {
    for (mock, id) in [
        (
            sample("mistaken"),
            "its parent is no URN but 'base-id': give the resource, or its output `urn`",
        ),
        (
            sample("mistaken").preview(),
            "the URN of its parent is not known: that of a resource of this program always is",
        ),
    ] {
        let run = mock.run(SAMPLES)?;
        let mut errors = run.errors();
        errors.sort_unstable();
        assert_eq!(
            errors,
            [
                "after [test:index:Thing] was not registered: what it depends on is no URN but \
                 'no-urn': give the resource, or its output `urn`"
                    .to_owned(),
                format!("child [test:index:Thing] was not registered: {id}"),
            ]
        );
        assert_eq!(
            run.resource("good")?.options.deleted_with,
            Some(thing("base"))
        );
    }
    Ok(())
}
