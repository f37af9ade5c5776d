//! The configuration, and the folders of a program.

use anyhow::Result;
use serde_json::json;

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_null_in_the_configuration_is_not_set() -> Result<()> {
    let stack = Stack::new().await?;
    stack.configure(json!({
        "project:program": "configured",
        "project:flag": null,
        "project:size": null,
        "project:name": null,
        "project:list": null,
        "project:tags": null,
        "project:owner": null,
    }))?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    let nothing = json!({ "flag": true, "size": 3, "name": "none", "list": [], "tags": {} });
    assert_eq!(stack.outputs().await?, nothing);

    stack.configure(json!({
        "project:program": "configured",
        "project:flag": false,
        "project:size": 7,
        "project:name": "null and void",
        "project:list": ["a", null, "b"],
        "project:tags": { "team": "ours", "owner": null },
    }))?;
    stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
    assert_eq!(
        stack.outputs().await?,
        json!({
            "flag": false, "size": 7, "name": "null and void", "list": ["a", "b"],
            "tags": { "team": "ours" },
        })
    );

    stack.configure(
        json!({ "project:program": "configured", "project:size": 70, "project:flg": 1 }),
    )?;
    let up = stack.up().await?;
    for says in [
        "2 mistakes in the configuration of stack test",
        "project:size is '70', allowed: things from 1 to 10; fix it with: pulumi config set --stack test project:size 10",
        "project:flg is no key, project:flag is; fix it with: pulumi config rm --stack test project:flg",
    ] {
        assert!(!up.success && up.text.contains(says), "{}", up.text);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn relative_paths_start_where_the_program_runs() -> Result<()> {
    for more in [json!({}), json!({ "main": "program" })] {
        let stack = Stack::with(more.clone()).await?;
        let folder = stack.file(more["main"].as_str().unwrap_or_default());
        std::fs::write(folder.join("note.txt"), "hello")?;
        stack.program("file")?;
        stack.succeed(&["up", "--yes", "--skip-preview"]).await?;
        let file = stack.resource("file").await?["inputs"]["file"].take();
        assert_eq!(file["path"], json!("note.txt"), "{more}");
        let directory = &stack.outputs().await?["directory"];
        let directory = std::path::PathBuf::from(directory.as_str().unwrap_or_default());
        assert_eq!(directory.canonicalize()?, folder.canonicalize()?, "{more}");
    }
    Ok(())
}
