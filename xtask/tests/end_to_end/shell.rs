//! A shell after `eval "$(cargo xtask env)"`.

use crate::place::Place;
use anyhow::Result;
use std::collections::BTreeSet;

#[test]
fn env_prints_exports_and_unsets_alone() -> Result<()> {
    let place = Place::new()?;
    let mut set = BTreeSet::new();
    let mut unset = BTreeSet::new();
    let printed = place.xtask(&["env"])?;
    for line in printed.lines() {
        if let Some(name) = line.strip_prefix("unset ") {
            unset.insert(name);
        } else if let Some((name, _)) = line
            .strip_prefix("export ")
            .and_then(|export| export.split_once('='))
        {
            set.insert(name);
        } else {
            panic!("neither an export nor an unset: {line}");
        }
    }
    for name in [
        "PATH",
        "PULUMI_BACKEND_URL",
        "PULUMI_HOME",
        "PULUMI_CONFIG_PASSPHRASE",
        "PULUMI_DEBUG_PROVIDERS",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
        "PULUMI_SKIP_UPDATE_CHECK",
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    ] {
        assert!(set.contains(name), "{name} is not exported");
    }
    for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"] {
        assert!(unset.contains(name), "{name} is not unset");
    }
    place.assert_clean()
}

#[test]
fn two_commands_at_once_start_one_cloud() -> Result<()> {
    let place = Place::new()?;
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| place.xtask(&["env"]));
        (place.xtask(&["env"]), other.join())
    });
    assert_eq!(one?, other.unwrap()?);
    Ok(())
}

#[test]
fn plain_pulumi_works_on_every_stack() -> Result<()> {
    let place = Place::new()?;
    for stack in ["dev", "prod"] {
        place.shell(&format!("pulumi preview --stack {stack}"))?;
    }
    place.shell(
        "pulumi preview -s local && pulumi up -s local --yes && pulumi refresh -s local --yes",
    )?;
    let endpoint = place.shell("pulumi stack output clicksEndpoint -s local")?;
    assert!(endpoint.starts_with("http://127.0.0.1:"), "{endpoint}");
    let logs = place.home.join("pulumi-home/logs");
    assert!(logs.is_file(), "the CLI keeps a log of each command");
    place.shell("pulumi destroy -s local --yes")?;
    place.assert_clean()
}

/// `template` in Pulumi.yaml, with the answers that it proposes.
#[test]
fn pulumi_new_asks_for_what_a_stack_of_one_s_own_needs() -> Result<()> {
    let place = Place::new()?;
    let (template, copy) = (place.home.join("template"), place.home.join("copy"));
    std::fs::create_dir_all(template.join("src"))?;
    std::fs::copy(place.root.join("Pulumi.yaml"), template.join("Pulumi.yaml"))?;
    // `pulumi new` fetches what the program needs: this one needs nothing.
    let package = "[package]\nname = \"infra\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    std::fs::write(template.join("Cargo.toml"), package)?;
    std::fs::write(template.join("src/main.rs"), "fn main() {}\n")?;
    // A backend of its own: the place's has the project already.
    let backend = tempfile::tempdir()?;
    place.shell(&format!(
        "PULUMI_BACKEND_URL='file://{}' pulumi new '{}' --dir '{}' --yes --force --stack copy",
        backend.path().display(),
        template.display(),
        copy.display()
    ))?;
    let stack = std::fs::read_to_string(copy.join("Pulumi.copy.yaml"))?;
    for expected in [
        "aws:region: us-east-1",
        "mysfits:forceDestroy: \"false\"",
        "mysfits:manageApiGatewayAccount: \"true\"",
        "mysfits:repository: \"true\"",
    ] {
        assert!(stack.contains(expected), "{expected}: {stack}");
    }
    // What is left empty is not set.
    assert!(!stack.contains("alarmEmail"), "{stack}");
    place.assert_clean()
}

#[test]
fn pulumi_knows_the_language() -> Result<()> {
    let place = Place::new()?;
    let about = place.shell("pulumi about -s local")?;
    assert!(about.contains("This project is written in rust"), "{about}");
    assert!(about.contains("pulumi_gestalt_providers_aws"), "{about}");

    let plugins = place.shell("pulumi plugin ls --project")?;
    assert!(
        plugins.contains("aws") && plugins.contains("7.48.0"),
        "{plugins}"
    );
    let plugins = place.shell("pulumi plugin ls")?;
    assert!(plugins.contains("rust"), "{plugins}");

    place.shell("pulumi install")?;
    place.shell(&format!(
        "cd / && pulumi -C '{}' preview -s dev",
        place.root.display()
    ))?;
    place.assert_clean()
}
