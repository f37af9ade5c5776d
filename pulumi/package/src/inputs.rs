//! Which files decide what Cargo builds: sources, manifests, settings, and the toolchain.
//!
//! The list has all files that Cargo and rustup read. It also has files that do not exist but would
//! be read if they did. Where the list cannot be complete there is none, and Cargo is asked each
//! time.

use crate::look::Environment;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// What Cargo looks for in the folder of every package without being told:
/// <https://doc.rust-lang.org/cargo/guide/project-layout.html>, and the build script.
const DISCOVERED: [&str; 3] = ["build.rs", "src/lib.rs", "src/main.rs"];

/// Cargo's settings, in its home, and in `.cargo` of the workspace's folder and of all above it:
/// <https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>.
const SETTINGS: [&str; 2] = ["config", "config.toml"];

/// What else Cargo and rustup look for in these folders:
/// <https://rust-lang.github.io/rustup/overrides.html#the-toolchain-file>.
const ABOVE: [&str; 3] = ["Cargo.toml", "rust-toolchain", "rust-toolchain.toml"];

/// Variables that put a program of one's own before the compiler.
const WRAPPERS: [&str; 4] = [
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
];

/// What Cargo's messages say of the packages whose sources are on this machine. Those of a
/// registry never change, but their build scripts may depend on files of this machine.
#[derive(Debug, Default)]
pub struct Local {
    manifests: BTreeSet<PathBuf>,
    /// The first source of each target.
    roots: BTreeSet<PathBuf>,
    scripts: Vec<Script>,
}

/// A build script that was run.
#[derive(Debug)]
struct Script {
    is_local: bool,
    /// Where it puts its results.
    out_dir: PathBuf,
}

impl Local {
    pub fn artifact(&mut self, package: &str, manifest: Option<PathBuf>, source: Option<PathBuf>) {
        if is_local(package) {
            self.manifests.extend(manifest);
            self.roots.extend(source);
        }
    }

    pub fn script(&mut self, package: &str, out_dir: PathBuf) {
        self.scripts.push(Script {
            is_local: is_local(package),
            out_dir,
        });
    }

    /// The inputs of the binary at `executable`, which was built in `root` in an environment.
    pub async fn inputs(
        self,
        root: &Path,
        environment: &Environment,
        executable: &Path,
    ) -> Option<BTreeSet<PathBuf>> {
        let mut inputs = sources(executable)?;
        for script in &self.scripts {
            inputs.extend(script.inputs()?);
        }
        // Cargo's list ends at a package of a registry, and so lacks one that this one is patched
        // to depend on.
        let complete = self.roots.iter().all(|source| inputs.contains(source));
        let plain = inputs.iter().all(|path| path.is_file());
        if !complete || !plain {
            return None;
        }
        let (members, toolchain) =
            tokio::join!(members(root, environment), toolchain(root, environment));
        for manifest in self.manifests.into_iter().chain(members?) {
            let folder = manifest.parent()?;
            inputs.extend(DISCOVERED.map(|name| folder.join(name)));
            inputs.insert(manifest);
        }
        inputs.insert(root.join("Cargo.lock"));
        inputs.extend(toolchain?);
        let mut wrappers = WRAPPERS.iter().filter_map(|name| value(environment, name));
        wrappers.all(OsStr::is_empty).then_some(inputs)
    }
}

/// What decides which compiler and which Cargo a workspace gets, and with which settings.
pub async fn toolchain(root: &Path, environment: &Environment) -> Option<BTreeSet<PathBuf>> {
    let mut inputs = BTreeSet::new();
    let above = root.ancestors();
    inputs.extend(above.flat_map(|folder| ABOVE.map(|name| folder.join(name))));
    let settings = root.ancestors().map(|folder| folder.join(".cargo"));
    let settings = settings.chain([home(environment, "CARGO_HOME", ".cargo")?]);
    let settings = settings.flat_map(|folder| SETTINGS.map(|name| folder.join(name)));
    for path in settings {
        if leads_elsewhere(&path) {
            return None;
        }
        inputs.insert(path);
    }
    inputs.insert(home(environment, "RUSTUP_HOME", ".rustup")?.join("settings.toml"));
    let sysroot = sysroot(root, environment).await?;
    inputs.extend(["bin/cargo", "bin/rustc", "lib"].map(|name| sysroot.join(name)));
    for program in ["cargo", "rustc"] {
        inputs.extend(on_path(environment, program)?);
    }
    Some(inputs)
}

/// What decides which packages and which targets Cargo finds in a workspace.
pub async fn manifests(root: &Path, environment: &Environment) -> Option<BTreeSet<PathBuf>> {
    let mut inputs = BTreeSet::new();
    for manifest in members(root, environment).await? {
        let folder = manifest.parent()?;
        inputs.extend(DISCOVERED.map(|name| folder.join(name)));
        inputs.extend(binaries(&folder.join("src/bin")));
        inputs.insert(manifest);
    }
    Some(inputs)
}

/// The folder in which Cargo finds binaries without being told, and the folders in it: a new file
/// changes the time of its folder.
fn binaries(folder: &Path) -> Vec<PathBuf> {
    let inside = fs::read_dir(folder).into_iter().flatten();
    let inside = inside.filter_map(|entry| Some(entry.ok()?.path()));
    std::iter::once(folder.to_owned()).chain(inside).collect()
}

fn is_local(package: &str) -> bool {
    package.starts_with("path+")
}

/// The sources of a binary, of all packages on this machine that are in it: in the file beside it
/// that Cargo writes for other build systems.
fn sources(executable: &Path) -> Option<BTreeSet<PathBuf>> {
    let text = fs::read_to_string(executable.with_extension("d")).ok()?;
    let (_, list) = text.lines().next()?.split_once(": ")?;
    // A space in a path has a backslash before it.
    let paths = list.replace("\\ ", "\0");
    let paths = paths.split_whitespace();
    let paths: BTreeSet<_> = paths
        .map(|path| PathBuf::from(path.replace('\0', " ")))
        .collect();
    (!paths.is_empty() && paths.iter().all(|path| path.is_absolute())).then_some(paths)
}

impl Script {
    /// The files that the script says it depends on, if they are absolute paths. Other paths are
    /// inside of its package: those of a registry never change, and those of this machine are in
    /// Cargo's list. A script that says nothing depends on every file of its package.
    fn inputs(&self) -> Option<Vec<PathBuf>> {
        let said = self.out_dir.parent()?.join("output");
        let said = fs::read_to_string(said).ok()?;
        let instructions: Vec<&str> = said
            .lines()
            .filter_map(|line| line.strip_prefix("cargo::").or(line.strip_prefix("cargo:")))
            .filter(|instruction| instruction.starts_with("rerun-if-"))
            .collect();
        if self.is_local && instructions.is_empty() {
            return None;
        }
        let files = instructions
            .iter()
            .filter_map(|instruction| instruction.strip_prefix("rerun-if-changed="))
            .map(PathBuf::from);
        Some(files.filter(|path| path.is_absolute()).collect())
    }
}

/// The manifests of all members of the workspace: each has a say in the features of all.
async fn members(root: &Path, environment: &Environment) -> Option<Vec<PathBuf>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Member>,
    }
    #[derive(Deserialize)]
    struct Member {
        manifest_path: PathBuf,
    }
    let text = fs::read_to_string(root.join("Cargo.toml")).ok()?;
    let manifest: toml::Table = text.parse().ok()?;
    let patterns = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("members")?.as_array());
    // A folder that is made later may fit a pattern.
    let is_plain = |member: &toml::Value| {
        member
            .as_str()
            .is_some_and(|member| !member.contains(['*', '?', '[']))
    };
    if !patterns.is_none_or(|members| members.iter().all(is_plain)) {
        return None;
    }
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata = ask("cargo".as_ref(), &arguments, root, environment).await?;
    let metadata: Metadata = serde_json::from_str(&metadata).ok()?;
    let packages = metadata.packages.into_iter();
    Some(packages.map(|package| package.manifest_path).collect())
}

async fn sysroot(root: &Path, environment: &Environment) -> Option<PathBuf> {
    let compiler = value(environment, "RUSTC").unwrap_or("rustc".as_ref());
    let sysroot = ask(compiler, &["--print", "sysroot"], root, environment).await?;
    Some(PathBuf::from(sysroot.trim()))
}

async fn ask(
    program: &OsStr,
    arguments: &[&str],
    root: &Path,
    environment: &Environment,
) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root);
    command.env_clear().envs(environment.iter().cloned());
    let output = command.output().await.ok()?;
    output.status.success().then_some(())?;
    String::from_utf8(output.stdout).ok()
}

/// Where a program is found, and the places before, where it would be found first.
fn on_path(environment: &Environment, program: &str) -> Option<Vec<PathBuf>> {
    let mut places = Vec::new();
    for folder in std::env::split_paths(value(environment, "PATH")?) {
        let place = folder.join(program);
        let found = place.is_file();
        places.push(place);
        if found {
            return Some(places);
        }
    }
    None
}

fn home(environment: &Environment, variable: &str, folder: &str) -> Option<PathBuf> {
    match value(environment, variable) {
        Some(home) if !home.is_empty() => Some(home.into()),
        _ => Some(Path::new(value(environment, "HOME")?).join(folder)),
    }
}

fn value<'a>(environment: &'a Environment, name: &str) -> Option<&'a OsStr> {
    let mut variables = environment.iter();
    let (_, value) = variables.find(|(other, _)| other == name)?;
    Some(value)
}

/// Whether a file of settings names another file that decides too: more settings, or a compiler.
fn leads_elsewhere(settings: &Path) -> bool {
    let Ok(text) = fs::read_to_string(settings) else {
        return settings.exists();
    };
    let Ok(settings) = text.parse::<toml::Table>() else {
        return true;
    };
    let build = settings.get("build").and_then(toml::Value::as_table);
    let compiler = |build: &toml::Table| build.keys().any(|key| is_compiler(key));
    settings.contains_key("include") || build.is_some_and(compiler)
}

/// `rustc`, `rustc-wrapper`, `rustc-workspace-wrapper`.
fn is_compiler(key: &str) -> bool {
    key == "rustc" || key.ends_with("-wrapper")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_script_says_what_it_depends_on() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let of = |said: &str, is_local| -> std::io::Result<_> {
            fs::write(folder.path().join("output"), said)?;
            let out_dir = folder.path().join("out");
            Ok(Script { is_local, out_dir }.inputs())
        };
        let said = "cargo::rerun-if-changed=/usr/include/a.h\ncargo:rerun-if-changed=build.rs\n";
        let header = Some(vec![PathBuf::from("/usr/include/a.h")]);
        assert_eq!(of(said, true)?, header);
        assert_eq!(of(said, false)?, header);
        assert_eq!(of("cargo::rustc-cfg=a\n", true)?, None);
        assert_eq!(of("cargo::rustc-cfg=a\n", false)?, Some(Vec::new()));
        Ok(())
    }
}
