//! A program whose resources are listed in its configuration, as a list under `project:things`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use pulumi_program::{
    Alias, Component, Options, Output, Program, Provider, Timeouts, Urn, pulumi_any,
};
use serde::Deserialize;

use crate::{input, resource, text, thing_with};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Thing {
    name: String,
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    /// Inputs that are the id of an earlier thing.
    #[serde(default)]
    uses: BTreeMap<String, String>,
    /// Earlier things, or components with all that is under them.
    #[serde(default)]
    depends_on: Vec<String>,
    component: Option<String>,
    protect: Option<bool>,
    retain_on_delete: Option<bool>,
    delete_before_replace: Option<bool>,
    #[serde(default)]
    ignore_changes: Vec<String>,
    #[serde(default)]
    hide_diffs: Vec<String>,
    replacement_trigger: Option<String>,
    /// Earlier things.
    #[serde(default)]
    replace_with: Vec<String>,
    read_timeout: Option<String>,
    former_name: Option<String>,
    #[serde(default)]
    formerly_without_component: bool,
    import: Option<String>,
    /// A provider reference.
    provider: Option<String>,
    /// A provider of its own, with the inputs of the thing.
    #[serde(default)]
    own_provider: bool,
    /// Computes an input in a closure that panics.
    #[serde(default)]
    panics: bool,
    /// The same, in one that ends the process as if all were well.
    #[serde(default)]
    exits: bool,
}

pub(crate) fn stack(program: &Program) -> Result<()> {
    let things = &program.config().require("things")?.text;
    let things: Vec<Thing> = serde_json::from_str(things).context("project:things")?;
    let mut components: BTreeMap<String, Component> = BTreeMap::new();
    let mut made: BTreeMap<String, (Output<String>, Urn)> = BTreeMap::new();
    for thing in things {
        let mut inputs: BTreeMap<String, Output<String>> = BTreeMap::new();
        for (name, value) in &thing.inputs {
            inputs.insert(name.clone(), text(value));
        }
        for (name, value) in &thing.secrets {
            inputs.insert(name.clone(), Output::new_secret(value.clone()));
        }
        for (name, other) in &thing.uses {
            let (id, _) = made.get(other).with_context(|| format!("no {other} yet"))?;
            let (panics, exits) = (thing.panics, thing.exits);
            let id = id.map(move |id| {
                assert!(!panics, "cannot compute with {id}");
                if exits {
                    std::process::exit(0);
                }
                id
            });
            inputs.insert(name.clone(), id);
        }
        let urns: Vec<_> = thing
            .depends_on
            .iter()
            .filter_map(|other| Some(&made.get(other)?.1))
            .collect();
        let parts: Vec<_> = thing
            .depends_on
            .iter()
            .filter_map(|other| components.get(other))
            .collect();
        let mut options = options(&thing).depends_on(&urns).depends_on(&parts);
        let together = thing.replace_with.iter();
        let together = together.filter_map(|other| Some(&made.get(other)?.1));
        options = options.replace_with(&together.collect::<Vec<_>>());
        if let Some(name) = &thing.component {
            let component = components.entry(name.clone()).or_insert_with(|| {
                Component::new(program, "test:index:Group", name, Options::new())
            });
            options = options.parent(component);
        }
        let fields: Vec<_> = inputs
            .iter()
            .map(|(name, value)| input(name, value))
            .collect();
        if let Some(reference) = &thing.provider {
            options = options.provider(&Reference(text(reference)));
        }
        if thing.own_provider {
            let kind = "pulumi:providers:test";
            options = options.provider(&resource(program, kind, &thing.name, &fields, None));
        }
        let resource = thing_with(program, &thing.name, &fields, options);
        program.export(&thing.name, &resource.get_id());
        made.insert(thing.name, (resource.get_id(), resource.get_urn()));
    }
    Ok(())
}

struct Reference(Output<String>);

impl Provider for Reference {
    fn get_provider_id(&self) -> Output<String> {
        self.0.clone()
    }
}

fn options(thing: &Thing) -> Options {
    let mut options = Options::new();
    if let Some(protect) = thing.protect {
        options = options.protect(protect);
    }
    if let Some(retain) = thing.retain_on_delete {
        options = options.retain_on_delete(retain);
    }
    if let Some(delete) = thing.delete_before_replace {
        options = options.delete_before_replace(delete);
    }
    for path in &thing.ignore_changes {
        options = options.ignore_changes(&[path]);
    }
    for path in &thing.hide_diffs {
        options = options.hide_diffs(&[path]);
    }
    if let Some(value) = &thing.replacement_trigger {
        options = options.replacement_trigger(pulumi_any!(value.clone()));
    }
    if thing.read_timeout.is_some() {
        options = options.timeouts(Timeouts {
            read: thing.read_timeout.clone(),
            ..Timeouts::default()
        });
    }
    if let Some(name) = &thing.former_name {
        options = options.alias(Alias::name(name));
    }
    if thing.formerly_without_component {
        options = options.alias(Alias::no_parent());
    }
    if let Some(id) = &thing.import {
        options = options.import(id);
    }
    options
}
