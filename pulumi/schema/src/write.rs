//! Writes the files with which a program outside of this repository begins: a template for `pulumi
//! new`, and bindings.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::fetch::{self, Origin};
use crate::selection::Selection;
use crate::spec::PackageSpec;
use crate::trim::trim;

const SDK: &str = "{SDK}";

/// The folder with the crates that programs and bindings are made of: of the checkout that this was
/// built from.
pub fn sdk() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    folder.canonicalize().with_context(|| {
        format!(
            "{} is gone, from which this was built: say with --sdk where its crates are",
            folder.display()
        )
    })
}

/// Writes a template to `folder`, on which `pulumi new` works. Programs that are made of it find the
/// crates in `sdk`.
///
/// # Errors
/// When there is something in the folder.
pub fn template(folder: &Path, sdk: &Path) -> Result<()> {
    let manifest = include_str!("../template/Cargo.toml.txt");
    write_new(
        folder,
        &[
            (
                "Pulumi.yaml",
                include_str!("../template/Pulumi.yaml").to_owned(),
            ),
            (
                "Cargo.toml",
                manifest.replace(SDK, &sdk.display().to_string()),
            ),
            (
                "src/main.rs",
                include_str!("../template/src/main.rs").to_owned(),
            ),
            (".gitignore", "/target\n".to_owned()),
        ],
    )
}

/// What a new binding has of its package.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `PACKAGE:MODULE:NAME`.
    pub resources: Vec<String>,
    pub functions: Vec<String>,
    /// Every resource and function, whatever is chosen.
    pub all: bool,
}

/// Writes the crate of a binding to `folder`, with the selection `tokens.toml` for [`update`].
///
/// # Errors
/// When there is something in the folder, the package cannot be had, or does not have what is chosen.
pub fn binding(
    folder: &Path,
    package: &str,
    version: &str,
    choice: &Choice,
    origin: Origin,
    sdk: &Path,
) -> Result<PackageSpec> {
    ensure_empty(folder)?;
    let mut choice = choice.clone();
    if choice.all {
        let whole = fetch::whole(package, version, &origin)?;
        choice.resources = whole.resources.into_keys().collect();
        choice.functions = whole.functions.into_keys().collect();
    }
    let tokens = selection(package, version, &choice);
    let parsed: Selection = toml::from_str(&tokens).context("a token is no text of TOML")?;
    let mut source = fetch::source(&parsed, origin)?;
    let trimmed = trim(&parsed, source.as_mut())?;
    let crate_name = format!("pulumi_gestalt_providers_{}", package.replace('-', "_"));
    let library = format!(
        "//! The binding of {package} {version}: `tokens.toml` says what it has.\n\n\
         #[allow(warnings, clippy::all)]\nmod generated {{\n    \
         pulumi_gestalt_rust::include_provider!(\"{package}\");\n}}\n\npub use generated::*;\n"
    );
    let build = "//! Generates the binding from the schema.\n\n\
                 fn main() -> anyhow::Result<()> {\n    pulumi_binding::generate(\"schema.json\")\n}\n";
    write_new(
        folder,
        &[
            ("Cargo.toml", manifest(&crate_name, &trimmed, sdk)),
            ("build.rs", build.to_owned()),
            ("src/lib.rs", library),
            ("tokens.toml", tokens),
            ("schema.json", crate::text(&trimmed)?),
        ],
    )?;
    Ok(trimmed)
}

/// Writes the schema of a binding again, after a change of its `tokens.toml`.
///
/// # Errors
/// As [`generate`](crate::generate).
pub fn update(folder: &Path, origin: Origin) -> Result<PackageSpec> {
    crate::generate(
        &folder.join("tokens.toml"),
        &folder.join("schema.json"),
        origin,
    )
}

fn selection(package: &str, version: &str, choice: &Choice) -> String {
    let mut text = format!(
        "# What the binding has of the package. After a change: `pulumi-schema update`.\n\
         #\n\
         # A resource has all inputs that are not deprecated, or those in `inputs`, less those in\n\
         # `without`; and the outputs in `outputs`, or all with `all-outputs = true`.\n\n\
         package = {package:?}\nversion = {version:?}\n\n[provider]\n"
    );
    for (table, tokens) in [
        ("resources", &choice.resources),
        ("functions", &choice.functions),
    ] {
        for token in tokens {
            text.push_str(&format!("\n[{table}.{token:?}]\nall-outputs = true\n"));
        }
    }
    text
}

fn manifest(crate_name: &str, package: &PackageSpec, sdk: &Path) -> String {
    let sdk = sdk.display();
    let PackageSpec {
        name,
        version,
        plugin_download_url,
        parameterization,
        ..
    } = package;
    let mut plugin = format!("name = {name:?}\nversion = {version:?}\n");
    if !plugin_download_url.is_empty() {
        plugin.push_str(&format!("server = {plugin_download_url:?}\n"));
    }
    if let Some(parameters) = parameterization {
        plugin.push_str(&format!(
            "\n[package.metadata.pulumi.parameterization]\nbase = {:?}\nbase-version = {:?}\n\
             parameter = {:?}\n",
            parameters.base_provider.name, parameters.base_provider.version, parameters.parameter
        ));
    }
    format!(
        "[package]\nname = {crate_name:?}\nversion = {version:?}\nedition = \"2024\"\npublish = false\n\n\
         # Of which the language host tells the engine, so that it installs the plugin.\n\
         [package.metadata.pulumi]\n{plugin}\n\
         [dependencies]\nbon = \"3\"\n\
         pulumi_gestalt_rust = {{ package = \"pulumi_program\", path = \"{sdk}/program\" }}\n\n\
         [build-dependencies]\nanyhow = \"1\"\npulumi_binding = {{ path = \"{sdk}/binding\" }}\n"
    )
}

fn ensure_empty(folder: &Path) -> Result<()> {
    match fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => bail!("{} is not empty: name a new folder", folder.display()),
        },
        Err(_) => {
            ensure!(!folder.exists(), "{} is no folder", folder.display());
            Ok(())
        }
    }
}

fn write_new(folder: &Path, files: &[(&str, String)]) -> Result<()> {
    ensure_empty(folder)?;
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
