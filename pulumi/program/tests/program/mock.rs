//! The mock engine itself.

use std::time::Duration;

use anyhow::Result;
use pulumi_mock::{Answer, Mock};
use serde_json::json;

use crate::{SAMPLES, sample};

#[test]
fn a_program_that_does_not_end_is_an_error() -> Result<()> {
    let outcome = sample("two")
        .answer(|_| Answer::new().after_answer_to("nothing"))
        .patience(Duration::from_millis(500))
        .run(SAMPLES);
    let error = outcome.err().map(|error| error.to_string());
    let error = error.unwrap_or_default();
    assert!(
        error.contains("had not ended") && error.contains("left ["),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_program_that_ends_well_in_the_middle_is_told() -> Result<()> {
    let things = json!([{ "name": "first" }, { "name": "second", "uses": { "id": "first" }, "exits": true }]);
    let run = sample("described")
        .config("project:things", &things.to_string())
        .run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        ["the program ended with exit code 0 before it was complete"]
    );
    assert_eq!((run.exit_code, run.signalled_end), (Some(0), false));
    Ok(())
}

#[test]
fn what_a_program_leaves_behind_holds_nothing_up() {
    let outcome = sample("leaves-a-child")
        .patience(Duration::from_millis(500))
        .run(SAMPLES);
    let error = outcome.err().map(|error| error.to_string());
    let error = error.unwrap_or_default();
    assert!(
        error.starts_with("the program has ended, but something that it started")
            && error.contains("on its own"),
        "{error}"
    );
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let outcome = Mock::new().run("no/such/program");
    let error = outcome.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("no/such/program does not start"));
}

#[test]
fn an_answer_that_panics_fails_the_run() {
    let answered = sample("two").answer(|resource| {
        assert_ne!(resource.name, "right", "nobody wants it");
        Answer::new()
    });
    let called = sample("function").function_with("test:index:lookUp", |_| panic!("no idea"));
    for (mock, expected) in [
        (
            answered,
            "the test's answer for right [test:index:Thing] panicked: ",
        ),
        (called, "the test's answer for test:index:lookUp panicked: "),
    ] {
        let error = mock.run(SAMPLES).err().map(|error| error.to_string());
        let error = error.unwrap_or_default();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let outcome = Mock::new().root_directory("/no/such/folder").run(SAMPLES);
    let error = outcome.err().map(|error| error.to_string());
    assert_eq!(
        error.as_deref(),
        Some("the root directory /no/such/folder is not there")
    );
}

#[test]
fn a_relative_program_is_found_wherever_it_runs() -> Result<()> {
    let here = std::env::current_dir()?;
    let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
    let program = up.join(std::path::Path::new(SAMPLES).strip_prefix("/")?);
    let run = sample("two").root_directory("/").run(program)?;
    assert_eq!(run.exit_code, Some(0), "{run}");
    Ok(())
}

#[test]
fn an_answer_can_refuse_the_wrong_order() -> Result<()> {
    // Nothing in the program says that `after-left` comes after `after-right`.
    let run = sample("two")
        .answer(|resource| match resource.name.as_str() {
            "after-left" if !resource.comes_after("after-right") => {
                Answer::refuse("the other one comes first")
            }
            "right" => Answer::new().after_request_of("after-left"),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    assert!(
        run.errors()[0].ends_with("the other one comes first"),
        "{run}"
    );
    Ok(())
}

#[test]
fn what_the_engine_would_refuse_is_refused() -> Result<()> {
    let run = sample("same-name").run(SAMPLES)?;
    assert_eq!(run.errors().len(), 1, "{run}");
    assert!(run.errors()[0].contains("duplicate resource URN"), "{run}");
    Ok(())
}
