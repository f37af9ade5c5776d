//! Resources that one context remembers, for another resource.

use anyhow::Result;
use pulumi_program::{Context, Options, Output, Program, Recording, RegisterResourceRequest};

use crate::{input, text, thing};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let routes = Recording::new(program);
    let base = thing(program, "base", &[]);
    let size: Output<String> = base.get_field("size");
    let unset = Output::new(None::<String>);
    let weight = Output::new(2.0);
    route(
        &routes,
        "second",
        &[input("size", &size), input("unset", &unset)],
    );
    route(&routes, "first", &[input("weight", &weight)]);
    thing(program, "another", &[input("size", &size)]);

    let definitions = routes.definitions().map(|all| all.to_string());
    let urns = routes.urns();
    let options = Options::new().depends_on(&urns.iter().collect::<Vec<_>>());
    crate::thing_with(program, "deployment", &[input("of", &definitions)], options);
    if program.config().get("late").is_some() {
        route(&routes, "late", &[input("path", &text("/late"))]);
    }
    Ok(())
}

fn route(context: &Context, name: &str, inputs: &[pulumi_program::ResourceRequestObjectField]) {
    context.register_resource(RegisterResourceRequest {
        type_: "test:index:Route".to_owned(),
        name: name.to_owned(),
        version: "1.2.3".to_owned(),
        object: inputs,
        options: Some(Options::new()),
        ..RegisterResourceRequest::default()
    });
}
