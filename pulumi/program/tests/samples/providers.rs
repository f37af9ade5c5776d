//! Providers, and who inherits them; dependencies on whole components.

use anyhow::Result;
use pulumi_program::{
    Component, Context, InvokeResourceRequest, Options, Program, ResourceRequestObjectField,
};

use crate::{input, resource, thing, thing_with};

fn provider(program: &Program, package: &str, name: &str) -> pulumi_program::CompositeOutput {
    resource(
        program,
        &format!("pulumi:providers:{package}"),
        name,
        &[],
        None,
    )
}

fn call(context: &Context, token: &str) {
    let arguments: &[ResourceRequestObjectField] = &[];
    context.invoke_resource(InvokeResourceRequest {
        token: token.to_owned(),
        version: "1.2.3".to_owned(),
        object: arguments,
        ..InvokeResourceRequest::default()
    });
}

/// What is under a custom resource that has a provider of its own.
pub(crate) fn under_a_resource(program: &Program) -> Result<()> {
    let east = provider(program, "test", "east");
    let west = provider(program, "test", "west");
    let base = thing_with(program, "base", &[], Options::new().provider(&east));
    let under = Options::new().parent(&base.get_urn());
    thing_with(program, "read", &[], under.clone().existing("x"));
    let custom = thing_with(program, "custom", &[], under.clone());
    let deeper = Options::new().parent(&custom.get_urn());
    thing_with(program, "deeper", &[], deeper.existing("x"));
    thing_with(program, "own", &[], under.clone().provider(&west));
    call(&program.calling(under.clone()), "test:index:lookUp");
    let part = Component::new(program, "test:index:Part", "part", under);
    let in_part = Options::new().parent(&part);
    thing_with(program, "in-part", &[], in_part.clone());
    thing_with(program, "read-in-part", &[], in_part.existing("x"));
    Ok(())
}

/// Options with a provider are cloned for resources of another package.
pub(crate) fn of_another_package(program: &Program) -> Result<()> {
    let east = provider(program, "test", "east");
    let options = Options::new().provider(&east);
    let foreign = |name: &str, options| {
        resource(program, "other:index:Thing", name, &[], Some(options)).get_urn()
    };
    let urn = foreign("foreign", options.clone());
    let _ = foreign("read", options.clone().existing("x"));
    thing_with(program, "thing", &[], options.clone());
    // It still counts for resources under this one.
    thing_with(program, "under", &[], Options::new().parent(&urn));
    call(&program.calling(options), "other:index:lookUp");
    Ok(())
}

/// A resource that depends on a component, of which most comes later.
pub(crate) fn late_members(program: &Program) -> Result<()> {
    let whole = Component::new(program, "test:index:Part", "whole", Options::new());
    thing_with(program, "after", &[], Options::new().depends_on(&[&whole]));
    let in_whole = Options::new().parent(&whole);
    thing_with(program, "late", &[], in_whole.clone());
    let part = Component::new(program, "test:index:Part", "part", in_whole);
    thing_with(program, "later", &[], Options::new().parent(&part));
    Ok(())
}

/// A resource that depends on a component in which another one needs it.
pub(crate) fn in_a_circle(program: &Program) -> Result<()> {
    let whole = Component::new(program, "test:index:Part", "whole", Options::new());
    let after = thing_with(program, "after", &[], Options::new().depends_on(&[&whole]));
    let id = after.get_id().map(|id| id);
    let in_whole = Options::new().parent(&whole);
    thing_with(program, "late", &[input("id", &id)], in_whole);
    thing(program, "apart", &[]);
    Ok(())
}
