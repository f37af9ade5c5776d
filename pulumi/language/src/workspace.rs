//! What the manifests of a workspace say: which crate has a binary, and which provider plugin a binding
//! needs.

use crate::lockfile::Versioned;
use anyhow::{Context, Result};
use base64::Engine as _;
use pulumi_package::answers::Question;
use pulumi_package::project::cargo_home;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The crates of a workspace, by name.
#[derive(Debug)]
pub struct Workspace(BTreeMap<String, Manifest>);

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Manifest>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    name: String,
    #[serde(default)]
    metadata: Option<Tables>,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// What is under `[package.metadata]`.
#[derive(Debug, Default, Deserialize)]
struct Tables {
    #[serde(default)]
    pulumi: Option<Plugin>,
}

/// `[package.metadata.pulumi]` of a binding: the package that it is of, and where that is from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plugin {
    pub name: String,
    pub version: String,
    /// Where the plugin is, unless where Pulumi keeps its own.
    #[serde(default)]
    pub server: String,
    /// For a package that another one makes out of a parameter.
    #[serde(default)]
    pub parameterization: Option<Parameterization>,
}

/// The plugin that makes a package, and out of what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Parameterization {
    pub base: String,
    pub base_version: String,
    /// Base64.
    pub parameter: String,
}

impl Workspace {
    /// Asks Cargo for the manifests of the workspace alone.
    pub async fn of(root: &Path) -> Result<Self> {
        let text = Question::Manifests.ask(root).await?;
        let metadata: Metadata = serde_json::from_str(&text).with_context(|| {
            format!(
                "the manifests of {} are not as expected (a binding has name, version, server and \
                 parameterization under [package.metadata.pulumi])",
                root.display()
            )
        })?;
        let packages = metadata.packages.into_iter();
        Ok(Self(packages.map(|one| (one.name.clone(), one)).collect()))
    }

    /// The crate that has this binary: of the same name, if there is one.
    pub fn crate_of(&self, binary: &str) -> Option<&str> {
        let has = |package: &&Manifest| {
            package
                .targets
                .iter()
                .any(|target| target.name == binary && target.kind.iter().any(|kind| kind == "bin"))
        };
        let own = self.0.get(binary).filter(has);
        let found = own.or_else(|| self.0.values().find(has));
        found.map(|package| package.name.as_str())
    }

    /// The plugin of a binding: as its manifest says, in this workspace or in Cargo's registry, or else
    /// as its name and version say.
    pub fn plugin_of(&self, binding: &Versioned) -> Result<Option<Plugin>> {
        if let Some(manifest) = self.0.get(&binding.name) {
            let said = manifest.metadata.as_ref();
            if let Some(plugin) = said.and_then(|tables| tables.pulumi.clone()) {
                return Ok(Some(plugin));
            }
        } else if let Some(plugin) = published(binding)? {
            return Ok(Some(plugin));
        }
        Ok(binding.provider().map(|name| Plugin {
            name,
            version: binding.version.clone(),
            server: String::new(),
            parameterization: None,
        }))
    }
}

/// What the manifest of a binding says that Cargo has from a registry.
fn published(binding: &Versioned) -> Result<Option<Plugin>> {
    #[derive(Deserialize)]
    struct PackageTable {
        #[serde(default)]
        metadata: Option<Tables>,
    }
    #[derive(Deserialize)]
    struct File {
        package: PackageTable,
    }

    if binding.provider().is_none() {
        return Ok(None);
    }
    let sources = cargo_home()?.join("registry/src");
    let Ok(registries) = std::fs::read_dir(sources) else {
        return Ok(None);
    };
    let folder = format!("{}-{}", binding.name, binding.version);
    for registry in registries {
        let path = registry?.path().join(&folder).join("Cargo.toml");
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let file: File = toml::from_str(&text)
            .with_context(|| format!("[package.metadata.pulumi] in {}", path.display()))?;
        return Ok(file.package.metadata.and_then(|tables| tables.pulumi));
    }
    Ok(None)
}

impl Parameterization {
    pub fn value(&self) -> Result<Vec<u8>> {
        base64::prelude::BASE64_STANDARD
            .decode(&self.parameter)
            .with_context(|| format!("the parameter of {} is not base64", self.base))
    }
}
