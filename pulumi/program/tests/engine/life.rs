//! What options and dependencies do to resources: their order, updates, replacements and deletions.

use anyhow::Result;
use serde_json::json;

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn dependents_come_last_and_go_first() -> Result<()> {
    let stack = Stack::new().await?;
    let created = stack
        .deploy(json!([
            { "name": "base" },
            { "name": "user", "uses": { "base": "base" } },
            { "name": "told", "dependsOn": ["user"] },
        ]))
        .await?;
    assert_eq!(created, ["create base", "create user", "create told"]);

    let state = stack.state().await?;
    let urn = |name: &str| format!("urn:pulumi:test::project::test:index:Thing::{name}");
    assert_eq!(state[1]["dependencies"], json!([urn("base")]));
    assert_eq!(
        state[1]["propertyDependencies"],
        json!({ "base": [urn("base")] })
    );
    assert_eq!(state[2]["dependencies"], json!([urn("user")]));

    stack
        .succeed(&["destroy", "--yes", "--skip-preview"])
        .await?;
    let deleted = stack.provider.events();
    assert_eq!(deleted, ["delete told", "delete user", "delete base"]);
    assert!(stack.provider.ids().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_depends_on_a_component_comes_after_all_of_it_and_goes_first() -> Result<()> {
    let stack = Stack::new().await?;
    let things = json!([
        { "name": "part", "component": "whole" },
        { "name": "after", "dependsOn": ["whole"] },
    ]);
    assert_eq!(stack.deploy(things).await?, ["create part", "create after"]);
    assert_eq!(
        stack.deploy(json!([])).await?,
        ["delete after", "delete part"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_is_created_first() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |kind: &str| {
        json!([
            { "name": "base", "inputs": { "kind": kind } },
            { "name": "user", "uses": { "base": "base" } },
        ])
    };
    stack.deploy(things("old")).await?;
    assert_eq!(
        stack.deploy(things("new")).await?,
        ["create base", "update user", "delete base"]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_before_its_replacement_it_takes_along_what_is_replaced_with_it() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |kind: &str| {
        json!([
            { "name": "base", "inputs": { "kind": kind }, "deleteBeforeReplace": true },
            // Replaced when the id of `base` changes; only the property's dependencies say so.
            { "name": "user", "uses": { "kind": "base" } },
            { "name": "bystander", "uses": { "base": "base" } },
        ])
    };
    stack.deploy(things("old")).await?;
    let mut events = stack.deploy(things("new")).await?;
    // The last two depend on `base` alone, and come in any order.
    if let Some(last) = events.get_mut(3..) {
        last.sort();
    }
    assert_eq!(
        events,
        [
            "delete user",
            "delete base",
            "create base",
            "create user",
            "update bystander"
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_protected_is_not_destroyed() -> Result<()> {
    let stack = Stack::new().await?;
    stack
        .deploy(json!([{ "name": "kept", "protect": true }]))
        .await?;
    let destroy = stack.run(&["destroy", "--yes", "--skip-preview"]).await?;
    assert!(!destroy.success);
    assert!(
        destroy.text.contains("because it is protected"),
        "{}",
        destroy.text
    );
    assert!(stack.provider.events().is_empty());

    stack
        .deploy(json!([{ "name": "kept", "protect": false }]))
        .await?;
    stack
        .succeed(&["destroy", "--yes", "--skip-preview"])
        .await?;
    assert_eq!(stack.provider.events(), ["delete kept"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_retained_stays_where_it_is() -> Result<()> {
    let stack = Stack::new().await?;
    stack
        .deploy(json!([{ "name": "kept", "retainOnDelete": true }]))
        .await?;
    assert!(stack.deploy(json!([])).await?.is_empty());
    assert!(stack.state().await?.is_empty());
    assert_eq!(stack.provider.ids(), ["thing-1"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ignored_changes_change_nothing() -> Result<()> {
    let stack = Stack::new().await?;
    let things = |tags: &str, size: &str| {
        json!([{
            "name": "a",
            "inputs": { "tags": tags, "size": size },
            "ignoreChanges": ["tags"],
        }])
    };
    stack.deploy(things("old", "1")).await?;
    assert!(stack.deploy(things("new", "1")).await?.is_empty());
    assert_eq!(stack.deploy(things("new", "2")).await?, ["update a"]);
    assert_eq!(stack.state().await?[0]["inputs"]["tags"], "old");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_keeps_what_was_renamed_or_moved() -> Result<()> {
    let stack = Stack::new().await?;
    stack
        .deploy(json!([{ "name": "old" }, { "name": "moved" }]))
        .await?;
    let events = stack
        .deploy(json!([
            { "name": "new", "formerName": "old" },
            { "name": "moved", "component": "part", "formerlyWithoutComponent": true },
        ]))
        .await?;
    assert!(events.is_empty(), "{events:?}");
    let tree = stack.succeed(&["stack"]).await?;
    let row = |what: &str| tree.lines().position(|line| line.contains(what));
    assert!(
        row("test:index:Group").is_some() && row("moved") > row("test:index:Group"),
        "{tree}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_resource_is_taken_over() -> Result<()> {
    let stack = Stack::new().await?;
    stack.provider.add("existing", &[("size", "1")]);
    let things = json!([{ "name": "a", "inputs": { "size": "1" }, "import": "existing" }]);
    assert!(stack.deploy(things).await?.is_empty());
    assert_eq!(stack.state().await?[0]["id"], "existing");
    // Taken over, it is like any other.
    let things = json!([{ "name": "a", "inputs": { "size": "2" } }]);
    assert_eq!(stack.deploy(things).await?, ["update a"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_nowhere_in_plain_text() -> Result<()> {
    let stack = Stack::new().await?;
    let things = json!([{ "name": "a", "secrets": { "password": "hunter2" } }]);
    stack.deploy(things).await?;
    let export = stack.succeed(&["stack", "export"]).await?;
    assert!(export.contains("\"password\""), "{export}");
    assert!(!export.contains("hunter2"), "{export}");
    let plain = stack
        .succeed(&["stack", "export", "--show-secrets"])
        .await?;
    assert!(plain.contains("hunter2"), "{plain}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_has_the_provider_that_it_is_given() -> Result<()> {
    let stack = Stack::new().await?;
    let things = json!([{ "name": "a", "inputs": { "region": "x" }, "ownProvider": true }]);
    stack.describe(things)?;
    // The provider does not exist yet.
    stack.succeed(&["preview"]).await?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    let provider = stack.state().await?[0]["provider"].to_string();
    assert!(
        provider.contains("pulumi:providers:test::a::"),
        "{provider}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_does_what_its_plan_says() -> Result<()> {
    let stack = Stack::new().await?;
    stack.describe(json!([
        { "name": "base" },
        // Its input is unknown in the preview, but not what that depends on.
        { "name": "user", "uses": { "base": "base" } },
    ]))?;
    stack.up_by_plan().await?;
    assert_eq!(stack.provider.events(), ["create base", "create user"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_do_changes_nothing() -> Result<()> {
    let stack = Stack::new().await?;
    let things = json!([
        { "name": "a", "component": "part", "secrets": { "password": "hunter2" } },
        { "name": "b", "uses": { "a": "a" } },
    ]);
    stack.deploy(things.clone()).await?;
    stack.succeed(&["preview", "--expect-no-changes"]).await?;
    stack
        .succeed(&["refresh", "--yes", "--skip-preview", "--expect-no-changes"])
        .await?;
    assert!(stack.provider.events().is_empty());
    Ok(())
}
