//! The invariants of ARCHITECTURE.md that can be seen in the sources.

mod circles;
mod crates;

use anyhow::{Context, Result, ensure};
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

/// Written code; `.generated` is no ending of it.
#[test]
fn each_file_is_short_enough_for_one_subject() -> Result<()> {
    const LONGEST: usize = 500;
    for ending in [".rs", ".js", ".css", ".html", ".sql"] {
        for (path, text) in files(ending)? {
            let lines = text.lines().count();
            assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
        }
    }
    Ok(())
}

/// A reader who learned English at school does not know these, or not in the sense meant.
#[test]
fn prose_is_plain() -> Result<()> {
    const WORDS: [&str; 10] = [
        "whoever",
        "likewise",
        "anew",
        "thereof",
        "thither",
        "stands",
        "henceforth",
        "for ever",
        "takes leave",
        "is the business of",
    ];
    let itself = Path::new("xtask/tests/house/main.rs");
    for ending in [
        ".rs", ".md", ".js", ".css", ".html", ".sql", ".toml", ".yml",
    ] {
        for (path, text) in files(ending)? {
            if path == itself {
                continue;
            }
            for (number, line) in text.lines().enumerate() {
                // Words alone, in names of functions too, with one space between them.
                let words = line
                    .to_lowercase()
                    .replace(|c: char| !c.is_alphanumeric(), " ");
                let words = format!(" {words} ");
                for word in WORDS {
                    let found = words.contains(&format!(" {word} "));
                    let number = number + 1;
                    assert!(!found, "{}:{number} says {word:?}", path.display());
                }
            }
        }
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
