//! What the engine reads and calls for a program, and whose provider does it.

use anyhow::Result;
use serde_json::{Value, json};

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_resource_is_read_and_left_alone() -> Result<()> {
    let stack = Stack::new().await?;
    stack.provider.add("here-before", &[("name", "old")]);
    stack.program("existing")?;
    stack
        .succeed(&["config", "set", "id", "here-before"])
        .await?;
    stack.succeed(&["preview"]).await?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    assert_eq!(
        stack.resource("user").await?["inputs"],
        json!({
            "id": "here-before",
            "name": "old",
            "again": "new",
            "id-again": "the thing-1",
        })
    );
    assert_eq!(stack.resource("read").await?["external"], json!(true));
    stack.succeed(&["preview", "--expect-no-changes"]).await?;

    stack
        .succeed(&["destroy", "--yes", "--skip-preview"])
        .await?;
    assert_eq!(stack.provider.ids(), ["here-before"]);

    stack.succeed(&["config", "set", "id", "nowhere"]).await?;
    let up = stack.up().await?;
    assert!(!up.success && up.text.contains("'nowhere'"), "{}", up.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_stack_gives_its_outputs() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("secrets")?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    for arguments in [
        &["stack", "init", "second"][..],
        &["config", "set", "program", "referring"],
        &["preview"],
        &["up", "--yes", "--skip-preview"],
        &["preview", "--expect-no-changes"],
    ] {
        stack.succeed(arguments).await?;
    }
    assert_eq!(
        stack.outputs().await?,
        json!({ "parts": "[secret]", "absent": "nothing" })
    );
    let shown = stack
        .succeed(&["stack", "output", "--json", "--show-secrets"])
        .await?;
    assert_eq!(
        serde_json::from_str::<Value>(&shown)?["parts"],
        json!(["ann", "hunter2"])
    );
    let export = stack.succeed(&["stack", "export"]).await?;
    assert!(!export.contains("hunter2"), "{export}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_are_called_as_their_options_say() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("calls")?;
    stack.up_by_plan().await?;
    let user = stack.resource("user").await?;
    assert_eq!(
        user["inputs"],
        json!({ "plain": "plain", "own": "own", "inherited": "inherited", "after": "after" })
    );
    let dependencies = user["propertyDependencies"]["after"].to_string();
    assert!(dependencies.contains("::base"), "{user}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_hands_down_a_provider_of_each_package() -> Result<()> {
    let stack = Stack::new().await?;
    stack.provider.add("x", &[]);
    stack.program("components")?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    for (name, provider) in [("there", "test::provider::"), ("beside", "other::other::")] {
        let resource = stack.resource(name).await?;
        let actual = resource["provider"].as_str().unwrap_or_default();
        assert!(
            actual.contains(&format!("pulumi:providers:{provider}")),
            "{resource}"
        );
    }
    Ok(())
}
