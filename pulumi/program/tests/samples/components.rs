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
    let other = resource(program, "pulumi:providers:other", "other", &[], None);
    let elsewhere = Options::new().provider(&provider).provider(&other);
    let elsewhere = Component::new(program, "test:index:Elsewhere", "elsewhere", elsewhere);
    let read = Options::new().parent(&elsewhere).existing("x");
    thing_with(program, "there", &[], read);
    let beside = Some(Options::new().parent(&elsewhere));
    resource(program, "other:index:Thing", "beside", &[], beside);
    outer.output("leaf", &leaf.get_id());
    outer.output("word", &text("hello"));
    program.export("leaf", &leaf.get_id());
    Ok(())
}
