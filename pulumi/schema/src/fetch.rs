//! Fetches a package's description: from the engine, or from PyPI.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::full::FullSchema;
use crate::python::Wheel;
use crate::selection::Selection;
use crate::spec::PackageSpec;
use crate::trim::Source;

/// Whom to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The engine, and where it cannot answer the SDK on PyPI.
    Any,
    /// The SDK on PyPI.
    PyPi,
    /// A wheel of the Python SDK that is already here.
    Wheel(PathBuf),
    /// The output of `pulumi package get-schema` that is already here.
    Schema(PathBuf),
}

pub(crate) fn source(selection: &Selection, origin: Origin) -> Result<Box<dyn Source>> {
    let Selection {
        package, version, ..
    } = selection;
    match origin {
        Origin::Wheel(path) => Ok(Box::new(Wheel::open(&path, package)?)),
        Origin::Schema(path) => Ok(Box::new(full(&path)?)),
        Origin::PyPi => {
            let wheel = download(package, version)?;
            Ok(Box::new(Wheel::open(&wheel, package)?))
        }
        Origin::Any => match from_engine(package, version) {
            Ok(schema) => Ok(Box::new(schema)),
            Err(no_engine) => {
                let wheel = download(package, version).with_context(|| {
                    format!("neither the engine nor PyPI has {package} {version} ({no_engine:#})")
                })?;
                Ok(Box::new(Wheel::open(&wheel, package)?))
            }
        },
    }
}

/// All that the package has: only the engine and a whole schema know it.
pub(crate) fn whole(package: &str, version: &str, origin: &Origin) -> Result<PackageSpec> {
    match origin {
        Origin::Schema(path) => Ok(full(path)?.into_package()),
        Origin::Any => Ok(from_engine(package, version)?.into_package()),
        Origin::PyPi | Origin::Wheel(_) => {
            bail!("a Python SDK does not list what is in it: name resources and functions")
        }
    }
}

fn full(path: &Path) -> Result<FullSchema> {
    let json = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    FullSchema::parse(&json)
}

fn from_engine(package: &str, version: &str) -> Result<FullSchema> {
    let output = Command::new("pulumi")
        .args(["package", "get-schema", &format!("{package}@{version}")])
        .env("PULUMI_SKIP_UPDATE_CHECK", "true")
        .output()
        .context("cannot run pulumi")?;
    ensure!(
        output.status.success(),
        "pulumi package get-schema: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    FullSchema::parse(&output.stdout)
}

/// The wheel of the package's SDK, kept in the user's cache: a version never changes.
fn download(package: &str, version: &str) -> Result<PathBuf> {
    let folder = cache()?.join(format!("pulumi-{package}-{version}"));
    let wheel = folder.join(format!("pulumi_{package}-{version}-py3-none-any.whl"));
    if wheel.is_file() {
        return Ok(wheel);
    }
    let requirement = format!("pulumi-{package}=={version}");
    let output = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps"])
        .args(["--only-binary", ":all:", "--dest"])
        .arg(&folder)
        .arg(&requirement)
        .output()
        .context("cannot run python3, whose pip downloads the SDK: install python3 and pip")?;
    ensure!(
        output.status.success(),
        "pip download {requirement}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    ensure!(wheel.is_file(), "pip left no {} behind", wheel.display());
    Ok(wheel)
}

/// Where downloads are kept: `pulumi-schema` in the user's cache folder.
///
/// # Errors
/// When the environment names no such folder.
pub fn cache() -> Result<PathBuf> {
    let base = match (std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME")) {
        (Some(folder), _) if Path::new(&folder).is_absolute() => PathBuf::from(folder),
        (_, Some(home)) => PathBuf::from(home).join(".cache"),
        _ => bail!("neither XDG_CACHE_HOME nor HOME says where to keep downloads"),
    };
    Ok(base.join("pulumi-schema"))
}
