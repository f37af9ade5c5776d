//! The state of the account's own stack: on this machine until the bucket exists that it creates, and
//! in that bucket from then on.

use super::STACK;
use crate::checkout::Checkout;
use crate::engine::Engine;
use crate::variables;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Output;

/// What the CLI asks of a stack whose secrets have a passphrase. This one has no secrets, and the
/// passphrase is no secret.
pub const SALT: &str =
    "encryptionsalt: v1:+To4KcSgdzo=:v1:R5PHs4GoARFA9Th9:Js73nhYh5oTBhEr61lg2vK+szpOr9Q==\n";

/// The two places of the state.
pub struct Home {
    pub bucket: String,
    folder: PathBuf,
    remote: String,
}

impl Home {
    pub fn new(checkout: &Checkout, account: &str, region: &str) -> Result<Self> {
        // As `names::state_bucket` in account/ has it; the end-to-end test compares.
        let bucket = format!("pulumi-state-of-mysfits-{account}-{region}");
        let folder = checkout
            .home
            .join("account")
            .join(format!("{account}-{region}"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be created", folder.display()))?;
        Ok(Self {
            remote: format!("s3://{bucket}?region={region}"),
            bucket,
            folder,
        })
    }

    /// The CLI where the state is, with the stack there.
    pub async fn enter(&self, engine: Engine, bucket_exists: bool) -> Result<Engine> {
        let engine = engine.with("PULUMI_CONFIG_PASSPHRASE", variables::PASSPHRASE.into());
        if !bucket_exists || self.is_here() {
            // Also one that was created before a command that was killed could move its state.
            let here = engine.with("PULUMI_BACKEND_URL", self.here());
            if !self.is_here() {
                init(&here).await?;
            }
            return Ok(here);
        }
        let there = engine.with("PULUMI_BACKEND_URL", self.remote.clone().into());
        if !is_known(&there).await? {
            bail!(
                "the bucket {} exists, and no state of this command is in it: it was made in another \
                 way, such as by the template of --print, and is changed in that way",
                self.bucket
            );
        }
        Ok(there)
    }

    /// Moves the state into the bucket where it is not there yet.
    pub async fn settle(&self, engine: Engine) -> Result<Engine> {
        if !self.is_here() {
            return Ok(engine);
        }
        let file = self.folder.join("state.json");
        let path = file
            .to_str()
            .context("the home has a name that is not UTF-8")?
            .to_owned();
        succeed(
            engine
                .pulumi(&["stack", "export", "--file", &path])
                .output()
                .await?,
        )?;
        let there = engine
            .clone()
            .with("PULUMI_BACKEND_URL", self.remote.clone().into());
        if !is_known(&there).await? {
            init(&there).await?;
        }
        succeed(
            there
                .pulumi(&["stack", "import", "--file", &path])
                .output()
                .await?,
        )?;
        let forget = ["stack", "rm", "--yes", "--force", "--preserve-config"];
        succeed(engine.pulumi(&forget).output().await?)?;
        std::fs::remove_file(&file).ok();
        Ok(there)
    }

    fn is_here(&self) -> bool {
        let file = format!(".pulumi/stacks/mysfits-account/{STACK}.json");
        self.folder.join(file).is_file()
    }

    fn here(&self) -> OsString {
        variables::file_url(&self.folder)
    }
}

async fn init(engine: &Engine) -> Result<()> {
    succeed(
        engine
            .pulumi(&["stack", "init", "--no-select"])
            .output()
            .await?,
    )
}

async fn is_known(engine: &Engine) -> Result<bool> {
    let output = engine.bare(&["stack", "ls", "--json"]).output().await?;
    let stacks: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    succeed(output)?;
    Ok(stacks
        .as_array()
        .into_iter()
        .flatten()
        .any(|stack| stack["name"] == STACK))
}

fn succeed(output: Output) -> Result<()> {
    if !output.status.success() {
        bail!(
            "the state of the account's stack cannot be kept: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
