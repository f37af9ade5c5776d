//! What a program says to its user.

use anyhow::{Result, bail};
use pulumi_program::{Component, Options, Output, Program};

use crate::{input, text, thing, thing_with};

pub(crate) fn stack(program: &Program) -> Result<()> {
    program.log().debug("looking");
    program.log().info("first");
    program
        .log()
        .warning(format!("{} is careless", program.stack()));
    let part = Component::new(program, "test:index:Group", "part", Options::new());
    let named = thing_with(
        program,
        "named",
        &[input("name", &text("x"))],
        Options::new().parent(&part),
    );
    program.log().about(&part).info("a part");
    let name: Output<String> = named.get_field("name");
    let remark = name.map(|name| format!("{name} is short"));
    program.log().about(&named.get_urn()).warning(&remark);
    let id = named.get_id().map(|id| format!("its id is {id}"));
    program.log().info(&id);
    let password = Output::new_secret("hunter2".to_owned());
    program.log().info(&password);
    Ok(())
}

pub(crate) fn error(program: &Program) -> Result<()> {
    program.log().error("the site is too large");
    thing(program, "site", &[]);
    Ok(())
}

pub(crate) fn and_fail(program: &Program) -> Result<()> {
    let site = thing(program, "site", &[]);
    program.log().warning("the site is large");
    program.log().about(&site.get_urn()).warning("never said");
    bail!("too large")
}
