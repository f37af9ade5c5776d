//! The destruction of any stack: with its name typed, and refused where something is protected.

use crate::engine::Engine;
use crate::tools;
use anyhow::{Context, Result, bail};
use pulumi_protocol::urn;
use serde_json::Value;
use std::io::{BufRead, IsTerminal, Write};

/// Destroys all that the stack has. `typed` is its name once more, or it is asked for.
pub async fn destroy(engine: &Engine, typed: Option<&str>) -> Result<()> {
    let stack = &engine.stack;
    let state = engine.state().await?;
    let resources = state["deployment"]["resources"].as_array();
    let resources = resources.map(Vec::as_slice).unwrap_or_default();
    if resources.is_empty() {
        println!("Stack {stack} has no resources.");
        return Ok(());
    }
    let protected = protected(resources);
    if !protected.is_empty() {
        bail!(
            "stack {stack} protects {}, and is not destroyed. Where that is meant: `pulumi config set \
             mysfits:protect false -s {stack}` and `pulumi config set mysfits:forceDestroy true -s \
             {stack}`, deploy that, then destroy",
            protected.join(", ")
        );
    }
    eprintln!(
        "destroying stack {stack}: {} resources, and all that they hold",
        resources.len()
    );
    let asked;
    let typed = match typed {
        Some(typed) => typed,
        None => {
            asked = ask(stack)?;
            asked.trim()
        }
    };
    if typed != stack {
        bail!("nothing was destroyed: `{typed}` is not the name of stack {stack}");
    }
    let mut destroy = engine.pulumi(&["destroy", "--yes", "--skip-preview"]);
    tools::run(&mut destroy, "pulumi destroy")
        .await
        .with_context(|| format!("`cargo xtask down -s {stack}` goes on with what is left"))?;
    println!(
        "Stack {stack} is destroyed. Its history is kept: `pulumi stack rm {stack}` ends that."
    );
    Ok(())
}

fn ask(stack: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here for the name of stack {stack}: say --name {stack}");
    }
    eprint!("Type the name of the stack: ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .context("the answer cannot be read")?;
    Ok(answer)
}

/// The resources of a state that Pulumi refuses to delete.
fn protected(resources: &[Value]) -> Vec<String> {
    let protected = resources
        .iter()
        .filter(|resource| resource["protect"] == true);
    let told = protected.filter_map(|resource| {
        let name = urn::parse(resource["urn"].as_str()?)?.name;
        let kind = resource["type"].as_str()?.rsplit(':').next()?;
        Some(format!("{kind} {name}"))
    });
    told.collect()
}
