//! Secrets in lists and maps: each by itself, until a closure has seen them.

use anyhow::Result;
use pulumi_mock::value::{secret, unknown};
use serde_json::json;

use crate::{SAMPLES, sample};

#[test]
fn a_secret_among_plain_values_is_one_by_itself() -> Result<()> {
    let run = sample("secrets").run(SAMPLES)?;
    let list = json!(["ann", secret("hunter2"), "base-id"]);
    let hidden = secret(json!(["ann", "hunter2", "base-id"]));
    let user = run.resource("user")?;
    assert_eq!(
        user.inputs,
        json!({
            "list": list,
            "optional": list,
            "map": { "user": "ann", "password": secret("hunter2"), "base": "base-id" },
            "any": { "deep": [{ "user": "ann", "password": secret("hunter2") }] },
            "nested": {
                "user": "ann",
                "note": secret("hunter2"),
                "limits": [{ "count": 1, "unit": "base-id" }],
            },
            "lists": { "parts": list },
            "maps": [{ "user": "ann", "password": secret("hunter2"), "base": "base-id" }],
            "hidden": hidden,
            // A closure may have put any of them anywhere.
            "gathered": hidden,
            "joined": secret("ann hunter2 base-id"),
        })
    );
    for property in [
        "list", "optional", "map", "nested", "lists", "maps", "hidden", "gathered", "joined",
    ] {
        assert_eq!(user.property_dependencies[property].len(), 1, "{property}");
    }
    assert_eq!(
        run.outputs,
        Some(json!({ "parts": ["ann", secret("hunter2")] }))
    );
    Ok(())
}

#[test]
fn in_a_preview_what_is_known_among_unknown_values_stays_so() -> Result<()> {
    let run = sample("secrets").preview().run(SAMPLES)?;
    let inputs = &run.resource("user")?.inputs;
    assert_eq!(inputs["list"], json!(["ann", secret("hunter2"), unknown()]));
    assert_eq!(
        inputs["map"],
        json!({ "user": "ann", "password": secret("hunter2"), "base": unknown() })
    );
    assert_eq!(
        inputs["nested"]["limits"],
        json!([{ "count": 1, "unit": unknown() }])
    );
    assert_eq!(inputs["joined"], unknown());
    Ok(())
}
