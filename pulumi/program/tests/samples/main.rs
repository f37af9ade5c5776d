//! The programs that the tests run: config `project:program` names one.

mod assets;
mod calls;
mod changes;
mod components;
mod described;
mod existing;
mod failures;
mod generated;
mod gestalt;
mod graph;
mod log;
mod numbers;
mod options;
mod providers;
mod recording;
mod secrets;
mod settings;
mod values;

use std::process::ExitCode;

use anyhow::bail;
use pulumi_program::{
    CompositeOutput, Context, Options, Output, RegisterResourceRequest, ResourceRequestObjectField,
    ToPulumiValue,
};

fn main() -> ExitCode {
    let config = std::env::var("PULUMI_CONFIG").unwrap_or_default();
    if config.contains("of-gestalt") {
        return gestalt::main();
    }
    let code =
        pulumi_program::run(
            |program| match program.config().require("program")?.text.as_str() {
                "described" => described::stack(program),
                "assets" => assets::stack(program),
                "calls" => calls::stack(program),
                "confused-calls" => calls::confused(program),
                "graph" => graph::stack(program),
                "row" => graph::row(program),
                "values" => values::stack(program),
                "unknowns" => values::unknowns(program),
                "provider" => values::provider(program),
                "secrets" => secrets::stack(program),
                "settings" => settings::stack(program),
                "numbers" => numbers::stack(program),
                "inexact" => numbers::inexact(program),
                "inexact-argument" => numbers::inexact_argument(program),
                "inexact-export" => numbers::inexact_export(program),
                "read" => numbers::read(program),
                "log" => log::stack(program),
                "log-error" => log::error(program),
                "log-and-fail" => log::and_fail(program),
                "options" => options::stack(program),
                "under-a-resource" => providers::under_a_resource(program),
                "of-another-package" => providers::of_another_package(program),
                "late-members" => providers::late_members(program),
                "in-a-circle" => providers::in_a_circle(program),
                "transforms" => changes::transforms(program),
                "moving" => changes::moving(program),
                "hooks" => changes::hooks(program),
                "mistaken" => changes::mistaken(program),
                "configured" => settings::configured(program),
                "file" => settings::file(program),
                "texts" => values::texts(program),
                "recording" => recording::stack(program),
                "components" => components::stack(program),
                "existing" => existing::resources(program),
                "existing-providers" => existing::providers(program),
                "referring" => existing::referring(program),
                "stack-reference" => existing::stack(program),
                "two" => failures::two(program),
                "required" => failures::required(program),
                "several" => failures::several(program),
                "panic" => failures::panic(program),
                "same-name" => failures::same_name(program),
                "nested" => failures::nested(program),
                "mistyped" => failures::mistyped(program),
                "error" => failures::error(program),
                "leaves-a-child" => failures::leaves_a_child(program),
                "exported-twice" => failures::exported_twice(program),
                "function" => failures::function(program),
                "unwrapped" => failures::unwrapped(program),
                "empty-error" => failures::empty_error(program),
                "caught" => failures::caught(program),
                "twice" => failures::twice(program),
                "thread" => failures::thread(program),
                "dropped-code" => bail!("failed for good"),
                other => bail!("there is no program {other}"),
            },
        );
    if config.contains("dropped-code") {
        return ExitCode::SUCCESS;
    }
    code
}

/// An input of a resource.
pub(crate) fn input<'a, T>(name: &str, value: &'a Output<T>) -> ResourceRequestObjectField<'a>
where
    T: ToPulumiValue + Clone + Send + Sync + 'static,
{
    ResourceRequestObjectField {
        name: name.to_owned(),
        value,
    }
}

/// A resource of type `test:index:Thing`.
pub(crate) fn thing(
    program: &Context,
    name: &str,
    inputs: &[ResourceRequestObjectField],
) -> CompositeOutput {
    thing_with(program, name, inputs, Options::new())
}

pub(crate) fn thing_with(
    program: &Context,
    name: &str,
    inputs: &[ResourceRequestObjectField],
    options: Options,
) -> CompositeOutput {
    resource(program, "test:index:Thing", name, inputs, Some(options))
}

pub(crate) fn resource(
    program: &Context,
    r#type: &str,
    name: &str,
    inputs: &[ResourceRequestObjectField],
    options: Option<Options>,
) -> CompositeOutput {
    program.register_resource(RegisterResourceRequest {
        type_: r#type.to_owned(),
        name: name.to_owned(),
        version: "1.2.3".to_owned(),
        object: inputs,
        options,
        ..RegisterResourceRequest::default()
    })
}

pub(crate) fn text(value: &str) -> Output<String> {
    Output::new(value.to_owned())
}
