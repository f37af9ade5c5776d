//! `cargo xtask up`: from whatever is there to a deployed stack `local`.

use crate::disk;
use crate::progress::seconds;
use crate::session::{LOCAL, Session};
use crate::tools;
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use std::time::Instant;

#[derive(Args)]
pub struct Up {}

impl Up {
    pub async fn run(self) -> Result<()> {
        let session = Session::open().await?;
        super::package::build_first(&session.checkout.root).await?;
        let started = session.ensure_cloud().await?;
        session.ensure_stack(LOCAL).await?;

        let deploying = Instant::now();
        let arguments = ["up", "--yes", "--skip-preview", "--suppress-outputs"];
        let mut up = session.pulumi(&arguments);
        up.args(["--stack", LOCAL]);
        tools::run(&mut up, "pulumi up")
            .await
            .map_err(|error| disk::explain(&session.checkout, error))?;
        let deployed = deploying.elapsed();

        print_outputs(&session.raw_outputs().await?);
        let started = match started {
            Some(time) => format!("started in {}", seconds(time)),
            None => "was running".to_owned(),
        };
        println!(
            "The embedded cloud {started}, `pulumi up` took {}.\n\
             \n\
             Next:\n    \
                 cargo xtask click              a click, and its record in S3\n    \
                 eval \"$(cargo xtask env)\"      then plain `pulumi … -s {LOCAL}`, and `aws s3 ls`\n    \
                 cargo xtask down               destroys the stack and stops the cloud",
            seconds(deployed)
        );
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
