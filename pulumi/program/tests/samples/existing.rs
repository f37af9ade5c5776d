//! What exists already: resources that are only read, and the outputs of another stack.

use anyhow::Result;
use pulumi_program::{Component, Options, Output, Program, StackReference};

use crate::{input, resource, text, thing, thing_with};

/// Reads the things with the ids in `project:id`, and with that of one that it creates.
pub(crate) fn resources(program: &Program) -> Result<()> {
    let id = program.config().require("id")?.output();
    let read = thing_with(
        program,
        "read",
        &[input("near", &text("here"))],
        Options::new().existing(id).protect(true),
    );
    let created = thing(program, "created", &[input("name", &text("new"))]);
    let again = thing_with(
        program,
        "again",
        &[],
        Options::new().existing(created.get_id()),
    );
    thing(
        program,
        "user",
        &[
            input("id", &read.get_id()),
            input("name", &read.get_field::<Option<String>>("name")),
            input("absent", &read.get_field::<Option<String>>("absent")),
            input("again", &again.get_field::<String>("name")),
            input("id-again", &again.get_id().map(|id| format!("the {id}"))),
        ],
    );
    Ok(())
}

/// Reads under components, whose providers nobody else hands down.
pub(crate) fn providers(program: &Program) -> Result<()> {
    let provider = |package: &str, name: &str| {
        let r#type = format!("pulumi:providers:{package}");
        resource(program, &r#type, name, &[], None)
    };
    let (outer, inner) = (provider("test", "outer"), provider("other", "inner"));
    let part = |name: &str, options| Component::new(program, "test:index:Part", name, options);
    let whole = part("whole", Options::new().provider(&outer));
    let part = part("part", Options::new().parent(&whole).provider(&inner));
    let in_part = Options::new().parent(&part).existing("x");
    thing_with(program, "inherited", &[], in_part.clone());
    thing_with(program, "own", &[], in_part.provider(&inner));
    thing_with(program, "outside", &[], Options::new().existing("x"));
    Ok(())
}

pub(crate) fn stack(program: &Program) -> Result<()> {
    let other = StackReference::new(
        program,
        "other",
        "organization/project/other",
        Options::new(),
    );
    let parts: Output<Vec<String>> = other.output("parts");
    let word: Output<String> = other.output("word");
    let absent: Output<Option<String>> = other.output("absent");
    thing(
        program,
        "user",
        &[
            input("parts", &parts),
            input("word", &word.map(|word| word.to_uppercase())),
            input("absent", &absent),
        ],
    );
    if let Some(name) = program.config().get("output") {
        program.export("asked", &other.output::<String>(&name.text));
    }
    Ok(())
}

/// Hands on what the stack `test` has exported.
pub(crate) fn referring(program: &Program) -> Result<()> {
    let other = StackReference::new(
        program,
        "other",
        "organization/project/test",
        Options::new(),
    );
    program.export("parts", &other.output::<Vec<String>>("parts"));
    let absent: Output<Option<String>> = other.output("absent");
    program.export(
        "absent",
        &absent.map(|absent| absent.unwrap_or("nothing".to_owned())),
    );
    Ok(())
}
