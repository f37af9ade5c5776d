//! A component with another one in it.

use anyhow::Result;
use pulumi_program::{Component, Options, Output, Program};

use crate::{input, resource, text, thing, thing_with};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let outer = Component::new(program, "test:index:Outer", "outer", Options::new());
    let inner = Component::new(
        program,
        "test:index:Inner",
        "inner",
        Options::new().parent(&outer).protect(true),
    );
    let leaf = thing_with(
        program,
        "leaf",
        &[input("size", &Output::new(1))],
        Options::new().parent(&inner),
    );
    let after = |name: &str, options: Options| {
        thing_with(program, name, &[], options.depends_on(&[&outer]));
    };
    after("after", Options::new());
    after("within", Options::new().parent(&inner));
    thing(program, "outside", &[input("leaf", &leaf.get_id())]);
    let provider = resource(program, "pulumi:providers:test", "provider", &[], None);
    Component::new(
        program,
        "test:index:Elsewhere",
        "elsewhere",
        Options::new().provider(&provider),
    );
    outer.output("leaf", &leaf.get_id());
    outer.output("word", &text("hello"));
    program.export("leaf", &leaf.get_id());
    Ok(())
}
