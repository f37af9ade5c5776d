//! What a program says to its user, as the engine shows it.

use anyhow::Result;

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_where_it_belongs_and_an_error_fails_the_preview() -> Result<()> {
    let stack = Stack::new().await?;
    stack.program("log")?;
    let text = stack.succeed(&["preview"]).await?;
    for expected in [
        "  test:index:Thing (named):\n    warning: x is short\n\n",
        "  test:index:Group (part):\n    a part\n\n",
        "    first\n    warning: test is careless\n    [secret]\n\n",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    assert!(!text.contains("looking"), "{text}");
    let text = stack.succeed(&["preview", "--debug"]).await?;
    assert!(text.contains("looking"), "{text}");

    stack.program("log-error")?;
    let preview = stack.run(&["preview"]).await?;
    assert!(!preview.success, "{}", preview.text);
    assert!(
        preview.text.contains("    error: the site is too large\n"),
        "{}",
        preview.text
    );
    Ok(())
}
