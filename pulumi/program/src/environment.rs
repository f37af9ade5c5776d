//! What Pulumi's engine hands to a program.

use std::collections::{BTreeMap, BTreeSet};
use std::env::{self, VarError};
use std::net::TcpStream;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;

use crate::config::Config;

#[derive(Debug)]
pub(crate) struct Environment {
    pub monitor: String,
    pub engine: String,
    pub stack: String,
    pub project: String,
    pub organization: String,
    pub root_directory: PathBuf,
    pub directory: PathBuf,
    pub preview: bool,
    pub config: Config,
}

impl Environment {
    pub fn read() -> Result<Self> {
        if env::var_os("PULUMI_MONITOR").is_none() && env::var_os("PULUMI_ENGINE").is_none() {
            bail!(
                "this is a Pulumi program, which Pulumi starts: run `pulumi up -s STACK`, or \
                 `pulumi preview -s STACK` to see what it would do, in the folder of Pulumi.yaml"
            );
        }
        let monitor = required("PULUMI_MONITOR")?;
        let engine = required("PULUMI_ENGINE")?;
        let project = required("PULUMI_PROJECT")?;
        let config: BTreeMap<String, String> = json("PULUMI_CONFIG")?;
        let secrets: BTreeSet<String> = json("PULUMI_CONFIG_SECRET_KEYS")?;
        let environment = Self {
            stack: required("PULUMI_STACK")?,
            organization: required("PULUMI_ORGANIZATION")?,
            root_directory: required("PULUMI_ROOT_DIRECTORY")?.into(),
            directory: match optional("PULUMI_PWD")? {
                Some(folder) => folder.into(),
                None => env::current_dir().context("the working directory is gone")?,
            },
            preview: env::var("PULUMI_DRY_RUN").is_ok_and(|value| value == "true"),
            config: Config::new(&project, config, &secrets),
            monitor,
            engine,
            project,
        };
        reachable("PULUMI_MONITOR", &environment.monitor)?;
        reachable("PULUMI_ENGINE", &environment.engine)?;
        Ok(environment)
    }
}

fn optional(name: &str) -> Result<Option<String>> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(value)) => bail!("{name} is no text: {}", value.display()),
    }
}

fn required(name: &str) -> Result<String> {
    optional(name)?.with_context(|| {
        format!("{name} is not set: Pulumi sets it, so start the program with `pulumi up -s STACK`")
    })
}

fn json<T: DeserializeOwned + Default>(name: &str) -> Result<T> {
    match optional(name)? {
        None => Ok(T::default()),
        Some(text) => {
            serde_json::from_str(&text).with_context(|| format!("{name} cannot be read as JSON"))
        }
    }
}

fn reachable(name: &str, address: &str) -> Result<()> {
    TcpStream::connect(address).map(drop).with_context(|| {
        format!("Pulumi's engine does not answer at {address} ({name}): is it still running?")
    })
}
