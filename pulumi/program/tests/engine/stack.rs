//! A project with one stack, and the CLI in it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pulumi_package::cargo::forget_own_package;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::OnceCell;

use crate::provider::Provider;

pub(crate) const SAMPLES: &str = env!("CARGO_BIN_EXE_pulumi-program-samples");
/// A command that has not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same, for one that compiles a program and all that it depends on.
const PATIENCE_WITH_A_BUILD: Duration = Duration::from_secs(1800);

pub(crate) struct Stack {
    folder: TempDir,
    /// Where the program is, if not there.
    program: Option<PathBuf>,
    /// Where Cargo builds a program that is not built yet.
    built: Option<PathBuf>,
    patience: Duration,
    path: std::ffi::OsString,
    port: u16,
    pub provider: Provider,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub success: bool,
    pub text: String,
}

impl Stack {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(json!({})).await
    }

    /// With more in Pulumi.yaml.
    pub(crate) async fn with(more: Value) -> Result<Self> {
        let (provider, port) = Provider::serve().await?;
        let host = language_host().await?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = [host].into_iter().chain(std::env::split_paths(&path));
        let stack = Self {
            folder: tempfile::tempdir()?,
            program: None,
            built: None,
            patience: PATIENCE,
            path: std::env::join_paths(folders)?,
            port,
            provider,
        };
        let mut project = json!({
            "name": "project",
            "runtime": { "name": "rust", "options": { "binary": SAMPLES } },
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            project[name] = value.clone();
            if name == "main" {
                std::fs::create_dir(stack.file(value.as_str().unwrap_or_default()))?;
            }
        }
        // JSON is YAML.
        std::fs::write(stack.file("Pulumi.yaml"), project.to_string())?;
        std::fs::write(stack.file("Cargo.toml"), "[workspace]\n")?;
        std::fs::create_dir(stack.file("backend"))?;
        stack.describe(json!([]))?;
        stack.succeed(&["stack", "init", "test"]).await?;
        Ok(stack)
    }

    /// The same engine and provider, for the program of another folder. What it builds is kept with what
    /// this workspace builds.
    pub(crate) fn elsewhere(self, program: PathBuf) -> Self {
        let built = std::path::Path::new(SAMPLES).ancestors().nth(2);
        Self {
            program: Some(program),
            built: built.map(|folder| folder.join("elsewhere")),
            patience: PATIENCE_WITH_A_BUILD,
            ..self
        }
    }

    /// What the program registers from now on.
    pub(crate) fn describe(&self, things: Value) -> Result<()> {
        self.configure(json!({ "project:program": "described", "project:things": things }))
    }

    /// Another of the samples, from now on.
    pub(crate) fn program(&self, name: &str) -> Result<()> {
        self.configure(json!({ "project:program": name }))
    }

    pub(crate) fn configure(&self, config: Value) -> Result<()> {
        let path = self.file("Pulumi.test.yaml");
        let salt = std::fs::read_to_string(&path).unwrap_or_default();
        let salt = salt
            .lines()
            .find_map(|line| line.strip_prefix("encryptionsalt: "));
        let mut settings = json!({ "config": config });
        if let Some(salt) = salt {
            settings["encryptionsalt"] = salt.into();
        }
        // The salt is on a line of its own, where the next description finds it.
        let text = settings.to_string();
        let text = match salt {
            Some(salt) => format!("encryptionsalt: {salt}\nconfig: {}\n", settings["config"]),
            None => text,
        };
        Ok(std::fs::write(path, text)?)
    }

    pub(crate) async fn up(&self) -> Result<Outcome> {
        self.run(&["up", "--yes", "--skip-preview"]).await
    }

    /// An update that has to succeed, of these things.
    pub(crate) async fn deploy(&self, things: Value) -> Result<Vec<String>> {
        self.describe(things)?;
        self.succeed(&["up", "--yes", "--skip-preview"]).await?;
        Ok(self.provider.events())
    }

    /// A preview, and an update that may do nothing but what it said.
    pub(crate) async fn up_by_plan(&self) -> Result<()> {
        self.succeed(&["preview", "--save-plan", "plan.json"])
            .await?;
        self.succeed(&["up", "--yes", "--skip-preview", "--plan", "plan.json"])
            .await?;
        Ok(())
    }

    pub(crate) async fn succeed(&self, arguments: &[&str]) -> Result<String> {
        let outcome = self.run(arguments).await?;
        ensure!(outcome.success, "{arguments:?} failed:\n{}", outcome.text);
        Ok(outcome.text)
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Outcome> {
        finish_within(self.start(arguments)?, self.patience).await
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Child> {
        let mut command = Command::new("pulumi");
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PULUMI_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .args(["--non-interactive", "--color", "never"])
            .current_dir(self.program.as_deref().unwrap_or(self.folder.path()))
            .envs(self.built.iter().map(|folder| ("CARGO_TARGET_DIR", folder)))
            .env("PATH", &self.path)
            .env("PULUMI_HOME", self.file("home"))
            .env(
                "PULUMI_BACKEND_URL",
                format!("file://{}", self.file("backend").display()),
            )
            .env("PULUMI_CONFIG_PASSPHRASE", "test")
            .env("PULUMI_SKIP_UPDATE_CHECK", "true")
            .env("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
            .env(
                "PULUMI_DEBUG_PROVIDERS",
                format!("test:{0},other:{0}", self.port),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command.spawn().context(
            "the Pulumi CLI does not start: `pulumi` has to be on PATH (`cargo xtask test` sees to that)",
        )
    }

    /// The resources in the state, without the stack and the providers.
    pub(crate) async fn state(&self) -> Result<Vec<Value>> {
        let export = self.succeed(&["stack", "export"]).await?;
        let mut export: Value = serde_json::from_str(&export)?;
        let Some(resources) = export["deployment"]["resources"].as_array_mut() else {
            bail!("the export has no resources: {export}");
        };
        let mut resources = std::mem::take(resources);
        resources.retain(|resource| {
            let kind = resource["type"].as_str().unwrap_or_default();
            kind.starts_with("test:") || kind.starts_with("other:")
        });
        Ok(resources)
    }

    /// The outputs of the stack, without its secrets.
    pub(crate) async fn outputs(&self) -> Result<Value> {
        let outputs = self.succeed(&["stack", "output", "--json"]).await?;
        Ok(serde_json::from_str(&outputs)?)
    }

    /// The resource of this name in the state.
    pub(crate) async fn resource(&self, name: &str) -> Result<Value> {
        let mut state = self.state().await?.into_iter();
        let found = state.find(|resource| {
            let urn = resource["urn"].as_str().unwrap_or_default();
            urn.ends_with(&format!("::{name}"))
        });
        found.with_context(|| format!("there is no {name}"))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub(crate) async fn finish(child: Child) -> Result<Outcome> {
    finish_within(child, PATIENCE).await
}

async fn finish_within(child: Child, patience: Duration) -> Result<Outcome> {
    let output = tokio::time::timeout(patience, child.wait_with_output())
        .await
        .context("the command does not end")??;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok(Outcome {
        success: output.status.success(),
        text,
    })
}

/// The folder of this workspace's language host.
async fn language_host() -> Result<PathBuf> {
    static BUILT: OnceCell<()> = OnceCell::const_new();
    BUILT.get_or_try_init(build_language_host).await?;
    let folder = std::path::Path::new(SAMPLES).parent();
    Ok(folder.context("the samples lie in no folder")?.to_owned())
}

async fn build_language_host() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    forget_own_package(&mut cargo);
    let status = cargo
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "pulumi-language-rust",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .await?;
    ensure!(status.success(), "the language host was not built");
    Ok(())
}
