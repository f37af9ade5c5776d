//! `cargo xtask bootstrap aws`: what an account needs once, before stacks are deployed to it from
//! GitHub.
//!
//! It is a Pulumi program of its own (`account/`), since it is then previewed, changed and tested
//! like everything else here. Its state is on this machine until the bucket for states exists, and
//! then in that: so it can be run again, from any machine, and changes nothing when nothing
//! changed. For people who may not create roles, the program also prints its resources as a
//! CloudFormation template.

mod repository;
mod state;

use crate::aws::Aws;
use crate::aws::s3::Objects;
use crate::binaries;
use crate::checkout::Checkout;
use crate::commands::preview::review;
use crate::engine::{Against, Engine};
use crate::tools;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use repository::Names;
use review::render::text;
use serde_json::Value;
use state::Home;
use std::io::{BufRead, IsTerminal, Write};
use std::process::Stdio;

/// The stack of the program. There is one in an account and region.
const STACK: &str = "account";

#[derive(Args)]
pub struct Bootstrap {
    /// Whose account
    #[arg(value_enum)]
    of: Provider,
    #[command(flatten)]
    names: Names,
    /// The account has GitHub's provider of identities already, of which there can be one
    #[arg(long)]
    existing_provider: bool,
    /// The account owns API Gateway's role for logs, and no stack has to
    /// (mysfits:manageApiGatewayAccount)
    #[arg(long)]
    api_gateway_logs: bool,
    /// Prints it as a template of CloudFormation, and asks no account
    #[arg(long)]
    print: bool,
    /// The embedded cloud in the place of an account
    #[arg(long, value_enum)]
    against: Option<Against>,
    /// Asks nothing
    #[arg(short, long)]
    yes: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Provider {
    Aws,
}

impl Bootstrap {
    pub async fn run(self) -> Result<()> {
        let Provider::Aws = self.of;
        let checkout = Checkout::find()?;
        let subject = self.names.subject(&checkout.root).await?;
        if self.print {
            return self.print(&checkout, &subject).await;
        }
        let engine = Engine::unopened(STACK, self.against).await?;
        let aws = match engine.port() {
            Some(port) => Aws::embedded(port)?,
            None => Aws::of_environment(&region()?)?,
        };
        let account = aws.account().await?;
        let home = Home::new(&checkout, &account, &aws.region)?;
        self.write_settings(&checkout, &subject, &aws.region)?;
        eprintln!("account {account}, region {}, for {subject}:…", aws.region);

        let exists = Objects::new(&aws, &home.bucket)?.exists().await?;
        let engine = home
            .enter(engine.in_folder(checkout.root.join("account")), exists)
            .await?;
        self.converge(&checkout, &engine).await?;
        let engine = home.settle(engine).await?;
        print_next_steps(&outputs(&engine).await?, &home.bucket);
        Ok(())
    }

    /// Shows what is missing, and creates it when that is wanted.
    async fn converge(&self, checkout: &Checkout, engine: &Engine) -> Result<()> {
        let steps = engine.preview(&[]).await?;
        let review = review(&checkout.root, &steps)?;
        print!("{}", text::render("of the account", &review, None));
        if review.is_empty() {
            return Ok(());
        }
        if !self.yes {
            confirm()?;
        }
        let mut up = engine.run(&["up", "--yes", "--skip-preview", "--suppress-outputs"]);
        tools::run(&mut up, "pulumi up").await.context(
            "what was created is kept, and the same command goes on from there; where it says \
             EntityAlreadyExists for the provider of identities, say --existing-provider",
        )
    }

    async fn print(&self, checkout: &Checkout, subject: &str) -> Result<()> {
        let program = binaries::account(&checkout.root).await?;
        let mut command = tokio::process::Command::new(program);
        command.arg("template").arg(subject).stdin(Stdio::null());
        for (is_set, option) in [
            (self.existing_provider, "--existing-provider"),
            (self.api_gateway_logs, "--api-gateway-logs"),
        ] {
            if is_set {
                command.arg(option);
            }
        }
        tools::run(&mut command, "the template").await
    }

    /// The file of the stack. It is not tracked: what is in it is said in each call.
    fn write_settings(&self, checkout: &Checkout, subject: &str, region: &str) -> Result<()> {
        let path = checkout.root.join("account/Pulumi.account.yaml");
        let text = format!(
            "{}config:\n  aws:region: {region}\n  mysfits-account:subject: {subject}\n  \
             mysfits-account:githubProvider: {}\n  mysfits-account:apiGatewayLogs: {}\n",
            state::SALT,
            !self.existing_provider,
            self.api_gateway_logs,
        );
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// Where the account is bootstrapped.
fn region() -> Result<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_REGION")
        .or_else(|| set("AWS_DEFAULT_REGION"))
        .context("no region is set: say AWS_REGION=eu-central-1, or where the stacks are to be")
}

fn confirm() -> Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here whether that is to be created: say --yes");
    }
    eprint!("Create that? Type yes: ");
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

async fn outputs(engine: &Engine) -> Result<Value> {
    let output = engine
        .pulumi(&["stack", "output", "--json"])
        .output()
        .await?;
    if !output.status.success() {
        bail!(
            "there are no outputs: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn print_next_steps(outputs: &Value, bucket: &str) {
    let output = |name: &str| outputs[name].as_str().unwrap_or_default().to_owned();
    println!("\nThe account is ready. Variables of the repository on GitHub (docs/github.md):");
    for (variable, name) in [
        ("AWS_REGION", "region"),
        ("AWS_PREVIEW_ROLE", "previewRole"),
        ("AWS_DEPLOY_DEV_ROLE", "deployDevRole"),
        ("AWS_DEPLOY_PROD_ROLE", "deployProdRole"),
        ("PULUMI_BACKEND_URL", "backend"),
    ] {
        println!("    {variable:20}  {}", output(name));
    }
    println!(
        "\nThe stacks, here:\n    \
             pulumi login '{}'\n    \
             pulumi stack init dev --secrets-provider '{}'\n\
         \n\
         The state of this is in the bucket {bucket} too.",
        output("backend"),
        output("secretsProvider"),
    );
}
