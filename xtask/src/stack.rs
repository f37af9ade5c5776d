//! A deployed stack as its state describes it: on the embedded cloud, or on AWS.

use crate::aws::Aws;
use crate::checkout::Checkout;
use crate::cloud::Cloud;
use crate::ports;
use crate::pulumi;
use crate::session::LOCAL;
use crate::variables::Variables;
use anyhow::{Context, Result, bail};
use pulumi_protocol::STACK_TYPE;
use serde::Deserialize;
use serde_json::Value;
use std::process::Stdio;
use tokio::process::Command;

#[derive(Debug)]
pub struct Stack {
    pub name: String,
    /// The account that it is deployed to.
    pub aws: Aws,
    resources: Vec<Resource>,
}

/// A resource of the state.
#[derive(Debug, Deserialize)]
pub struct Resource {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub outputs: Value,
}

#[derive(Deserialize)]
struct Exported {
    deployment: Deployment,
}

#[derive(Deserialize)]
struct Deployment {
    #[serde(default)]
    resources: Vec<Resource>,
}

impl Stack {
    /// Reads the state: of stack `local` in this checkout's home, of any other in the backend
    /// that plain `pulumi` uses here.
    pub async fn open(name: &str) -> Result<Self> {
        let checkout = Checkout::find()?;
        if name != LOCAL {
            let cli = Command::new(pulumi::find(&checkout).await?);
            let resources = export(cli, &checkout, name).await?;
            let region = output(&resources, "region").with_context(|| {
                format!("stack {name} is not deployed: run `pulumi up -s {name}`")
            })?;
            return Ok(Self {
                aws: Aws::of_environment(region)?,
                name: name.to_owned(),
                resources,
            });
        }
        let program = checkout.bin().join("pulumi");
        if !checkout.stack(LOCAL).is_file() || !program.exists() {
            bail!("stack {LOCAL} is not deployed: run `cargo xtask up`");
        }
        let port = ports::first(&checkout)?;
        if Cloud::new(&checkout, port).running().await?.is_none() {
            bail!("the embedded cloud is not running: run `cargo xtask start`");
        }
        let mut cli = Command::new(program);
        Variables::new(&checkout, port)?.apply(&mut cli);
        Ok(Self {
            aws: Aws::embedded(port)?,
            name: name.to_owned(),
            resources: export(cli, &checkout, name).await?,
        })
    }

    /// An output of the stack that is a text.
    pub fn output(&self, name: &str) -> Result<&str> {
        output(&self.resources, name)
            .with_context(|| format!("stack {} has no output {name}: is it deployed?", self.name))
    }

    /// The resources of a type.
    pub fn of_type(&self, kind: &'static str) -> impl Iterator<Item = &Resource> {
        let resources = self.resources.iter();
        resources.filter(move |resource| resource.kind == kind)
    }

    /// The first resource of a type, by one of its outputs.
    pub fn find(&self, kind: &'static str, name: &str, value: &str) -> Result<&Resource> {
        self.of_type(kind)
            .find(|resource| resource.outputs[name] == value)
            .with_context(|| format!("stack {} has no {kind} whose {name} is {value}", self.name))
    }
}

fn output<'a>(resources: &'a [Resource], name: &str) -> Option<&'a str> {
    let stack = resources
        .iter()
        .find(|resource| resource.kind == STACK_TYPE);
    stack?.outputs[name].as_str()
}

async fn export(mut cli: Command, checkout: &Checkout, name: &str) -> Result<Vec<Resource>> {
    cli.args(["stack", "export", "--stack", name])
        .current_dir(&checkout.root)
        .stdin(Stdio::null());
    pulumi_package::cargo::forget_own_package(&mut cli);
    let output = cli.output().await.context("pulumi cannot be started")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        // The CLI's words for a shell that never logged in to a backend.
        if said.contains("PULUMI_ACCESS_TOKEN") {
            bail!(
                "pulumi is not logged in to the backend that keeps stack {name}: run `pulumi \
                 login s3://YOUR-STATE-BUCKET`, or set PULUMI_BACKEND_URL"
            );
        }
        bail!("the state of stack {name} cannot be read: {}", said.trim());
    }
    let exported: Exported = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("`pulumi stack export` of stack {name} is no state"))?;
    Ok(exported.deployment.resources)
}
