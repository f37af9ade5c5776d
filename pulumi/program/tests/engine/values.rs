//! Values, as the engine stores them and gives them back.

use anyhow::Result;
use pulumi_protocol::SIGNATURE;
use serde_json::json;

use crate::stack::Stack;

const EXACT: i64 = (1 << 53) - 1;

#[tokio::test(flavor = "multi_thread")]
async fn whole_numbers_of_64_bits_come_back_as_they_were() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("numbers")?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    let inputs = stack.resource("computed").await?["inputs"].take();
    assert_eq!(
        inputs,
        json!({
            "more": 5_000_000_001_i64,
            "less": EXACT - 1,
            "next": 1 - EXACT,
            "sum": 10_000_000_000_i64,
            "list": 5_000_000_001_i64,
            "any": { "size": 5_000_000_000_i64, "rest": [5_000_000_000_i64, 1] },
            "fraction": 5_000_000_000_i64,
            "small": 7,
        })
    );
    let most = stack.succeed(&["stack", "output", "most"]).await?;
    assert_eq!(most.trim(), EXACT.to_string());

    stack.program("inexact")?;
    let up = stack.up().await?;
    assert!(
        !up.success
            && up
                .text
                .contains("its input limits.sizes[1] is a whole number beyond"),
        "{}",
        up.text
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_optional_field_that_no_provider_gives_is_none() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("settings")?;
    stack.succeed(&["preview"]).await?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    let told = stack.resource("told").await?["inputs"].take();
    let text = told["told"].as_str().unwrap_or_default();
    assert!(
        text.starts_with("Settings { limit: None, limits: Some([Limit { count: 1, labels: None,"),
        "{text}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_a_list_leaves_the_rest_of_it_readable() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("secrets")?;
    // In the preview one item is unknown; the plan then holds the update to the others.
    stack.up_by_plan().await?;
    let inputs = stack.resource("user").await?["inputs"].take();
    for names in [
        ["/list/0", "/list/1", "/list/2"],
        ["/map/user", "/map/password", "/map/base"],
    ] {
        let [user, password, base] = names.map(|name| inputs.pointer(name));
        assert_eq!(user, Some(&json!("ann")));
        assert!(
            password.is_some_and(|value| value.get(SIGNATURE).is_some()),
            "{inputs}"
        );
        assert_eq!(base, Some(&json!("thing-1")));
    }
    assert!(inputs["gathered"].get(SIGNATURE).is_some(), "{inputs}");

    let export = stack.succeed(&["stack", "export"]).await?;
    assert!(!export.contains("hunter2"), "{export}");
    assert_eq!(
        stack.outputs().await?,
        json!({ "parts": ["ann", "[secret]"] })
    );
    stack.succeed(&["preview", "--expect-no-changes"]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_and_archives_of_every_kind_are_taken() -> Result<()> {
    let stack = Stack::new().await?;
    let files = tempfile::tempdir()?;
    std::fs::write(files.path().join("word.txt"), "hello")?;
    // A tar archive ends with two empty blocks.
    std::fs::write(files.path().join("empty.tar"), [0; 1024])?;
    let folder = files.path().display().to_string();
    stack.program("assets")?;
    stack.succeed(&["config", "set", "folder", &folder]).await?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    let mut inputs = stack.resource("given").await?["inputs"].take();
    assert_eq!(inputs["file"]["hash"], inputs["remote"]["hash"]);
    assert_ne!(inputs["file"]["hash"], inputs["text"]["hash"]);
    for archive in ["archive", "far", "gathered"] {
        assert!(inputs[archive]["hash"].is_string(), "{inputs}");
    }
    assert!(inputs["hidden"]["ciphertext"].is_string(), "{inputs}");
    let gathered = inputs["gathered"]["assets"].take();
    assert_eq!(gathered["deep"]["assets"]["text"]["text"], "body");
    assert!(gathered["far"]["uri"].is_string(), "{gathered}");

    stack.succeed(&["preview", "--expect-no-changes"]).await?;
    std::fs::write(files.path().join("word.txt"), "changed")?;
    let preview = stack.run(&["preview", "--expect-no-changes"]).await?;
    assert!(!preview.success, "{}", preview.text);
    Ok(())
}
