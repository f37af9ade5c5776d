//! Independent registrations are under way at the same time. Each answer here comes only after the
//! other request, so that a program that makes one request at a time would wait forever.

use anyhow::Result;
use pulumi_mock::{Answer, Event};

use crate::{SAMPLES, sample, thing};

#[test]
fn independent_resources_are_under_way_at_once() -> Result<()> {
    let run = sample("two")
        .answer(|resource| match resource.name.as_str() {
            "left" => Answer::new().after_request_of("right"),
            "right" => Answer::new().after_request_of("left"),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    assert_eq!(run.exit_code, Some(0));
    Ok(())
}

#[test]
fn a_resource_waits_for_what_it_awaits_alone() -> Result<()> {
    let run = sample("two")
        .answer(|resource| match resource.name.as_str() {
            "left" => Answer::new().after_answer_to("after-right"),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    let at = |event| run.position(&event);
    assert!(at(Event::Answered(thing("right"))) < at(Event::Asked(thing("after-right"))));
    assert!(at(Event::Answered(thing("left"))) < at(Event::Asked(thing("after-left"))));
    Ok(())
}

#[test]
fn an_export_holds_nothing_up() -> Result<()> {
    // `left` is exported, and comes last.
    let run = sample("two")
        .answer(|resource| match resource.name.as_str() {
            "left" => Answer::new().after_answer_to("after-right"),
            _ => Answer::new(),
        })
        .run(SAMPLES)?;
    assert_eq!(run.outputs, Some(serde_json::json!({ "left": "left-id" })));
    Ok(())
}
