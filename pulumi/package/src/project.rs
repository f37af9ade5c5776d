//! What a Cargo workspace says about its Pulumi program: `[workspace.metadata.pulumi]`, which
//! `runtime.options` in Pulumi.yaml may override.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A Pulumi program and the workspace it lives in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The folder of the workspace's Cargo.toml.
    pub root: PathBuf,
    pub program: Program,
    /// The crate whose binary `bootstrap` is packaged before the program runs.
    pub lambda: Option<String>,
    /// The configuration key that names the function's architecture.
    pub architecture_config: Option<String>,
    /// The configuration key that names the profile of the package.
    pub profile_config: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A binary of the workspace, built before each run.
    Workspace(String),
    /// A binary that somebody else has built.
    Prebuilt(PathBuf),
}

/// The keys of `[workspace.metadata.pulumi]` and of `runtime.options`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ProjectOptions {
    program: Option<String>,
    lambda: Option<String>,
    architecture_config: Option<String>,
    profile_config: Option<String>,
    binary: Option<PathBuf>,
}

impl Project {
    /// The project of a program folder: the first folder upwards with a workspace, or else the
    /// nearest package.
    pub fn find(folder: &Path, options: serde_json::Value) -> Result<Self> {
        let options: ProjectOptions = match options {
            serde_json::Value::Null => ProjectOptions::default(),
            options => serde_json::from_value(options)
                .context("runtime.options in Pulumi.yaml is not what this language host takes")?,
        };
        let (root, manifest) = find_manifest(folder)?;
        let path = root.join("Cargo.toml");
        let declared: ProjectOptions = match manifest.metadata() {
            None => ProjectOptions::default(),
            Some(table) => table.clone().try_into().with_context(|| {
                format!("[workspace.metadata.pulumi] in {} is wrong", path.display())
            })?,
        };
        // The function is of the workspace's own program; another one that is asked for has its own.
        let another = options.program.is_some() && options.program != declared.program;
        let declared_lambda = declared.lambda.filter(|_| !another);
        let program = match options.binary.or(declared.binary) {
            Some(binary) => Program::Prebuilt(root.join(binary)),
            None => match options
                .program
                .or(declared.program)
                .or(manifest.own_binary())
            {
                Some(name) => Program::Workspace(name),
                None => bail!(
                    "{} does not name the Pulumi program: add\n[workspace.metadata.pulumi]\nprogram = \"CRATE\"",
                    path.display()
                ),
            },
        };
        Ok(Self {
            program,
            lambda: options.lambda.or(declared_lambda),
            architecture_config: options.architecture_config.or(declared.architecture_config),
            profile_config: options.profile_config.or(declared.profile_config),
            root,
        })
    }

    /// The package to start from in the dependency graph; none for a program built elsewhere.
    pub fn program_crate(&self) -> Option<&str> {
        match &self.program {
            Program::Workspace(name) => Some(name),
            Program::Prebuilt(_) => None,
        }
    }
}

/// Cargo's home: its registry, its configuration.
pub fn cargo_home() -> Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(home) if !home.is_empty() => Ok(PathBuf::from(home)),
        _ => Ok(std::env::home_dir()
            .context("neither CARGO_HOME nor HOME is set")?
            .join(".cargo")),
    }
}

struct Manifest(toml::Table);

impl Manifest {
    fn metadata(&self) -> Option<&toml::Value> {
        self.0.get("workspace")?.get("metadata")?.get("pulumi")
    }

    /// The binary of a package that is its own program: `default-run`, the only one that the manifest
    /// names, or the one of the package's name.
    fn own_binary(&self) -> Option<String> {
        let package = self.0.get("package")?;
        let binaries = self.0.get("bin").and_then(toml::Value::as_array);
        let only = match binaries.map(Vec::as_slice) {
            Some([binary]) => binary.get("name"),
            _ => None,
        };
        let name = package.get("default-run").or(only);
        let name = name.or_else(|| package.get("name"))?.as_str()?;
        Some(name.to_owned())
    }
}

fn find_manifest(folder: &Path) -> Result<(PathBuf, Manifest)> {
    let mut nearest = None;
    for root in folder.ancestors() {
        let path = root.join("Cargo.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        };
        let table: toml::Table = text
            .parse()
            .with_context(|| format!("{} is not valid TOML", path.display()))?;
        if table.contains_key("workspace") {
            return Ok((root.to_owned(), Manifest(table)));
        }
        nearest.get_or_insert_with(|| (root.to_owned(), Manifest(table)));
    }
    nearest.with_context(|| {
        format!(
            "no Cargo.toml in {} or above it: a program of runtime `rust` is a Cargo package",
            folder.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn workspace(manifest: &str) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("inside"))?;
        std::fs::write(folder.path().join("Cargo.toml"), manifest)?;
        Ok(folder)
    }

    #[test]
    fn the_workspace_above_the_program_names_everything() -> Result<()> {
        let folder = workspace(
            "[workspace]\n[workspace.metadata.pulumi]\nprogram = \"infra\"\nlambda = \"lambda\"\n\
             architecture-config = \"shop:architecture\"\nprofile-config = \"shop:profile\"\n",
        )?;
        std::fs::write(
            folder.path().join("inside/Cargo.toml"),
            "[package]\nname = \"inside\"\n",
        )?;
        let project = Project::find(&folder.path().join("inside"), json!({}))?;
        assert_eq!(
            project,
            Project {
                root: folder.path().to_owned(),
                program: Program::Workspace("infra".into()),
                lambda: Some("lambda".into()),
                architecture_config: Some("shop:architecture".into()),
                profile_config: Some("shop:profile".into()),
            }
        );
        Ok(())
    }

    #[test]
    fn options_of_the_project_file_win() -> Result<()> {
        let folder = workspace("[workspace]\n[workspace.metadata.pulumi]\nprogram = \"infra\"\n")?;
        let project = Project::find(folder.path(), json!({"program": "other"}))?;
        assert_eq!(project.program, Program::Workspace("other".into()));
        let project = Project::find(folder.path(), json!({"binary": "bin/done"}))?;
        assert_eq!(
            project.program,
            Program::Prebuilt(folder.path().join("bin/done"))
        );
        Ok(())
    }

    #[test]
    fn a_single_package_is_its_own_program() -> Result<()> {
        let folder = workspace("[package]\nname = \"stack\"\n")?;
        let project = Project::find(folder.path(), serde_json::Value::Null)?;
        assert_eq!(project.program, Program::Workspace("stack".into()));
        Ok(())
    }

    #[test]
    fn a_package_may_name_its_binary_otherwise() -> Result<()> {
        for more in ["[[bin]]\nname = \"deploy\"\n", "default-run = \"deploy\"\n"] {
            let folder = workspace(&format!("[package]\nname = \"stack\"\n{more}"))?;
            let project = Project::find(folder.path(), serde_json::Value::Null)?;
            assert_eq!(project.program, Program::Workspace("deploy".into()));
        }
        Ok(())
    }

    #[test]
    fn a_wrong_key_is_refused_by_name() -> Result<()> {
        let folder = workspace("[workspace]\n[workspace.metadata.pulumi]\nprogramm = \"infra\"\n")?;
        let error = format!("{:#}", Project::find(folder.path(), json!({})).unwrap_err());
        assert!(error.contains("programm"), "{error}");
        let folder = workspace("[package]\nname = \"stack\"\n")?;
        let error = Project::find(folder.path(), json!({"binray": "x"})).unwrap_err();
        assert!(format!("{error:#}").contains("binray"), "{error:#}");
        Ok(())
    }

    #[test]
    fn a_workspace_without_a_program_says_how_to_name_it() -> Result<()> {
        let folder = workspace("[workspace]\n")?;
        let error = Project::find(folder.path(), json!({})).unwrap_err();
        assert!(error.to_string().contains("[workspace.metadata.pulumi]"));
        Ok(())
    }
}
