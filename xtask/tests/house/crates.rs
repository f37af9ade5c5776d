//! What crates depend on, as Cargo says: our own, and those of others.

use crate::{files, root};
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Cargo says of this workspace.
fn metadata(arguments: &[&str]) -> Result<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .args(arguments)
        .current_dir(root()?)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo metadata: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A crate of the embedded cloud.
pub struct Crate {
    pub folder: PathBuf,
    /// What it depends on of the workspace.
    needs: BTreeSet<String>,
    /// What its tests depend on of the workspace, beside that.
    tests_need: BTreeSet<String>,
}

/// The crates of the embedded cloud, by name.
pub fn crates_of_local() -> Result<BTreeMap<String, Crate>> {
    let metadata = metadata(&["--no-deps"])?;
    let local = root()?.join("local");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut crates = BTreeMap::new();
    for package in metadata["packages"].as_array().context("no packages")? {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let Some(folder) = manifest.parent().filter(|path| path.starts_with(&local)) else {
            continue;
        };
        let dependencies = package["dependencies"].as_array().context("no list")?;
        let of_workspace = |of_tests: bool| {
            let ours = dependencies.iter().filter(|one| !one["path"].is_null());
            let these = ours.filter(|one| (one["kind"] == "dev") == of_tests);
            these.map(|one| text(&one["name"])).collect()
        };
        let found = Crate {
            folder: folder.to_owned(),
            needs: of_workspace(false),
            tests_need: of_workspace(true),
        };
        crates.insert(text(&package["name"]), found);
    }
    let names: Vec<_> = crates.keys().collect();
    ensure!(names.len() > 10, "local has {names:?} alone");
    Ok(crates)
}

#[test]
fn no_service_of_local_depends_on_another() -> Result<()> {
    const SHARED: [&str; 3] = ["cloud_core", "cloud_iam", "cloud_resource"];
    for (name, Crate { needs, .. }) in crates_of_local()? {
        let allowed: &[&str] = match name.as_str() {
            // The app alone knows all.
            "mysfits_local" => continue,
            "cloud_core" => &[],
            "cloud_journal" | "cloud_template" => &["cloud_core"],
            "cloud_resource" => &["cloud_core", "pulumi_protocol"],
            "cloud_iam" => &["cloud_core", "cloud_resource"],
            "cloud_apigateway" => &["cloud_template"],
            "cloud_firehose" => &["cloud_journal"],
            // An object's content may be one of Pulumi's assets.
            "cloud_s3" => &["pulumi_protocol"],
            // What tests deploy has URNs.
            "cloud_testing" => &["pulumi_protocol"],
            _ => &[],
        };
        let is_service = !SHARED.contains(&name.as_str())
            && !["cloud_journal", "cloud_template"].contains(&name.as_str());
        let shared = SHARED.iter().filter(|_| is_service);
        let allowed: Vec<_> = allowed.iter().chain(shared).collect();
        let forbidden = needs
            .iter()
            .filter(|on| !allowed.iter().any(|allowed| **allowed == on.as_str()));
        let forbidden: Vec<_> = forbidden.collect();
        assert!(forbidden.is_empty(), "{name} depends on {forbidden:?}");
    }
    Ok(())
}

/// The tests of a service have stand-ins for the services that it calls, so that an edit of one
/// neither compiles nor runs another.
#[test]
fn tests_of_a_service_need_no_other_service() -> Result<()> {
    for (name, Crate { tests_need, .. }) in crates_of_local()? {
        let forbidden: Vec<_> = tests_need
            .iter()
            .filter(|on| name != "mysfits_local" && *on != "cloud_testing")
            .collect();
        assert!(forbidden.is_empty(), "tests of {name} need {forbidden:?}");
    }
    Ok(())
}

/// A dependency that no source names costs each newcomer the time to compile it.
#[test]
fn every_dependency_is_named_by_a_source() -> Result<()> {
    // Macros and build scripts write code that needs the first two, and the others' generated code
    // is in no file ending in .rs. The last gives features that tests and programs then share.
    const UNNAMED: [(&str, &str); 5] = [
        ("pulumi_gestalt_providers_aws", "bon"),
        ("pulumi_gestalt_providers_sample", "bon"),
        ("pulumi_language_rust", "prost"),
        ("pulumi_language_rust", "tonic-prost"),
        ("xtask", "getrandom"),
    ];
    let (sources, root) = (files(".rs")?, root()?);
    let metadata = metadata(&["--no-deps"])?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let folder_of = |package: &serde_json::Value| {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let folder = manifest.parent().and_then(|it| it.strip_prefix(&root).ok());
        folder.map(Path::to_owned)
    };
    let folders: Vec<PathBuf> = packages.iter().filter_map(folder_of).collect();
    for package in packages {
        let (name, folder) = (text(&package["name"]), folder_of(package));
        // A source belongs to the nearest manifest above it.
        let is_own = |path: &Path| {
            let nearest = path
                .ancestors()
                .find(|it| folders.contains(&it.to_path_buf()));
            nearest.is_some() && nearest == folder.as_deref()
        };
        let own = sources.iter().filter(|(path, _)| is_own(path));
        // What is before a `::`, or is used as a whole.
        let paths = own.flat_map(|(_, text)| text.split("::"));
        let words: BTreeSet<&str> = paths
            .flat_map(|text| {
                let uses = text.split("use ").skip(1);
                let used = uses.filter_map(|rest| rest.split([';', ' ']).next());
                let last = text.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
                used.chain(last.take(1))
            })
            .collect();
        for dependency in package["dependencies"].as_array().context("no list")? {
            let renamed = dependency["rename"].as_str().map(str::to_owned);
            let dependency = renamed.unwrap_or_else(|| text(&dependency["name"]));
            let is_named = words.contains(dependency.replace('-', "_").as_str());
            assert!(
                is_named || UNNAMED.contains(&(&name, &dependency)),
                "no source of {name} names {dependency}: take it out of its Cargo.toml"
            );
        }
    }
    Ok(())
}

/// So that the compiler finds what nothing uses.
#[test]
fn what_is_public_in_local_can_be_reached() -> Result<()> {
    for (name, Crate { folder, .. }) in crates_of_local()? {
        let text = fs::read_to_string(folder.join("src/lib.rs"))?;
        let lint = "\n#![warn(unreachable_pub)]\n";
        assert!(text.contains(lint), "{name} does not warn of it");
    }
    Ok(())
}

/// Otherwise `cargo xtask up` and `cargo xtask test` each compile them for themselves.
#[test]
fn programs_and_tests_share_what_is_compiled_of_others() -> Result<()> {
    let tests = features("normal,build,dev")?;
    for (package, of_programs) in features("normal,build")? {
        let of_tests = tests.get(&package);
        assert!(
            of_tests == Some(&of_programs),
            "{package} has features {of_programs:?} in programs, and {of_tests:?} in tests"
        );
    }
    Ok(())
}

/// The features of each package, once for each way in which it is compiled.
fn features(edges: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let tree = Command::new("cargo")
        .args(["tree", "--locked", "--workspace", "--edges", edges])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{f}"])
        .current_dir(root()?)
        .output()?;
    ensure!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // Between the members of the workspace there are empty lines.
    let tree = String::from_utf8(tree.stdout)?;
    for (package, features) in tree.lines().filter_map(|line| line.split_once('|')) {
        packages
            .entry(package.to_owned())
            .or_default()
            .insert(features.to_owned());
    }
    Ok(packages)
}

/// What `cargo deny check licenses sources` would say, with the lists of deny.toml.
#[test]
fn everything_of_others_is_from_the_registry_and_of_a_licence_in_the_list() -> Result<()> {
    let root = root()?;
    let deny: toml::Table = fs::read_to_string(root.join("deny.toml"))?.parse()?;
    let allowed = deny["licenses"]["allow"].as_array().context("no list")?;
    let is_allowed = |licence: &str| allowed.iter().any(|one| one.as_str() == Some(licence));
    let targets = deny["graph"]["targets"].as_array().context("no targets")?;
    let mut count = 0;
    for target in targets.iter().filter_map(toml::Value::as_str) {
        let metadata = metadata(&[&format!("--filter-platform={target}")])?;
        let packages = metadata["packages"].as_array().context("no packages")?;
        for package in packages
            .iter()
            .filter(|package| !package["source"].is_null())
        {
            let (name, licence) = (&package["name"], &package["license"]);
            let source = package["source"].as_str().unwrap_or_default();
            ensure!(source.starts_with("registry+"), "{name} is from {source}");
            let text = licence.as_str().unwrap_or_default();
            let expression = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)
                .with_context(|| format!("{name} is licensed as {licence}"))?;
            ensure!(
                expression.evaluate(|one| is_allowed(&one.to_string())),
                "{name} is licensed as {licence}"
            );
            count += 1;
        }
    }
    ensure!(count > 0, "there are no dependencies");
    Ok(())
}
