//! Functions with options.

use anyhow::{Context as _, Result};
use pulumi_mock::value::unknown;
use pulumi_mock::{Answer, FAILED_AND_REPORTED, Invoke, Mock, Run};
use serde_json::json;

use crate::{SAMPLES, sample, thing};

fn calls() -> Mock {
    sample("calls")
        .function_with("test:index:echo", |invoke| Ok(invoke.arguments.clone()))
        .function("test:index:poke", json!({}))
}

fn call<'a>(run: &'a Run, word: &str) -> Result<&'a Invoke> {
    let mut calls = run.invokes.iter();
    let call = calls.find(|call| call.arguments == json!({ "word": word }));
    call.with_context(|| format!("nobody says {word}: {run}"))
}

#[test]
fn a_function_is_of_the_provider_that_is_said_or_inherited() -> Result<()> {
    let run = calls().run(SAMPLES)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    let own = "urn:pulumi:test::project::pulumi:providers:test::own::own-id";
    for (word, provider, version) in [
        ("plain", None, "1.2.3"),
        ("own", Some(own), "9.9.9"),
        ("inherited", Some(own), "1.2.3"),
        ("after", None, "1.2.3"),
    ] {
        let call = call(&run, word)?;
        assert_eq!(call.provider.as_deref(), provider, "{word}");
        assert_eq!(call.version, version, "{word}");
    }
    assert_eq!(
        run.resource("user")?.inputs,
        json!({ "plain": "plain", "own": "own", "inherited": "inherited", "after": "after" })
    );
    Ok(())
}

#[test]
fn no_resource_is_without_the_options_that_were_meant_for_it() -> Result<()> {
    let run = sample("confused-calls").run(SAMPLES)?;
    assert_eq!(
        run.errors(),
        [
            "base [test:index:Thing] is given the options of functions, by `calling`: a resource \
             takes its own, with `create_with_options`"
        ]
    );
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    assert!(run.resource("base").is_err(), "{run}");
    Ok(())
}

#[test]
fn a_function_without_outputs_is_called_all_the_same() -> Result<()> {
    let run = calls().run(SAMPLES)?;
    let pokes = run
        .invokes
        .iter()
        .filter(|call| call.token == "test:index:poke");
    let pokes: Vec<_> = pokes.map(|call| &call.arguments).collect();
    assert_eq!(pokes, [&json!({ "who": "base" })]);
    let refused = calls().function_with("test:index:poke", |_| Err("not now".to_owned()));
    assert_eq!(
        refused.run(SAMPLES)?.errors(),
        ["test:index:poke gave no answer: not now"]
    );
    Ok(())
}

#[test]
fn an_answer_depends_on_what_its_function_waits_for() -> Result<()> {
    let run = calls().run(SAMPLES)?;
    let user = run.resource("user")?;
    let of = &user.property_dependencies;
    assert_eq!(of.keys().collect::<Vec<_>>(), ["after"]);
    assert_eq!(of["after"], [thing("base")].into());
    Ok(())
}

#[test]
fn a_function_that_waits_for_what_is_not_there_yet_is_not_called() -> Result<()> {
    for mock in [
        calls().preview(),
        calls().answer(|resource| match resource.name.as_str() {
            "base" => Answer::leave_out(),
            _ => Answer::new(),
        }),
    ] {
        let run = mock.run(SAMPLES)?;
        assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
        assert!(call(&run, "after").is_err(), "{run}");
        // Its argument is known, and of what is not there.
        let poked = run.invokes.iter().any(|call| call.token.ends_with("poke"));
        assert!(!poked, "{run}");
        let user = run.resource("user")?;
        assert_eq!(user.inputs["after"], unknown());
        assert_eq!(user.inputs["plain"], json!("plain"));
        assert_eq!(user.property_dependencies["after"], [thing("base")].into());
    }
    Ok(())
}
