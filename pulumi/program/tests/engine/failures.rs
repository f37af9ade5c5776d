//! What a user sees when something fails, and how the next update goes on.

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::process::Child;

use crate::stack::{Outcome, Stack, finish};

/// The errors under `Diagnostics`, where each is named once; without the engine's own summary.
fn errors(outcome: &Outcome) -> Vec<&str> {
    let (_, diagnostics) = outcome.text.split_once("Diagnostics:").unwrap_or_default();
    diagnostics
        .lines()
        .filter_map(|line| line.trim().strip_prefix("error: "))
        .filter(|error| *error != "update failed")
        .collect()
}

/// Fails to deploy these things, with one error.
async fn only_error(stack: &Stack, things: Value) -> Result<String> {
    stack.describe(things)?;
    let up = stack.up().await?;
    anyhow::ensure!(!up.success, "{}", up.text);
    anyhow::ensure!(!up.text.contains("RUST_BACKTRACE"), "{}", up.text);
    match errors(&up)[..] {
        [error] => Ok(error.to_owned()),
        _ => anyhow::bail!("not one error:\n{}", up.text),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_goes_on_where_the_last_one_failed() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |inputs: Value| {
        json!([
            { "name": "first" },
            { "name": "second", "inputs": inputs, "uses": { "first": "first" } },
            { "name": "third", "uses": { "second": "second" } },
        ])
    };
    let error = only_error(
        &stack,
        things(json!({ "fail": "AccessDenied: not allowed" })),
    )
    .await?;
    assert_eq!(error, "AccessDenied: not allowed");
    assert_eq!(stack.provider.events(), ["create first", "create second"]);
    assert_eq!(stack.state().await?.len(), 1);

    assert_eq!(
        stack.deploy(things(json!({}))).await?,
        ["create second", "create third"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_continue_on_error_the_rest_goes_on() -> Result<()> {
    let stack = Stack::new().await?;
    stack.describe(json!([
        { "name": "bad", "inputs": { "fail": "AccessDenied" } },
        { "name": "after-bad", "uses": { "bad": "bad" } },
        { "name": "good" },
        { "name": "after-good", "uses": { "good": "good" } },
    ]))?;
    let arguments = ["up", "--yes", "--skip-preview", "--continue-on-error"];
    let up = stack.run(&arguments).await?;
    assert!(!up.success);
    assert_eq!(errors(&up), ["AccessDenied"], "{}", up.text);
    let events = stack.provider.events();
    assert!(
        events.contains(&"create after-good".to_owned()),
        "{events:?}"
    );
    assert!(
        !events.contains(&"create after-bad".to_owned()),
        "{events:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_failure_is_one_error() -> Result<()> {
    let stack = Stack::new().await?;

    let refused = json!([{ "name": "a", "inputs": { "refuse": "too long" } }]);
    let error = only_error(&stack, refused).await?;
    assert!(
        error.contains("'a'") && error.ends_with("too long"),
        "{error}"
    );

    let panics = json!([{ "name": "a" }, { "name": "b", "uses": { "x": "a" }, "panics": true }]);
    let error = only_error(&stack, panics).await?;
    assert!(
        error.starts_with("the program panicked at ")
            && error.contains("described.rs:")
            && error.ends_with(": cannot compute with thing-1"),
        "{error}"
    );

    let wrong = json!([{ "name": "b", "uses": { "x": "a" } }]);
    assert_eq!(only_error(&stack, wrong).await?, "no a yet");

    // The monitor itself refuses this one, and leaves it to the program to say so.
    let reference = json!([{ "name": "a", "provider": "nonsense" }]);
    let error = only_error(&stack, reference).await?;
    assert!(
        error.starts_with("a [test:index:Thing] was not registered: "),
        "{error}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_in_the_middle_deletes_nothing() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |exits: bool| {
        json!([
            { "name": "a" },
            { "name": "b", "uses": { "x": "a" }, "exits": exits },
            { "name": "c", "uses": { "x": "b" } },
        ])
    };
    stack.deploy(things(false)).await?;
    let error = only_error(&stack, things(true)).await?;
    assert!(
        error.contains("before it was complete: does it call `std::process::exit`?"),
        "{error}"
    );
    assert!(stack.provider.events().is_empty());
    assert_eq!(stack.state().await?.len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_quietly_and_loses_nothing() -> Result<()> {
    let stack = Stack::new().await?;
    let things = json!([
        { "name": "slow", "inputs": { "hold": "yes" } },
        { "name": "after", "uses": { "slow": "slow" } },
    ]);
    stack.describe(things.clone())?;
    let up = stack.start(&["up", "--yes", "--skip-preview"])?;
    stack.provider.until("create slow").await;
    send(&up, Signal::INT)?;
    stack.provider.let_go();
    let up = finish(up).await?;
    assert!(!up.success);
    let errors = errors(&up);
    assert_eq!(errors, ["update canceled"], "{}", up.text);
    assert_eq!(stack.provider.events(), ["create slow"]);

    assert_eq!(stack.deploy(things).await?, ["create after"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_killed_engine_the_next_update_goes_on() -> Result<()> {
    let stack = Stack::new().await?;
    let things = json!([
        { "name": "first" },
        { "name": "slow", "inputs": { "hold": "yes" }, "uses": { "first": "first" } },
    ]);
    stack.describe(things.clone())?;
    let up = stack.start(&["up", "--yes", "--skip-preview"])?;
    stack.provider.until("create slow").await;
    send(&up, Signal::KILL)?;
    finish(up).await?;
    assert_eq!(stack.provider.events(), ["create first", "create slow"]);
    stack.provider.let_go();

    // Its lock is left, as after any other program.
    stack.succeed(&["cancel", "--yes"]).await?;
    assert_eq!(stack.state().await?.len(), 1);
    assert_eq!(stack.deploy(things).await?, ["create slow"]);
    Ok(())
}

fn send(up: &Child, signal: Signal) -> Result<()> {
    let pid = up.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
    Ok(kill_process(pid.context("it has ended")?, signal)?)
}
