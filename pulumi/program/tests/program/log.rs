//! What a program says to its user.

use anyhow::Result;
use pulumi_mock::{FAILED_AND_REPORTED, Log, Run, Severity};

use crate::{SAMPLES, sample, thing};

fn log(severity: Severity, message: &str, urn: Option<String>) -> Log {
    Log {
        severity,
        message: message.to_owned(),
        urn,
    }
}

/// What is said of resources comes in any order.
fn said(run: &Run) -> Vec<String> {
    let mut said: Vec<_> = run.logs.iter().map(|log| log.message.clone()).collect();
    if let Some(later) = said.get_mut(3..) {
        later.sort();
    }
    said
}

#[test]
fn what_is_said_arrives_with_its_severity_and_resource() -> Result<()> {
    let run = sample("log").run(SAMPLES)?;
    assert_eq!(
        said(&run),
        [
            "looking",
            "first",
            "test is careless",
            "[secret]",
            "a part",
            "its id is named-id",
            "x is short"
        ]
    );
    let part = run.resource("part")?.urn.clone();
    let named = run.resource("named")?.urn.clone();
    for expected in [
        log(Severity::Debug, "looking", None),
        log(Severity::Info, "first", None),
        log(Severity::Warning, "test is careless", None),
        log(Severity::Info, "a part", Some(part)),
        log(Severity::Warning, "x is short", Some(named)),
    ] {
        assert!(run.logs.contains(&expected), "{expected:?} of {run}");
    }
    assert_eq!(run.exit_code, Some(0));
    Ok(())
}

#[test]
fn what_is_not_known_yet_is_not_said() -> Result<()> {
    let run = sample("log").preview().run(SAMPLES)?;
    let said = said(&run);
    assert!(said.contains(&"x is short".to_owned()), "{run}");
    assert!(!said.iter().any(|text| text.starts_with("its id")), "{run}");
    assert_eq!(run.exit_code, Some(0));
    Ok(())
}

#[test]
fn after_an_error_the_program_goes_on_and_fails() -> Result<()> {
    let run = sample("log-error").run(SAMPLES)?;
    assert_eq!(run.errors(), ["the site is too large"]);
    assert_eq!(run.resource("site")?.urn, thing("site"));
    assert!(run.signalled_end);
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    Ok(())
}

#[test]
fn a_program_that_fails_has_said_what_it_said() -> Result<()> {
    let run = sample("log-and-fail").run(SAMPLES)?;
    assert_eq!(
        run.logs,
        [
            log(Severity::Warning, "the site is large", None),
            log(Severity::Error, "too large", None),
        ]
    );
    assert!(run.resources.is_empty());
    Ok(())
}
