//! Values of every kind, in both directions.

use std::collections::HashMap;

use anyhow::Result;
use pulumi_gestalt_model::{PulumiValue, PulumiValueContent as Content};
use pulumi_program::{
    FileArchive, FileAsset, InvokeResourceRequest, Output, Program, PulumiAny, StringAsset, all,
    format_output, pulumi_any,
};

use crate::{input, resource, text, thing};

pub(crate) fn stack(program: &Program) -> Result<()> {
    let password = program.config().require("password")?.output();
    let source = thing(
        program,
        "inputs",
        &[
            input("integer", &Output::new(7)),
            input("fraction", &Output::new(0.5)),
            input("large", &Output::new(5_000_000_000.0)),
            input("flag", &Output::new(true)),
            input("unset", &Output::new(None::<String>)),
            input("set", &Output::new(Some("here".to_owned()))),
            input("list", &Output::new(vec![Some(1), None, Some(3)])),
            input(
                "nested",
                &Output::new(pulumi_any!({ "a": null, "b": { "c": null }, })),
            ),
            input("secret", &password),
            input("derived", &password.map(|password| format!("{password}!"))),
            input(
                "deep",
                &Output::new(pulumi_any!({ "list": ["x", password.clone()], "y": 1 })),
            ),
            input("exactly", &Output::new(secret_part())),
            input(
                "archive",
                &Output::new(HashMap::from(FileArchive::new("f.zip"))),
            ),
            input(
                "file",
                &Output::new(HashMap::from(FileAsset::new("index.html"))),
            ),
            input(
                "text",
                &text("body").map(|text| HashMap::from(StringAsset::new(text))),
            ),
        ],
    );

    // What came back goes in again.
    let count: Output<f64> = source.get_field("count");
    let small: Output<i32> = source.get_field("small");
    let rate: Output<f64> = source.get_field("rate");
    let settings: Output<HashMap<String, String>> = source.get_field("settings");
    let absent: Output<Option<String>> = source.get_field("absent");
    let code: Output<PulumiAny> = source.get_field_any("archive");
    thing(
        program,
        "outputs",
        &[
            input("count", &count),
            input("small", &small.map(|small| small + 1)),
            input("rate", &rate.map(|rate| rate + 1.0)),
            input("user", &settings.map(|settings| settings["user"].clone())),
            input("absent", &absent),
            input("code", &code),
            input("password", &source.get_field::<String>("secret")),
        ],
    );
    let word = absent.map(|absent| absent.unwrap_or("nothing".to_owned()));
    thing(program, "told", &[input("word", &word)]);
    let hashed = program.invoke_resource(InvokeResourceRequest {
        token: "test:index:hash".to_owned(),
        version: String::new(),
        object: &[input("text", &password)],
        ..InvokeResourceRequest::default()
    });
    let hash: Output<String> = hashed.get_field("hash");
    let several = all(vec![text("x"), hash, source.get_field("set")]);
    thing(program, "gathered", &[input("several", &several)]);
    // Not of this type, but never used.
    let _: Output<bool> = source.get_field("set");
    program.export("password", &password);
    program.export("nothing", &absent);
    Ok(())
}

/// Texts made of outputs.
pub(crate) fn texts(program: &Program) -> Result<()> {
    let one = thing(program, "one", &[input("size", &Output::new(7))]);
    let two = thing(program, "two", &[]);
    let size: Output<i32> = one.get_field("size");
    let secret = Output::new_secret("hunter2".to_owned());
    let name = "plain".to_owned();
    let id = two.get_id();
    thing(
        program,
        "told",
        &[
            input("none", &format_output!("{{}} and nothing")),
            input(
                "both",
                &format_output!("{}:{size:>3}:{0}", one.get_id(), size = &size),
            ),
            input("hidden", &format_output!("{}/{}", name, secret)),
            input("urn", &format_output!("of {}", one.get_urn())),
            input(
                "many",
                &format_output!("{id}{id:?}{a}{b}{c}", a = 1, b = 'x', c = true, id = id),
            ),
        ],
    );
    Ok(())
}

/// A plain map with one secret in it, as `PulumiValue` can say it.
fn secret_part() -> PulumiValue {
    let string = |text: &str, secret| PulumiValue {
        content: Content::String(text.to_owned()),
        secret,
        dependencies: Default::default(),
    };
    PulumiValue {
        content: Content::Object(vec![
            ("user".to_owned(), string("ann", false)),
            ("password".to_owned(), string("hunter2", true)),
        ]),
        secret: false,
        dependencies: Default::default(),
    }
}

pub(crate) fn unknowns(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[input("name", &text("known"))]);
    let arn: Output<String> = base.get_field("arn");
    let name: Output<String> = base.get_field("name");
    let dependent = thing(
        program,
        "dependent",
        &[
            input("arn", &arn),
            input("derived", &arn.map(|arn| format!("{arn}/*"))),
            input("id", &base.get_id()),
            input("name", &name),
            input(
                "nested",
                &Output::new(pulumi_any!({ "arn": arn.clone(), "name": name.clone() })),
            ),
            input("secret", &arn.secret()),
            input(
                "whole",
                &base.get_field::<HashMap<String, String>>("settings"),
            ),
        ],
    );
    // Partly known, as the dependent's output of the same name.
    let nested: Output<HashMap<String, String>> = dependent.get_field("nested");
    let part = nested.map(|nested| nested["name"].clone());
    thing(program, "third", &[input("part", &part)]);
    program.export("arn", &arn);
    program.export("name", &name);
    Ok(())
}

pub(crate) fn provider(program: &Program) -> Result<()> {
    let password = program.config().require("password")?.output();
    resource(
        program,
        "pulumi:providers:test",
        "provider",
        &[
            input("region", &text("eu-west-1")),
            input("retries", &Output::new(3)),
            input(
                "tags",
                &Output::new(pulumi_any!({ "a": "b", "unset": null })),
            ),
            input(
                "account",
                &Output::new(pulumi_any!({ "password": password })),
            ),
        ],
        None,
    );
    Ok(())
}
