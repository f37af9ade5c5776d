//! Resources that depend on each other in every way that a program can say.

use anyhow::Result;
use pulumi_program::{InvokeResourceRequest, Options, Output, Program, all, pulumi_any};

use crate::{input, text, thing, thing_with};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let alone = thing(program, "alone", &[input("size", &Output::new(3))]);
    let base = thing(program, "base", &[]);

    let arn: Output<String> = base.get_field("arn");
    thing(
        program,
        "mapped",
        &[
            input("target", &arn.map(|arn| format!("{arn}/*"))),
            input("plain", &text("x")),
        ],
    );

    let both: Output<String> =
        all((&base.get_id(), &alone.get_id())).map(|(base, alone)| format!("{base}+{alone}"));
    thing(
        program,
        "combined",
        &[input("both", &both), input("one", &alone.get_id())],
    );

    let document = Output::new(pulumi_any!({
        "statements": [{ "resource": arn.clone() }, { "resource": "*" }]
    }));
    thing(program, "nested", &[input("document", &document)]);

    thing_with(
        program,
        "told",
        &[input("plain", &text("x"))],
        Options::new().depends_on(&[&base.get_urn()]),
    );

    let other = alone.get_id();
    let chosen = arn.and_then(move |_| other.clone());
    thing(program, "chosen", &[input("id", &chosen)]);

    let looked_up = program.invoke_resource(InvokeResourceRequest {
        token: "test:index:lookUp".to_owned(),
        version: "1.2.3".to_owned(),
        object: &[input("arn", &arn)],
        ..InvokeResourceRequest::default()
    });
    let found: Output<String> = looked_up.get_field("found");
    thing(program, "looked-up", &[input("found", &found)]);

    program.export("arn", &arn);
    program.export("both", &both);
    Ok(())
}

/// A row of resources, each of which depends on the one before.
pub(crate) fn row(program: &Program) -> Result<()> {
    let mut id = text("start");
    let length = program.config().require("length")?.text.parse()?;
    for number in 0..length {
        id = thing(program, &format!("row-{number}"), &[input("id", &id)]).get_id();
    }
    program.export("last", &id);
    Ok(())
}
