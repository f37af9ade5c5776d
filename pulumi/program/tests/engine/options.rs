//! Options that only the engine can follow.

use anyhow::Result;
use serde_json::json;

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_replaces_and_takes_others_along() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |trigger: &str| {
        json!([
            { "name": "key", "replacementTrigger": trigger },
            { "name": "lock", "replaceWith": ["key"] },
            { "name": "apart" },
        ])
    };
    stack.deploy(things("one")).await?;
    let mut again = stack.deploy(things("two")).await?;
    again.sort_unstable();
    assert_eq!(
        again,
        ["create key", "create lock", "delete key", "delete lock"]
    );
    assert_eq!(stack.deploy(things("two")).await?, [""; 0]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_can_be_hidden_and_a_read_has_a_time_out() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |note: &str| {
        json!([{
            "name": "page", "inputs": { "note": note, "title": note },
            "hideDiffs": ["note"], "readTimeout": "5m",
        }])
    };
    stack.deploy(things("before")).await?;
    let timeouts = stack.resource("page").await?["customTimeouts"].take();
    assert_eq!(timeouts, json!({ "read": 300 }));
    stack.describe(things("after"))?;
    let preview = stack.succeed(&["preview", "--diff"]).await?;
    assert!(preview.contains("title"), "{preview}");
    assert!(
        !preview.contains("note: \"before\" => \"after\""),
        "{preview}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_are_called_for_a_whole_life() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("hooks")?;
    let up = stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    for says in [
        "before small [test:index:Thing] 3",
        "after small [test:index:Thing] 3",
    ] {
        assert!(up.contains(says), "{up}");
    }
    stack.configure(json!({ "project:program": "hooks", "project:large": "big" }))?;
    let refused = stack.up().await?;
    assert!(
        !refused.success && refused.text.contains("big is too large"),
        "{}",
        refused.text
    );
    stack.program("hooks")?;
    let destroy = stack
        .succeed(&["destroy", "--yes", "--skip-preview", "--run-program"])
        .await?;
    assert!(destroy.contains("before small"), "{destroy}");
    assert!(destroy.contains("after small"), "{destroy}");
    Ok(())
}
