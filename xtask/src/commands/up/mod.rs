//! `cargo xtask up`: from any state to a deployed stack `local`; with `-s`, an update of any other
//! that is reviewed first.

mod release;

use crate::checkout::Checkout;
use crate::disk;
use crate::engine::Engine;
use crate::progress;
use crate::session::{LOCAL, Session};
use crate::tools;
use crate::variables;
use anyhow::{Result, anyhow};
use clap::Args;
use door::elapsed::elapsed;
use release::Release;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Instant;

/// How many parts a person is told of.
const PARTS: u32 = 4;

#[derive(Args, Default)]
pub struct Up {
    /// Updates this stack where plain `pulumi` has it, after a review of what changes
    #[arg(short, long)]
    stack: Option<String>,
    /// Updates only if a preview that ended with this would be the same now
    #[arg(long, value_name = "DIGEST", requires = "stack")]
    approved: Option<String>,
    /// Also where data would be lost
    #[arg(long, requires = "stack")]
    allow_loss: bool,
    /// Asks nothing
    #[arg(short, long, requires = "stack")]
    yes: bool,
    /// The stack's file in place of Pulumi.STACK.yaml
    #[arg(long, value_name = "FILE", requires = "stack")]
    config_file: Option<PathBuf>,
    /// Opens the site and the embedded cloud's console in the browser
    #[arg(long)]
    open: bool,
}

impl Up {
    pub async fn run(self) -> Result<()> {
        match &self.stack {
            Some(stack) => {
                let release = Release {
                    approved: self.approved.as_deref(),
                    allow_loss: self.allow_loss,
                    yes: self.yes,
                };
                let engine = Engine::open(stack, None).await?;
                release
                    .run(&engine.configured(self.config_file.as_deref())?)
                    .await
            }
            None => self.local().await,
        }
    }

    async fn local(self) -> Result<()> {
        // Part 1 is that of `door`: the programs are compiled.
        progress::part(2, PARTS, "the function's package");
        crate::commands::package::build_first(&Checkout::find()?.root).await?;
        progress::part(3, PARTS, "the Pulumi CLI and the embedded cloud");
        let session = Session::open().await?;
        let started = session.ensure_cloud().await?;
        session.ensure_stack(LOCAL).await?;

        progress::part(4, PARTS, "the deployment");
        let deploying = Instant::now();
        let arguments = ["up", "--yes", "--skip-preview", "--suppress-outputs"];
        let mut up = session.pulumi(&arguments);
        up.args(["--stack", LOCAL]);
        tools::run(&mut up, "pulumi up").await.map_err(|error| {
            let error = disk::explain(&session.checkout, error);
            anyhow!(
                "{error:#}; what was created is kept, and the embedded cloud goes on: \
                 `cargo xtask up` continues from there, `cargo xtask down` takes it away"
            )
        })?;
        let deployed = deploying.elapsed();

        let outputs = session.raw_outputs().await?;
        print_outputs(&outputs);
        let started = match started {
            Some(time) => format!("started in {}", elapsed(time)),
            None => "was running".to_owned(),
        };
        println!(
            "The embedded cloud {started}, `pulumi up` took {}.\n\
             \n\
             Next:\n    \
                 cargo xtask click              a click, and its record in S3\n    \
                 cargo xtask open               the site, and the console: what happens, as it happens\n    \
                 eval \"$(cargo xtask env)\"      then plain `pulumi … -s {LOCAL}`, and `aws s3 ls`\n    \
                 cargo xtask down               destroys the stack and stops the cloud\n\
             \n\
             Console: {}",
            elapsed(deployed),
            variables::console(session.port)
        );
        if self.open {
            crate::commands::open::site_and_console(session.port, &outputs).await;
        }
        Ok(())
    }
}

fn print_outputs(outputs: &Value) {
    let Some(outputs) = outputs.as_object() else {
        return;
    };
    let width = outputs.keys().map(String::len).max().unwrap_or_default();
    println!("Outputs of stack {LOCAL}:");
    for (name, value) in outputs {
        match value {
            Value::String(text) => println!("    {name:width$}  {text}"),
            other => println!("    {name:width$}  {other}"),
        }
    }
    println!();
}
