//! Transforms and hooks.

use std::collections::HashMap;

use anyhow::{Result, bail};
use pulumi_program::{
    Alias, Component, Hook, Options, Output, Program, Transform, When, pulumi_any,
};

use crate::{input, text, thing, thing_with};

pub(crate) fn transforms(program: &Program) -> Result<()> {
    let none: Output<Option<HashMap<String, String>>> = Output::new(None);
    let tags =
        [("name", "ours"), ("team", "own")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let tags: Output<HashMap<String, String>> = Output::new(tags.into());
    thing(program, "before", &[input("tags", &none)]);
    program.transform(Transform::new(|resource| {
        if resource.takes("tags") {
            resource.add_to_map("tags", [("team", "orders")]);
        }
        if resource.r#type() == "test:index:Thing" {
            resource.add_options(Options::new().protect(true).ignore_changes(&["note"]));
        }
    }));
    thing(program, "tagged", &[input("tags", &tags)]);
    thing(program, "untagged", &[input("size", &Output::new(1))]);

    let note = Output::new_secret("hunter2".to_owned());
    let whole = Options::new().transform(Transform::new(move |resource| {
        if !resource.is_component() {
            resource.set("note", pulumi_any!(note.clone()));
            resource.add_options(Options::new().protect(false).alias(Alias::no_parent()));
        }
    }));
    let whole = Component::new(program, "test:index:Part", "whole", whole);
    let part = Component::new(
        program,
        "test:index:Part",
        "part",
        Options::new().parent(&whole),
    );
    let in_part = Options::new().parent(&part);
    thing_with(program, "deep", &[input("note", &text("seen"))], in_part);
    Ok(())
}

/// Wants what no transform can do.
pub(crate) fn moving(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[]);
    let urn = base.get_urn();
    let options = Options::new().transform(Transform::new(move |resource| {
        resource.add_options(Options::new().parent(&urn));
    }));
    thing_with(program, "moved", &[], options);
    Ok(())
}

pub(crate) fn hooks(program: &Program) -> Result<()> {
    let told = |when: &'static str| {
        move |event: pulumi_program::Event| {
            println!(
                "{when} {} [{}] {}",
                event.name,
                event.r#type,
                event
                    .new_inputs
                    .get("size")
                    .unwrap_or(&serde_json::Value::Null)
            );
            Ok(())
        }
    };
    let before = Hook::new(program, "before", told("before"));
    let after = Hook::new(program, "after", told("after"));
    let refuses = Hook::new(program, "refuses", |event| {
        bail!("{} is too large", event.name)
    });
    let size = Output::new(3);
    let options = Options::new().hook(When::BeforeCreate, &before);
    let options = options
        .hook(When::AfterCreate, &after)
        .hook(When::BeforeUpdate, &before);
    let options = options
        .hook(When::BeforeDelete, &before)
        .hook(When::AfterDelete, &after);
    thing_with(program, "small", &[input("size", &size)], options);
    if let Some(large) = program.config().get("large") {
        let options = Options::new().hook(When::BeforeCreate, &refuses);
        thing_with(program, &large.text, &[], options);
    }
    Ok(())
}

pub(crate) fn mistaken(program: &Program) -> Result<()> {
    let base = thing(program, "base", &[input("name", &text("no-urn"))]);
    let name = pulumi_program::Urn::of(&base.get_field("name"));
    let id = pulumi_program::Urn::of(&base.get_id());
    thing_with(program, "after", &[], Options::new().depends_on(&[&name]));
    thing_with(program, "child", &[], Options::new().parent(&id));
    let urn = pulumi_program::Urn::of(&base.get_urn());
    thing_with(program, "good", &[], Options::new().deleted_with(&urn));
    Ok(())
}
