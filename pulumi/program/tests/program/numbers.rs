//! Whole numbers of 64 bits: exact, or refused.

use anyhow::Result;
use pulumi_mock::{Answer, FAILED_AND_REPORTED};
use serde_json::json;

use crate::{SAMPLES, sample};

const EXACT: i64 = (1 << 53) - 1;

#[test]
fn whole_numbers_are_exact_in_both_directions() -> Result<()> {
    let run = sample("numbers")
        .function("test:index:measure", json!({ "size": 6_000_000_000_i64 }))
        .run(SAMPLES)?;
    assert_eq!(
        run.resource("source")?.inputs,
        json!({
            "large": 5_000_000_000_i64,
            "most": EXACT,
            "least": -EXACT,
            "unsigned": 7_000_000_000_i64,
            "small": 7,
            "optional": 5_000_000_000_i64,
            "list": [1, 5_000_000_000_i64],
            "any": { "size": 5_000_000_000_i64, "rest": [5_000_000_000_i64, 1] },
        })
    );
    assert_eq!(
        run.resource("computed")?.inputs,
        json!({
            "more": 5_000_000_001_i64,
            "less": EXACT - 1,
            "next": 1 - EXACT,
            "sum": 11_000_000_000_i64,
            "list": 5_000_000_001_i64,
            "any": { "size": 5_000_000_000_i64, "rest": [5_000_000_000_i64, 1] },
            "fraction": 5_000_000_000_i64,
            "small": 7,
        })
    );
    assert_eq!(
        run.invokes[0].arguments,
        json!({ "size": 5_000_000_000_i64 })
    );
    assert_eq!(
        run.outputs,
        Some(json!({ "large": 5_000_000_000_i64, "most": EXACT }))
    );
    Ok(())
}

/// Rather than rounded.
#[test]
fn what_would_be_rounded_is_refused_where_it_is() -> Result<()> {
    let cases = [
        (
            "inexact",
            "limited [test:index:Thing] was not registered: its input limits.sizes[1] is",
        ),
        (
            "inexact-argument",
            "test:index:measure was not called: its argument size is",
        ),
        ("inexact-export", "the outputs were not registered: size is"),
    ];
    for (program, expected) in cases {
        let run = sample(program).run(SAMPLES)?;
        let [error] = run.errors()[..] else {
            anyhow::bail!("not one error: {run}");
        };
        let rest = error.strip_prefix(expected);
        assert_eq!(
            rest,
            Some(
                " a whole number beyond ±(2^53 - 1), which the engine's numbers do not hold \
                 exactly: give it as a text, or as an f64"
            ),
            "{error}"
        );
        assert!(run.resources.is_empty(), "{run}");
        assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    }
    Ok(())
}

#[test]
fn an_answer_is_read_exactly_or_not_at_all() -> Result<()> {
    let large = 5_000_000_000_i64;
    let cases = [
        ("i64", json!(EXACT), Ok(json!(EXACT))),
        ("i64", json!(-EXACT), Ok(json!(-EXACT))),
        ("f64", json!(large), Ok(json!(large))),
        ("f64", json!(1e18), Ok(json!(1e18))),
        (
            "i32",
            json!(large),
            Err("Expected i32, got a whole number beyond it"),
        ),
        (
            "u32",
            json!(-1),
            Err("Expected u32, got a whole number beyond it"),
        ),
        // It may be what is left of one more than that.
        (
            "i64",
            json!(EXACT + 1),
            Err(
                "Expected i64, got a number too large to be exact (beyond ±(2^53 - 1)), which \
                 f64 takes",
            ),
        ),
        ("i64", json!(0.5), Err("Expected Integer, got Number")),
    ];
    for (kind, answer, expected) in cases {
        let given = answer.clone();
        let run = sample("read")
            .config("project:as", kind)
            .answer(move |_| Answer::new().output("count", given.clone()))
            .run(SAMPLES)?;
        match expected {
            Ok(count) => assert_eq!(run.outputs, Some(json!({ "count": count })), "{run}"),
            Err(reason) => assert_eq!(
                run.errors(),
                [format!(
                    "the output count of source [test:index:Thing]: {reason}"
                )],
                "{kind} of {answer}"
            ),
        }
    }
    Ok(())
}
