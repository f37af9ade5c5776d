//! Nested types, as Gestalt generates them.

use anyhow::Result;
use pulumi_mock::Answer;
use serde_json::json;

use crate::{SAMPLES, sample};

#[test]
fn an_optional_field_that_is_absent_is_none() -> Result<()> {
    let run = sample("settings").run(SAMPLES)?;
    let told = run.resource("told")?;
    assert_eq!(
        told.inputs["told"],
        "Settings { limit: None, limits: Some([Limit { count: 1, labels: None, unit: None }, \
         Limit { count: 2, labels: None, unit: Some(\"MB\") }]), note: None, user: \"ann\" }"
    );
    assert_eq!(
        told.inputs["again"],
        json!({ "user": "ann", "limits": [{ "count": 1 }, { "count": 2, "unit": "MB" }] })
    );
    Ok(())
}

#[test]
fn a_required_field_that_is_absent_is_named() -> Result<()> {
    let answers = [
        (json!({ "note": "x" }), "Missing field 'user'"),
        (
            json!({ "user": "ann", "limit": { "unit": "MB" } }),
            "Missing field 'count'",
        ),
        (json!("ann"), "Expected Object, got String"),
    ];
    for (answer, reason) in answers {
        let run = sample("settings")
            .answer(move |resource| match resource.name.as_str() {
                "source" => Answer::new().output("settings", answer.clone()),
                _ => Answer::new(),
            })
            .run(SAMPLES)?;
        assert_eq!(
            run.errors(),
            [format!(
                "the output settings of source [test:index:Thing]: {reason}"
            )]
        );
    }
    Ok(())
}
