//! Each option of a resource, once.

use anyhow::Result;
use pulumi_program::{Alias, Options, Program, Timeouts, pulumi_any};

use crate::{resource, thing, thing_with};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let plain = |name: &str| resource(program, "test:index:Thing", name, &[], None);
    let with = |name: &str, options: Options| thing_with(program, name, &[], options);
    let base = plain("base");
    let urn = base.get_urn();

    with("none", Options::new());
    with("parent", Options::new().parent(&urn));
    with(
        "depends-on",
        Options::new().depends_on(&[&urn, &thing(program, "other", &[]).get_urn()]),
    );
    with("protect", Options::new().protect(true));
    with("no-protect", Options::new().protect(false));
    with("retain", Options::new().retain_on_delete(true));
    with("delete-first", Options::new().delete_before_replace(true));
    with("delete-last", Options::new().delete_before_replace(false));
    with(
        "ignore",
        Options::new().ignore_changes(&["tags", "rules[0].name"]),
    );
    with("replace", Options::new().replace_on_changes(&["size"]));
    with(
        "secret-outputs",
        Options::new().additional_secret_outputs(&["key"]),
    );
    with("import", Options::new().import("vpc-1"));
    with("version", Options::new().version("9.9.9"));
    with("deleted-with", Options::new().deleted_with(&urn));
    with(
        "timeouts",
        Options::new().timeouts(Timeouts {
            read: Some("5m".to_owned()),
            create: Some("10m".to_owned()),
            ..Timeouts::default()
        }),
    );
    with(
        "aliases",
        Options::new()
            .alias(Alias::urn(
                "urn:pulumi:test::project::test:index:Thing::first",
            ))
            .alias(Alias::name("second"))
            .alias(Alias::r#type("test:index:Old"))
            .alias(Alias::parent(&urn))
            .alias(Alias::name("third").with_no_parent())
            .alias(
                Alias::project("former")
                    .with_stack("old")
                    .with_type("test:index:Old"),
            ),
    );

    with("hide", Options::new().hide_diffs(&["note"]));
    let trigger = base.get_id().map(|id| format!("of {id}"));
    with(
        "triggered",
        Options::new().replacement_trigger(pulumi_any!(trigger)),
    );
    with("replaced-with", Options::new().replace_with(&[&base]));
    with(
        "elsewhere",
        Options::new().plugin_download_url("https://example.org"),
    );
    let variables = Options::new().environment_variable("TOKEN", "OUR_TOKEN");
    resource(
        program,
        "pulumi:providers:other",
        "variables",
        &[],
        Some(variables),
    );
    let provider = resource(program, "pulumi:providers:test", "provider", &[], None);
    with("own-provider", Options::new().provider(&provider));
    Ok(())
}
