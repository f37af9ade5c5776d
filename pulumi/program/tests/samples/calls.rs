//! Functions with options.

use anyhow::Result;
use pulumi_program::{
    Component, Context, InvokeResourceRequest, Options, Output, Program, RegisterResourceRequest,
};

use crate::{input, resource, text, thing};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let call = |context: &Context, word: &str| -> Output<String> {
        let called = context.invoke_resource(InvokeResourceRequest {
            token: "test:index:echo".to_owned(),
            version: "1.2.3".to_owned(),
            object: &[input("word", &text(word))],
            ..InvokeResourceRequest::default()
        });
        called.get_field("word")
    };
    let with = |word: &str, options| call(&program.calling(options), word);
    let provider = |package: &str, name: &str| {
        let r#type = format!("pulumi:providers:{package}");
        resource(program, &r#type, name, &[], None)
    };
    let (own, other) = (provider("test", "own"), provider("other", "other"));
    let whole = Component::new(
        program,
        "test:index:Part",
        "whole",
        Options::new().provider(&own),
    );
    let part = Options::new().parent(&whole).provider(&other);
    let part = Component::new(program, "test:index:Part", "part", part);
    let base = thing(program, "base", &[input("name", &text("base"))]);

    // It gives nothing that anybody could wait for.
    program.invoke_resource(InvokeResourceRequest {
        token: "test:index:poke".to_owned(),
        version: "1.2.3".to_owned(),
        object: &[input("who", &base.get_field::<String>("name"))],
        ..InvokeResourceRequest::default()
    });

    let words = [
        ("plain", call(program, "plain")),
        (
            "own",
            with("own", Options::new().provider(&own).version("9.9.9")),
        ),
        ("inherited", with("inherited", Options::new().parent(&part))),
        (
            "after",
            with("after", Options::new().depends_on(&[&base.get_urn()])),
        ),
    ];
    let words: Vec<_> = words.iter().map(|(name, word)| input(name, word)).collect();
    thing(program, "user", &words);
    Ok(())
}

/// Takes the options of functions for those of a resource.
pub(crate) fn confused(program: &Program) -> Result<()> {
    let functions = program.calling(Options::new().version("9.9.9"));
    functions.register_resource(RegisterResourceRequest {
        type_: "test:index:Thing".to_owned(),
        name: "base".to_owned(),
        version: String::new(),
        object: &[],
        options: None,
        ..RegisterResourceRequest::default()
    });
    Ok(())
}
