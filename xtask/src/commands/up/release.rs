//! An update of any stack by a person or a workflow: it is previewed again and compared with what
//! was approved. When it fails, the error says which resource is in which state.

use crate::commands::preview::{refuse_loss, review};
use crate::engine::Engine;
use crate::exit::{Exit, NOT_APPROVED};
use crate::tools;
use anyhow::{Context, Result, bail};
use pulumi_protocol::urn;
use review::render::text;
use serde_json::Value;
use std::io::{BufRead, IsTerminal, Write};

/// What is wanted of an update.
#[derive(Debug)]
pub struct Release<'a> {
    /// The digest that a preview ended with.
    pub approved: Option<&'a str>,
    pub allow_loss: bool,
    /// Asks nothing.
    pub yes: bool,
}

impl Release<'_> {
    /// Deploys, where nothing speaks against it.
    pub async fn run(&self, engine: &Engine) -> Result<()> {
        let steps = engine.preview(&[]).await?;
        let review = review(&engine.root, &steps)?;
        let now = review::approval::of(&steps);
        let stack = &engine.stack;
        print!("{}", text::render(stack, &review, None));
        if let Some(approved) = self.approved
            && approved != now
        {
            return Err(Exit::with(
                NOT_APPROVED,
                format!(
                    "what an update of stack {stack} would do is not what was approved ({approved}): \
                     what it would do now is above. Nothing was changed. Approve it with \
                     `--approved {now}`, or preview once more"
                ),
            ));
        }
        if review.is_empty() {
            return Ok(());
        }
        refuse_loss(&review, self.allow_loss)?;
        if self.approved.is_none() && !self.yes {
            confirm(stack)?;
        }
        let mut up = engine.run(&["up", "--yes", "--skip-preview", "--suppress-outputs"]);
        match tools::run(&mut up, "pulumi up").await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(after_failure(engine).await)),
        }
    }
}

fn confirm(stack: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "nobody can be asked here whether stack {stack} is to be updated: say --approved with \
             what a preview ended with, or --yes"
        );
    }
    eprint!("Update stack {stack}? Type yes: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("the answer cannot be read")?;
    if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        bail!("nothing was changed");
    }
    Ok(())
}

/// What a person needs to know of a stack whose update has failed.
async fn after_failure(engine: &Engine) -> String {
    let stack = &engine.stack;
    let what_to_do = format!(
        "what was done is kept, and `cargo xtask deploy -s {stack}` goes on from there; where the \
         stack is locked, `pulumi cancel -s {stack}` first; back to what was there before: \
         docs/runbook.md#back-to-an-earlier-commit"
    );
    match engine.state().await {
        Ok(state) => match pending(&state) {
            pending if pending.is_empty() => {
                format!("no resource is between two states; {what_to_do}")
            }
            pending => format!(
                "not known to be done: {}; `pulumi refresh -s {stack}` asks what became of them; \
                 {what_to_do}",
                pending.join(", ")
            ),
        },
        Err(error) => format!("the state cannot be read ({error:#}); {what_to_do}"),
    }
}

/// The operations that were begun and of which no end is known: `creating Bucket mysfits-clicks`.
fn pending(state: &Value) -> Vec<String> {
    let operations = state["deployment"]["pending_operations"].as_array();
    let told = operations.into_iter().flatten().filter_map(|operation| {
        let name = urn::parse(operation["resource"]["urn"].as_str()?)?.name;
        let kind = operation["resource"]["type"].as_str()?.rsplit(':').next()?;
        Some(format!("{} {kind} {name}", operation["type"].as_str()?))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_begun_is_named() {
        let state = json!({ "deployment": { "pending_operations": [{
            "type": "creating",
            "resource": {
                "urn": "urn:pulumi:dev::mysfits::mysfits:index:Storage$aws:s3/bucket:Bucket::mysfits-clicks",
                "type": "aws:s3/bucket:Bucket",
            },
        }] } });
        assert_eq!(pending(&state), ["creating Bucket mysfits-clicks"]);
        assert!(pending(&json!({})).is_empty());
    }
}
