//! Whole numbers of 64 bits, in both directions.

use anyhow::Result;
use pulumi_program::{InvokeResourceRequest, Output, Program, all, pulumi_any};

use crate::{input, thing};

const LARGE: i64 = 5_000_000_000;
/// The largest whole number up to which the engine's numbers leave none out.
const EXACT: i64 = (1 << 53) - 1;

pub(crate) fn stack(program: &Program) -> Result<()> {
    let source = thing(
        program,
        "source",
        &[
            input("large", &Output::new(LARGE)),
            input("most", &Output::new(EXACT)),
            input("least", &Output::new(-EXACT)),
            input("unsigned", &Output::new(7_000_000_000_u64)),
            input("small", &Output::new(7_u32)),
            input("optional", &Output::new(Some(LARGE))),
            input("list", &Output::new(vec![1, LARGE])),
            input(
                "any",
                &Output::new(pulumi_any!({ "size": LARGE, "rest": [LARGE, 1] })),
            ),
        ],
    );
    let large: Output<i64> = source.get_field("large");
    let most: Output<u64> = source.get_field("most");
    let least: Output<i64> = source.get_field("least");
    let list: Output<Vec<i64>> = source.get_field("list");
    let found = program.invoke_resource(InvokeResourceRequest {
        token: "test:index:measure".to_owned(),
        version: String::new(),
        object: &[input("size", &large)],
        ..InvokeResourceRequest::default()
    });
    let found: Output<i64> = found.get_field("size");
    thing(
        program,
        "computed",
        &[
            input("more", &large.map(|large| large + 1)),
            input("less", &most.map(|most| most - 1)),
            input("next", &least.and_then(|least| Output::new(least + 1))),
            input(
                "sum",
                &all((&large, &found)).map(|(one, other)| one + other),
            ),
            input("list", &list.map(|list| list.iter().sum::<i64>())),
            input("any", &source.get_field_any("any")),
            input("fraction", &source.get_field::<f64>("large")),
            input("small", &source.get_field::<i32>("small")),
        ],
    );
    program.export("large", &large);
    program.export("most", &most);
    Ok(())
}

/// Gives a number that the engine would round.
pub(crate) fn inexact(program: &Program) -> Result<()> {
    let limits = pulumi_any!({ "sizes": [1, i64::MAX] });
    thing(program, "limited", &[input("limits", &Output::new(limits))]);
    Ok(())
}

pub(crate) fn inexact_argument(program: &Program) -> Result<()> {
    let found = program.invoke_resource(InvokeResourceRequest {
        token: "test:index:measure".to_owned(),
        version: String::new(),
        object: &[input("size", &Output::new(EXACT + 1))],
        ..InvokeResourceRequest::default()
    });
    thing(
        program,
        "after",
        &[input("size", &found.get_field::<i64>("size"))],
    );
    Ok(())
}

pub(crate) fn inexact_export(program: &Program) -> Result<()> {
    program.export("size", &Output::new(u64::MAX));
    Ok(())
}

/// Reads what config `project:as` says of a resource's `count`.
pub(crate) fn read(program: &Program) -> Result<()> {
    let source = thing(program, "source", &[]);
    match program.config().require("as")?.text.as_str() {
        "i32" => program.export("count", &source.get_field::<i32>("count")),
        "u32" => program.export("count", &source.get_field::<u32>("count")),
        "i64" => program.export("count", &source.get_field::<i64>("count")),
        _ => program.export("count", &source.get_field::<f64>("count")),
    }
    Ok(())
}
