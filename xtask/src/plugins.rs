//! The plugins in the home that Pulumi has here: the language host, and the embedded cloud in
//! the place of each provider that the program needs.

use crate::checkout::Checkout;
use crate::files;
use anyhow::{Context, Result};
use pulumi_language_rust::lockfile::Lockfile;
use pulumi_package::project::Project;
use pulumi_package::whole;
use std::fs;
use std::path::{Path, PathBuf};

/// Installs all. The CLI finds them by itself: `pulumi install` downloads nothing, and the engine
/// has no reason to warn of a language host on PATH.
pub fn install(checkout: &Checkout, language_host: &Path, port: u16) -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let folder = folder(checkout, &format!("language-rust-v{version}"))?;
    files::link(language_host, &folder.join("pulumi-language-rust"))?;
    for (name, version) in providers(checkout)? {
        install_provider(checkout, &name, &version, port)?;
    }
    Ok(())
}

/// A program whose first line names the port of a provider that runs already. The engine does
/// not start it while PULUMI_DEBUG_PROVIDERS names that port.
fn install_provider(checkout: &Checkout, name: &str, version: &str, port: u16) -> Result<()> {
    let folder = folder(checkout, &format!("resource-{name}-v{version}"))?;
    let program = folder.join(format!("pulumi-resource-{name}"));
    let script = format!(
        "#!/bin/sh\n# The embedded cloud is this provider, until the engine hangs up.\n\
         echo {port}\nexec cat > /dev/null\n"
    );
    if fs::read_to_string(&program).is_ok_and(|old| old == script) {
        return Ok(());
    }
    whole::write(&program, script.as_bytes(), 0o755)
        .with_context(|| format!("{} cannot be written", program.display()))
}

fn folder(checkout: &Checkout, name: &str) -> Result<PathBuf> {
    let folder = checkout.pulumi_home().join("plugins").join(name);
    fs::create_dir_all(&folder)
        .with_context(|| format!("{} cannot be created", folder.display()))?;
    Ok(folder)
}

fn providers(checkout: &Checkout) -> Result<Vec<(String, String)>> {
    let project = Project::find(&checkout.root, serde_json::Value::Null)?;
    let Some(program) = project.program_crate() else {
        return Ok(Vec::new());
    };
    let crates = Lockfile::read(&project.root)?.dependencies(program, true);
    Ok(crates
        .into_iter()
        .filter_map(|one| Some((one.provider()?, one.version)))
        .collect())
}
