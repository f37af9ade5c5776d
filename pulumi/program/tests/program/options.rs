//! The options of a resource, as the engine gets them.

use anyhow::Result;
use pulumi_mock::{Alias, FAILED_AND_REPORTED, Options, Run};

use crate::{SAMPLES, sample, thing};

fn options_of(run: &Run, name: &str) -> Result<Options> {
    let resource = run.resource(name)?;
    // Every resource says the version of its binding, if it says no other.
    assert!(resource.options.version.is_some(), "{name}");
    let mut options = resource.options.clone();
    if options.version.as_deref() == Some("1.2.3") {
        options.version = None;
    }
    Ok(options)
}

#[test]
fn each_option_arrives_and_nothing_else() -> Result<()> {
    let run = sample("options").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let base = Options::default;
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();

    let cases = [
        ("none", base()),
        ("parent", base()),
        ("depends-on", base()),
        (
            "protect",
            Options {
                protect: Some(true),
                ..base()
            },
        ),
        (
            "no-protect",
            Options {
                protect: Some(false),
                ..base()
            },
        ),
        (
            "retain",
            Options {
                retain_on_delete: Some(true),
                ..base()
            },
        ),
        (
            "delete-first",
            Options {
                delete_before_replace: Some(true),
                ..base()
            },
        ),
        (
            "delete-last",
            Options {
                delete_before_replace: Some(false),
                ..base()
            },
        ),
        (
            "ignore",
            Options {
                ignore_changes: texts(&["tags", "rules[0].name"]),
                ..base()
            },
        ),
        (
            "replace",
            Options {
                replace_on_changes: texts(&["size"]),
                ..base()
            },
        ),
        (
            "secret-outputs",
            Options {
                additional_secret_outputs: texts(&["key"]),
                ..base()
            },
        ),
        (
            "import",
            Options {
                import: Some("vpc-1".to_owned()),
                ..base()
            },
        ),
        (
            "version",
            Options {
                version: Some("9.9.9".to_owned()),
                ..base()
            },
        ),
        (
            "deleted-with",
            Options {
                deleted_with: Some(thing("base")),
                ..base()
            },
        ),
        (
            "timeouts",
            Options {
                timeouts: [("create", "10m".to_owned())].into(),
                ..base()
            },
        ),
    ];
    let cases = cases.into_iter().chain([
        (
            "hide",
            Options {
                hide_diffs: texts(&["note"]),
                ..base()
            },
        ),
        (
            "triggered",
            Options {
                replacement_trigger: Some("of base-id".into()),
                ..base()
            },
        ),
        (
            "replaced-with",
            Options {
                replace_with: vec![thing("base")],
                ..base()
            },
        ),
        (
            "elsewhere",
            Options {
                plugin_download_url: Some("https://example.org".to_owned()),
                ..base()
            },
        ),
        (
            "variables",
            Options {
                environment_variables: [("TOKEN".to_owned(), "OUR_TOKEN".to_owned())].into(),
                ..base()
            },
        ),
    ]);
    for (name, expected) in cases {
        assert_eq!(options_of(&run, name)?, expected, "{name}");
    }
    Ok(())
}

#[test]
fn parents_and_dependencies_are_urns() -> Result<()> {
    let run = sample("options").run(SAMPLES)?;
    assert_eq!(run.resource("parent")?.parent, thing("base"));
    assert_eq!(run.resource("none")?.parent, run.stack_urn);
    assert_eq!(
        run.resource("depends-on")?.dependencies,
        [thing("base"), thing("other")].into()
    );
    // A parent is no dependency.
    assert!(run.resource("parent")?.dependencies.is_empty());
    Ok(())
}

#[test]
fn aliases_say_what_a_resource_was() -> Result<()> {
    let run = sample("options").run(SAMPLES)?;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        options_of(&run, "aliases")?.aliases,
        [
            Alias {
                urn: Some(thing("first")),
                ..Alias::default()
            },
            Alias {
                name: some("second"),
                ..Alias::default()
            },
            Alias {
                r#type: some("test:index:Old"),
                ..Alias::default()
            },
            Alias {
                parent: Some(thing("base")),
                ..Alias::default()
            },
            Alias {
                name: some("third"),
                no_parent: true,
                ..Alias::default()
            },
            Alias {
                r#type: some("test:index:Old"),
                project: some("former"),
                stack: some("old"),
                ..Alias::default()
            },
        ]
    );
    assert!(run.resource("aliases")?.request.alias_specs);
    Ok(())
}

#[test]
fn what_an_engine_does_not_know_is_refused_with_the_one_that_does() -> Result<()> {
    for (feature, resource, option) in [
        ("deletedWith", "deleted-with", "`deleted_with`"),
        ("replaceWith", "replaced-with", "`replace_with`"),
        ("replacementTrigger", "triggered", "`replacement_trigger`"),
    ] {
        let run = sample("options").without_feature(feature).run(SAMPLES)?;
        let [error] = run.errors()[..] else {
            anyhow::bail!("{run}");
        };
        let says = format!(
            "{resource} [test:index:Thing] was not registered: this Pulumi CLI does not know \
             {option}, and would ignore it: install Pulumi 3.217.0 or newer"
        );
        assert!(error.starts_with(&says), "{error}");
        assert!(run.resource(resource).is_err(), "{run}");
        assert!(run.resource("protect").is_ok(), "{run}");
        assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    }
    Ok(())
}

#[test]
fn an_engine_that_is_too_old_is_told_from_the_start() -> Result<()> {
    for version in ["3.100.0", "3.216.9"] {
        let run = sample("options").version(version).run(SAMPLES)?;
        let [error] = run.errors()[..] else {
            anyhow::bail!("{run}");
        };
        assert!(
            error.contains("install Pulumi 3.217.0 or newer, with"),
            "{error}"
        );
        assert!(
            run.resources.is_empty() && run.stack_urn.is_empty(),
            "{run}"
        );
        assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    }
    assert_eq!(
        sample("options").version("3.217.0").run(SAMPLES)?.exit_code,
        Some(0)
    );
    Ok(())
}

#[test]
fn a_provider_is_referred_to_by_urn_and_id() -> Result<()> {
    let urn = "urn:pulumi:test::project::pulumi:providers:test::provider";
    let reference = |id: &str| Some(format!("{urn}::{id}"));
    let run = sample("options").run(SAMPLES)?;
    assert_eq!(
        options_of(&run, "own-provider")?.provider,
        reference("provider-id")
    );

    let preview = sample("options").preview().run(SAMPLES)?;
    let unknown = pulumi_protocol::UNKNOWN;
    assert_eq!(
        options_of(&preview, "own-provider")?.provider,
        reference(unknown)
    );
    assert_eq!(preview.exit_code, Some(0));
    Ok(())
}
