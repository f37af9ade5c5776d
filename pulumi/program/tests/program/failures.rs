//! Every failure of a program has one message that says why, and the exit code for it.

use std::process::Command;

use anyhow::Result;
use pulumi_mock::{Answer, FAILED_AND_REPORTED, Mock, Run};

use crate::{SAMPLES, sample, thing};

/// What has one message, and no word of Rust's about itself.
fn only_error(run: &Run) -> Result<&str> {
    let errors = run.errors();
    anyhow::ensure!(errors.len() == 1, "{errors:#?}");
    anyhow::ensure!(!errors[0].contains("RUST_BACKTRACE"), "{}", errors[0]);
    anyhow::ensure!(run.exit_code == Some(FAILED_AND_REPORTED), "{run}");
    anyhow::ensure!(!run.signalled_end, "the program called itself complete");
    Ok(errors[0])
}

fn two(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Mock {
    sample("two").answer(move |resource| answer(&resource.name))
}

#[test]
fn a_value_that_is_refused_stops_what_depends_on_it_and_nothing_else() -> Result<()> {
    let run = sample("required").run(SAMPLES)?;
    assert_eq!(only_error(&run)?, "base-id is not another");
    let names: Vec<&str> = run.resources.iter().map(|one| one.name.as_str()).collect();
    assert!(names.contains(&"of-good"), "{run}");
    assert!(!names.iter().any(|name| name.contains("of-bad")), "{run}");

    // What is not known yet is not checked.
    let preview = sample("required").preview().run(SAMPLES)?;
    assert_eq!((preview.exit_code, preview.errors()), (Some(0), vec![]));
    Ok(())
}

#[test]
fn a_refused_registration_is_shown_with_its_resource() -> Result<()> {
    let run = two(|name| match name {
        "left" => Answer::refuse("unknown provider 'test'"),
        _ => Answer::new(),
    })
    .run(SAMPLES)?;
    assert_eq!(
        only_error(&run)?,
        "left [test:index:Thing] was not registered: unknown provider 'test'"
    );
    assert_eq!(run.logs[0].urn, Some(thing("left")));
    assert!(!run.to_string().contains("hunter2"), "{run}");
    Ok(())
}

#[test]
fn after_a_refusal_the_rest_goes_on() -> Result<()> {
    let run = two(|name| match name {
        "left" => Answer::refuse("no"),
        "right" => Answer::new().after_error(),
        _ => Answer::new(),
    })
    .run(SAMPLES)?;
    only_error(&run)?;
    assert!(run.resource("after-right").is_ok(), "{run}");
    assert!(run.resource("after-left").is_err(), "{run}");
    assert_eq!(run.outputs, None);
    Ok(())
}

#[test]
fn a_long_row_is_finished_after_a_refusal() -> Result<()> {
    let run = sample("several")
        .answer(|resource| match resource.name.as_str() {
            "refused" => Answer::refuse("no"),
            _ => Answer::new().after_error(),
        })
        .run(SAMPLES)?;
    only_error(&run)?;
    assert!(run.resource("row-19").is_ok(), "{run}");
    Ok(())
}

#[test]
fn each_refusal_is_shown_once() -> Result<()> {
    let run = two(|name| match name {
        "left" => Answer::refuse("no left").after_request_of("right"),
        "right" => Answer::refuse("no right").after_request_of("left"),
        _ => Answer::new(),
    })
    .run(SAMPLES)?;
    let mut errors = run.errors();
    errors.sort_unstable();
    assert_eq!(
        errors,
        [
            "left [test:index:Thing] was not registered: no left",
            "right [test:index:Thing] was not registered: no right",
        ]
    );
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    Ok(())
}

#[test]
fn what_the_engine_has_shown_is_not_shown_again() -> Result<()> {
    let run = two(|name| match name {
        "left" => Answer::fail("AccessDenied: not allowed"),
        // Cut off by the failure.
        _ => Answer::new().after_answer_to("left"),
    })
    .run(SAMPLES)?;
    assert_eq!(only_error(&run)?, "AccessDenied: not allowed");
    Ok(())
}

#[test]
fn what_fails_alone_stops_only_what_depends_on_it() -> Result<()> {
    let run = two(|name| match name {
        "left" => Answer::fail_alone("AccessDenied: not allowed"),
        _ => Answer::new(),
    })
    .run(SAMPLES)?;
    assert_eq!(only_error(&run)?, "AccessDenied: not allowed");
    assert!(run.resource("after-right").is_ok(), "{run}");
    assert!(run.resource("after-left").is_err(), "{run}");
    Ok(())
}

#[test]
fn a_lost_engine_is_told_once() -> Result<()> {
    let run = two(|name| match name {
        "left" => Answer::lose_engine().after_request_of("right"),
        _ => Answer::new().after_answer_to("left"),
    })
    .run(SAMPLES)?;
    assert!(
        only_error(&run)?.contains("lost the Pulumi engine"),
        "{run}"
    );
    Ok(())
}

#[test]
fn ctrl_c_ends_quietly() -> Result<()> {
    let run = two(|_| Answer::interrupt()).run(SAMPLES)?;
    assert_eq!(run.errors(), Vec::<&str>::new());
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    Ok(())
}

#[test]
fn a_panic_in_a_closure_is_one_line_with_its_place() -> Result<()> {
    let run = sample("panic").run(SAMPLES)?;
    let error = only_error(&run)?;
    assert!(
        error.starts_with("the program panicked at ")
            && error.contains("tests/samples/failures.rs:")
            && error.ends_with(": base-id is no number"),
        "{error}"
    );
    Ok(())
}

#[test]
fn an_output_of_another_type_says_what_it_is() -> Result<()> {
    let run = sample("mistyped").run(SAMPLES)?;
    assert_eq!(
        only_error(&run)?,
        "the output name of base [test:index:Thing]: Expected Integer, got String"
    );
    Ok(())
}

#[test]
fn a_program_of_gestalts_own_says_and_fails_as_much() -> Result<()> {
    let run = sample("of-gestalt").run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let user = run.resource("user")?;
    assert_eq!(user.dependency_names(), ["base"].into());
    assert_eq!(
        user.inputs["password"],
        pulumi_mock::value::secret("hunter2")
    );
    assert_eq!(run.outputs, Some(serde_json::json!({ "user": "user-id" })));

    let run = sample("of-gestalt")
        .answer(|resource| match resource.name.as_str() {
            "base" => Answer::refuse("no"),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        ["base [test:index:Thing] was not registered: no"]
    );
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    Ok(())
}

#[test]
fn a_program_that_fails_has_touched_nothing() -> Result<()> {
    let run = sample("error").run(SAMPLES)?;
    assert_eq!(
        only_error(&run)?,
        "cannot read the site's pages: no such file"
    );
    assert!(run.resources.is_empty(), "{run}");
    Ok(())
}

#[test]
fn a_name_that_is_exported_twice_is_refused() -> Result<()> {
    let run = sample("exported-twice").run(SAMPLES)?;
    assert_eq!(only_error(&run)?, "the stack output name is exported twice");
    assert!(run.resources.is_empty(), "{run}");
    Ok(())
}

#[test]
fn a_function_that_fails_is_shown() -> Result<()> {
    let run = sample("function")
        .function_with("test:index:lookUp", |_| Err("no such thing".to_owned()))
        .run(SAMPLES)?;
    assert_eq!(
        only_error(&run)?,
        "test:index:lookUp gave no answer: no such thing"
    );
    Ok(())
}

#[test]
fn missing_configuration_says_how_to_set_it() -> Result<()> {
    let run = Mock::new().run(SAMPLES)?;
    assert_eq!(
        only_error(&run)?,
        "config project:program is missing: set it with `pulumi config set project:program VALUE`"
    );
    Ok(())
}

#[test]
fn nothing_shows_a_backtrace() -> Result<()> {
    for (program, error) in [
        ("unwrapped", "Caused by:\n    no such file"),
        ("panic", ": base-id is no number"),
        ("error", ": no such file"),
    ] {
        let run = sample(program).env("RUST_BACKTRACE", "1").run(SAMPLES)?;
        assert!(only_error(&run)?.ends_with(error), "{run}");
    }
    let run = sample("thread").env("RUST_BACKTRACE", "1").run(SAMPLES)?;
    assert_eq!(run.logs[0].message, "the helper failed", "{run}");
    assert_eq!(run.stderr.lines().count(), 3, "{run}");
    assert!(
        run.stderr.starts_with("the thread helper panicked at "),
        "{run}"
    );
    Ok(())
}

#[test]
fn the_panic_that_ends_the_program_is_the_one_that_is_shown() -> Result<()> {
    let run = sample("caught").run(SAMPLES)?;
    assert!(only_error(&run)?.ends_with(": no result"), "{run}");

    let run = sample("twice").env("RUST_BACKTRACE", "1").run(SAMPLES)?;
    assert_eq!(run.exit_code, None, "{run}");
    assert!(run.stderr.contains("no sum"), "{run}");
    assert!(run.stderr.contains("no end"), "{run}");
    assert!(!run.stderr.contains("stack backtrace"), "{run}");
    Ok(())
}

#[test]
fn an_error_without_words_is_still_one() -> Result<()> {
    let run = sample("empty-error").run(SAMPLES)?;
    assert_eq!(only_error(&run)?, "the program failed without a message");
    Ok(())
}

#[test]
fn a_main_that_drops_the_exit_code_fails_all_the_same() -> Result<()> {
    let run = sample("dropped-code").run(SAMPLES)?;
    assert_eq!(only_error(&run)?, "failed for good");
    Ok(())
}

fn by_hand(environment: &[(&str, &str)]) -> Result<(Option<i32>, String)> {
    let output = Command::new(SAMPLES)
        .env_clear()
        .envs(environment.iter().copied())
        .output()?;
    assert!(output.stdout.is_empty());
    Ok((output.status.code(), String::from_utf8(output.stderr)?))
}

#[test]
fn started_by_hand_it_says_how_to_start_it() -> Result<()> {
    let (code, error) = by_hand(&[])?;
    assert_eq!(code, Some(1));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("`pulumi up -s STACK`"), "{error}");
    Ok(())
}

#[test]
fn an_engine_that_is_not_there_is_named() -> Result<()> {
    let (code, error) = by_hand(&[
        // Port 0 takes no connections.
        ("PULUMI_MONITOR", "127.0.0.1:0"),
        ("PULUMI_ENGINE", "127.0.0.1:0"),
        ("PULUMI_PROJECT", "project"),
        ("PULUMI_STACK", "test"),
        ("PULUMI_ORGANIZATION", "organization"),
        ("PULUMI_ROOT_DIRECTORY", "."),
    ])?;
    assert_eq!(code, Some(1));
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("127.0.0.1:0 (PULUMI_MONITOR)"), "{error}");
    Ok(())
}

#[test]
fn a_missing_variable_is_named() -> Result<()> {
    let (code, error) = by_hand(&[("PULUMI_MONITOR", "127.0.0.1:0")])?;
    assert_eq!(code, Some(1));
    assert!(error.contains("PULUMI_ENGINE is not set"), "{error}");
    Ok(())
}
