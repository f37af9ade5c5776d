//! For the build script of a binding: Gestalt generates the code from a schema, and this crate adds
//! what the schema says beyond types.
//!
//! ```no_run
//! // build.rs
//! fn main() -> anyhow::Result<()> {
//!     pulumi_binding::generate("schema.json")
//! }
//! ```
//!
//! Gestalt's generator reads the types of a schema. What is secret, defaults, former types, what
//! replaces a resource, what is deprecated, where the plugin is and how a package is made out of another
//! one is written into the generated files here, as what `pulumi_program` follows when it registers a
//! resource. The URN of a resource gets a type of its own, which refers to it in options.

mod additions;
mod constants;
mod schema;

use std::env;
use std::fs::{self, File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};

use additions::Additions;
use schema::Schema;

/// Generates the binding from the schema at `path`, which is relative to the binding's folder. A binding
/// has it with `pulumi_gestalt_rust::include_provider!("PACKAGE")`.
///
/// # Errors When the schema cannot be read, or has something that the generator cannot express.
pub fn generate(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let wrong = || format!("{} is no package schema", path.display());
    let schema: Schema = serde_json::from_slice(&text).with_context(wrong)?;
    let output = PathBuf::from(env::var_os("OUT_DIR").context("a build script alone has OUT_DIR")?);

    println!("cargo::rerun-if-changed={}", path.display());
    let without = constants::without(serde_json::from_slice(&text).with_context(wrong)?);
    let copy = output.join("schema.json");
    fs::write(&copy, without.to_string())
        .with_context(|| format!("cannot write {}", copy.display()))?;
    age(&copy)?;
    pulumi_gestalt_build::generate_from_schema(&copy)
        .with_context(|| format!("no binding can be generated from {}", path.display()))?;
    let folder = output.join("pulumi").join(&schema.name);
    let additions = Additions::new(&schema)?;

    let mut resources = 0;
    for file in files(&folder.join("resources"))? {
        rewrite(&file, |text| additions.resource(text))?;
        resources += 1;
    }
    ensure!(
        resources == schema.resources.len(),
        "{} resources of {} were generated: two of them have one name in Rust",
        resources,
        schema.resources.len()
    );
    rewrite(&folder.join("provider/provider.rs"), |text| {
        additions.provider(text)
    })?;
    for file in files(&folder.join("functions"))? {
        rewrite(&file, |text| additions.function(text))?;
    }
    rewrite(&folder.join("lib.rs"), |text| Ok(additions.package(text)))
}

/// All files in a folder, at any depth; none where there is no folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    Ok(found)
}

fn rewrite(path: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("the generator wrote no {}", path.display()))?;
    let text = change(&text).with_context(|| format!("in {}", path.display()))?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    age(path)
}

/// As the generator does: the file gets the oldest time there is, so that it is never newer than what
/// was compiled from it.
fn age(path: &Path) -> Result<()> {
    let file = File::options().write(true).open(path)?;
    Ok(file.set_times(FileTimes::new().set_modified(SystemTime::UNIX_EPOCH))?)
}
