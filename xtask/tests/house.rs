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
        "pulumi_protocol",
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
            // Tests of the embedded cloud speak Pulumi's protocol.
            assert!(
                !(depends && of("local") && name != "pulumi_protocol"),
                "local depends on {name}"
            );
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

/// The mock engine keeps its own, as a second opinion.
#[test]
fn constants_of_pulumis_protocol_are_in_one_crate() -> Result<()> {
    let sources = files(".rs")?;
    let protocol = Path::new("pulumi/protocol");
    let (own, others): (Vec<_>, Vec<_>) = sources
        .iter()
        .filter(|(path, _)| !path.starts_with("pulumi/mock"))
        .partition(|(path, _)| path.starts_with(protocol));
    let is_constant =
        |text: &str| text.len() >= 32 && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
    let constants: Vec<&str> = own
        .iter()
        .flat_map(|(_, text)| text.split('"'))
        .filter(|text| is_constant(text))
        .collect();
    ensure!(constants.len() > 10, "the protocol has {constants:?} alone");
    for (path, text) in others {
        let path = path.display();
        for constant in &constants {
            assert!(
                !text.contains(constant),
                "{path} has {constant} of the protocol"
            );
        }
        let program = text.split("#[cfg(test)]\nmod tests {").next();
        let builds = program.is_some_and(|text| text.contains("format!(\"urn:pulumi:"));
        let is_test = path.to_string().contains("tests/");
        assert!(!builds || is_test, "{path} makes URNs of its own");
    }
    Ok(())
}

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

/// The crates of the embedded cloud, by name, with the folder of each and what it depends on of
/// the workspace, for its tests too.
fn crates_of_local() -> Result<BTreeMap<String, (PathBuf, BTreeSet<String>)>> {
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
        let of_workspace = dependencies.iter().filter(|one| !one["path"].is_null());
        let names = of_workspace.map(|one| text(&one["name"])).collect();
        crates.insert(text(&package["name"]), (folder.to_owned(), names));
    }
    ensure!(crates.len() > 10, "local has {crates:?} alone");
    Ok(crates)
}

#[test]
fn no_service_of_local_depends_on_another() -> Result<()> {
    const SHARED: [&str; 3] = ["cloud_core", "cloud_iam", "cloud_resource"];
    for (name, (_, dependencies)) in crates_of_local()? {
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
            _ => &[],
        };
        let is_service = !SHARED.contains(&name.as_str())
            && !["cloud_journal", "cloud_template"].contains(&name.as_str());
        let shared = SHARED.iter().filter(|_| is_service);
        let allowed: Vec<_> = allowed.iter().chain(shared).collect();
        let forbidden = dependencies
            .iter()
            .filter(|on| !allowed.iter().any(|allowed| **allowed == on.as_str()));
        let forbidden: Vec<_> = forbidden.collect();
        assert!(forbidden.is_empty(), "{name} depends on {forbidden:?}");
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
    for (name, (folder, _)) in crates_of_local()? {
        let text = fs::read_to_string(folder.join("src/lib.rs"))?;
        let lint = "\n#![warn(unreachable_pub)]\n";
        assert!(text.contains(lint), "{name} does not warn of it");
    }
    Ok(())
}

/// More than three files that need each other are one subject in too many files, or no subject.
#[test]
fn files_of_local_need_each_other_in_small_circles_alone() -> Result<()> {
    const MOST: usize = 3;
    let sources = files(".rs")?;
    let root = root()?;
    for (name, (folder, _)) in crates_of_local()? {
        let source = folder.strip_prefix(&root)?.join("src");
        let modules: BTreeMap<Vec<String>, &str> = sources
            .iter()
            .filter(|(path, _)| !path.ends_with("tests.rs"))
            .filter_map(|(path, text)| {
                let module = module_of(path.strip_prefix(&source).ok()?)?;
                Some((module, text.split("\n#[cfg(test)]\nmod tests {").next()?))
            })
            .collect();
        let needs: BTreeMap<_, BTreeSet<_>> = modules
            .iter()
            .map(|(module, text)| (module.clone(), needed(module, text, &modules)))
            .collect();
        for module in modules.keys() {
            let there = reached(module, &needs);
            let circle: Vec<_> = there
                .iter()
                .filter(|other| reached(other, &needs).contains(module))
                .map(|other| other.join("::"))
                .collect();
            assert!(circle.len() <= MOST, "{name} has the circle {circle:?}");
        }
    }
    Ok(())
}

/// The path of the module that a file below `src` is. Roots and the files that only list others
/// (`mod.rs`) re-export, so that what is said of them says nothing: they are none.
fn module_of(path: &Path) -> Option<Vec<String>> {
    let mut parts: Vec<String> = path
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    match parts.last()?.as_str() {
        "lib" | "main" => return None,
        "mod" => {
            parts.pop();
        }
        _ => {}
    }
    Some(parts)
}

/// The modules that a file names in its paths.
fn needed(
    module: &[String],
    text: &str,
    modules: &BTreeMap<Vec<String>, &str>,
) -> BTreeSet<Vec<String>> {
    let mut needed = BTreeSet::new();
    for (start, base) in [
        ("crate::", Vec::new()),
        (
            "super::super::",
            module[..module.len().saturating_sub(2)].to_vec(),
        ),
        ("super::", module[..module.len() - 1].to_vec()),
    ] {
        for (at, _) in text.match_indices(start) {
            let before = &text[..at];
            let line = before.rsplit('\n').next().unwrap_or_default();
            if before.ends_with("super::") || line.trim_start().starts_with("//") {
                continue;
            }
            let rest = &text[at + start.len()..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            let named = rest[..end.unwrap_or(rest.len())].split("::");
            let mut path = base.clone();
            let mut deepest = None;
            for part in named {
                path.push(part.to_owned());
                if modules.contains_key(&path) {
                    deepest = Some(path.clone());
                }
            }
            needed.extend(deepest);
        }
    }
    // A module and what is below it are one subject.
    needed.retain(|other| !other.starts_with(module) && !module.starts_with(other));
    needed
}

/// All that a module needs, directly or not.
fn reached(
    module: &[String],
    needs: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>,
) -> BTreeSet<Vec<String>> {
    let mut there = BTreeSet::new();
    let mut waiting = vec![module.to_vec()];
    while let Some(next) = waiting.pop() {
        for other in needs.get(&next).into_iter().flatten() {
            if there.insert(other.clone()) {
                waiting.push(other.clone());
            }
        }
    }
    there
}

#[test]
fn local_knows_every_type_of_the_schema() -> Result<()> {
    let schema = fs::read_to_string(root()?.join("pulumi/aws/schema.json"))?;
    let schema: serde_json::Value = serde_json::from_str(&schema)?;
    let sources = files(".rs")?;
    let local: Vec<_> = sources
        .iter()
        .filter(|(path, _)| path.starts_with("local"))
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
