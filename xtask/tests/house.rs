//! The invariants of ARCHITECTURE.md that can be seen in the sources.

use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files that git tracks, or would, and that end like this.
fn files(ending: &str) -> Result<Vec<(PathBuf, String)>> {
    let root = root()?;
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()
        .context("the sources are listed by git: install it")?;
    let paths = String::from_utf8(list.stdout)?;
    let of_this_kind = paths.lines().filter(|path| path.ends_with(ending));
    let read = |path: &str| {
        Some((
            PathBuf::from(path),
            fs::read_to_string(root.join(path)).ok()?,
        ))
    };
    let files: Vec<_> = of_this_kind.filter_map(read).collect();
    ensure!(!files.is_empty(), "no file ends in {ending}");
    Ok(files)
}

fn root() -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(package.parent().context("no checkout")?.to_owned())
}

#[test]
fn every_file_says_what_it_is_about() -> Result<()> {
    for (path, text) in files(".rs")? {
        assert!(
            text.starts_with("//!"),
            "{} does not begin with //!",
            path.display()
        );
    }
    Ok(())
}

#[test]
fn infra_does_not_know_where_it_runs() -> Result<()> {
    for (path, text) in files(".rs")? {
        if path.starts_with("infra/src") {
            let text = text.to_lowercase();
            for word in [
                "embedded cloud",
                "127.0.0.1",
                "mysfits_local",
                "mysfits-local",
            ] {
                assert!(!text.contains(word), "{} mentions {word}", path.display());
            }
        }
    }
    Ok(())
}

#[test]
fn crates_depend_on_what_the_map_says() -> Result<()> {
    let ours = [
        "infra",
        "mysfits_local",
        "pulumi_program",
        "pulumi_language_rust",
        "pulumi_package",
        "pulumi_gestalt_providers_aws",
    ];
    for (path, text) in files("Cargo.toml")? {
        let of = |folder: &str| path == Path::new(folder).join("Cargo.toml");
        let dependencies: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .collect();
        for name in ours {
            let depends =
                dependencies.contains(&name) && !text.contains(&format!("name = \"{name}\""));
            assert!(!(depends && of("lambda")), "lambda depends on {name}");
            assert!(!(depends && of("local")), "local depends on {name}");
            assert!(!(depends && of("analytics")), "analytics depends on {name}");
            assert!(
                !(depends && of("infra") && ["mysfits_local", "pulumi_package"].contains(&name)),
                "infra depends on {name}"
            );
        }
        // The binding is what a program is written in, and the protocol is Pulumi's own.
        let insides = dependencies.iter().filter(|name| {
            name.starts_with("pulumi_gestalt_")
                && !["pulumi_gestalt_providers_aws", "pulumi_gestalt_proto"].contains(name)
        });
        if !path.starts_with("pulumi") && path != Path::new("Cargo.toml") {
            let insides: Vec<_> = insides.collect();
            assert!(
                insides.is_empty(),
                "{} knows Gestalt's insides: {insides:?}",
                path.display()
            );
        }
    }
    Ok(())
}

#[test]
fn local_knows_every_type_of_the_schema() -> Result<()> {
    let schema = fs::read_to_string(root()?.join("pulumi/aws/schema.json"))?;
    let schema: serde_json::Value = serde_json::from_str(&schema)?;
    let sources = files(".rs")?;
    let local: Vec<_> = sources
        .iter()
        .filter(|(path, _)| path.starts_with("local/src/provider"))
        .collect();
    for kind in ["resources", "functions"] {
        let tokens = schema[kind]
            .as_object()
            .context("no such part of the schema")?;
        for token in tokens.keys() {
            let known = local
                .iter()
                .any(|(_, text)| text.contains(&format!("\"{token}\"")));
            assert!(known, "local does not know {token}");
        }
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
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--locked"])
            .arg(format!("--filter-platform={target}"))
            .current_dir(&root)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata: {said}");
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
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
