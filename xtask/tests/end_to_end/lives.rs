//! What happens to a stack between deployments: an update that is killed, things deleted by hand, a
//! part of the state lost, another name, another backend. Each ends well with the commands that
//! Pulumi has for it.

use crate::clicks::send;
use crate::place::Place;
use crate::records::client;
use anyhow::{Context, Result, ensure};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::time::Duration;

const QUIET: &str = "--yes --skip-preview --stack local";

#[tokio::test]
async fn an_update_that_is_killed_goes_on_and_leaves_nothing_behind() -> Result<()> {
    let place = Place::new()?;
    // Once before anything is in the state, once in the midst of the API.
    for shown in ["Bucket mysfits-clicks creating", "Method"] {
        kill_up_at(&place, shown)?;
        place.shell("pulumi cancel --yes --stack local")?;
    }
    place.shell(&format!("pulumi up {QUIET}"))?;
    place.shell(&format!("pulumi refresh {QUIET} --expect-no-changes"))?;
    place.shell("pulumi preview --stack local --expect-no-changes")?;
    assert_eq!(books(&place).await?, state(&place)?);
    send(&place.outputs()?, 1, 1).await?;
    place.shell(&format!("pulumi destroy {QUIET}"))?;
    assert_eq!(books(&place).await?, BTreeMap::new());
    place.assert_clean()
}

#[tokio::test]
async fn what_is_gone_or_forgotten_comes_back() -> Result<()> {
    let place = Place::new()?;
    place.shell(&format!("pulumi up {QUIET}"))?;
    let outputs = place.outputs()?;
    let site = outputs["siteBucket"].as_str().context("no bucket")?;
    let bucket = Bucket::new(
        place.aws()?.parse()?,
        UrlStyle::Path,
        site.to_owned(),
        "us-east-1",
    )?;
    let keys = Credentials::new("test", "test");
    let delete = bucket.delete_object(Some(&keys), "index.html");
    let delete = delete.sign(Duration::from_secs(60));
    let deleted = client()?.delete(delete).send().await?;
    assert_eq!(deleted.status(), 204);
    place.shell(&format!("pulumi refresh {QUIET}"))?;
    place.shell(&format!("pulumi up {QUIET}"))?;
    let get = bucket.get_object(Some(&keys), "index.html");
    let got = client()?
        .get(get.sign(Duration::from_secs(60)))
        .send()
        .await?;
    assert_eq!(got.status(), 200);

    // What AWS puts is put again by a state that has lost it.
    for kind in [
        "BucketVersioning",
        "BucketObjectv2",
        "BucketPublicAccessBlock",
        "BucketPolicy",
    ] {
        forget(&place, &format!("{kind}::"))?;
    }
    place.shell(&format!("pulumi up {QUIET}"))?;
    place.shell(&format!("pulumi refresh {QUIET} --expect-no-changes"))?;
    assert_eq!(books(&place).await?, state(&place)?);

    // With the integration goes the stage, which AWS does not create twice: it says what to do.
    let stage = place.resources()?.into_iter();
    let mut stage = stage.filter(|resource| resource["type"] == "aws:apigateway/stage:Stage");
    let stage = stage.next().context("no stage")?;
    forget(&place, "aws:apigateway/integration:Integration::")?;
    let output = place.try_shell(&format!("pulumi up {QUIET}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(said.contains("Stage already exists"), "{said}");
    let (_, import) = said.split_once("take it over: ").context("no way out")?;
    let (import, _) = import
        .split_once(" --parent NAME=URN")
        .context("no parent")?;
    let parent = stage["parent"].as_str().context("no parent")?;
    place.shell(&format!(
        "{import} --parent 'api={parent}' {QUIET} --generate-code=false --protect=false"
    ))?;
    place.shell(&format!("pulumi up {QUIET}"))?;
    place.shell(&format!("pulumi refresh {QUIET} --expect-no-changes"))?;
    assert_eq!(books(&place).await?, state(&place)?);
    place.shell(&format!("pulumi destroy {QUIET}"))?;
    // An alarm that hung on the stage has got a successor by another name. The state has forgotten
    // it, and so it stays, as on AWS.
    let left = books(&place).await?.into_keys();
    let left: Vec<String> = left.filter(|urn| !urn.contains("MetricAlarm")).collect();
    assert_eq!(left, [] as [&str; 0]);
    place.assert_clean()
}

#[tokio::test]
async fn a_stack_is_renamed_exported_and_targeted() -> Result<()> {
    let place = Place::new()?;
    place.shell(&format!("pulumi up {QUIET}"))?;
    let before = state(&place)?;
    // The stack's file is renamed with it: the one of the checkout stays.
    let project = place.home.join("project");
    std::fs::create_dir(&project)?;
    for name in ["Pulumi.yaml", "Pulumi.local.yaml"] {
        std::fs::copy(place.root.join(name), project.join(name))?;
    }
    let file = project.join("Pulumi.moved.yaml");
    let moved = format!("--stack moved --config-file '{}'", file.display());

    // Out of one backend and, under another name, into it again.
    let outputs = place.outputs()?;
    place.shell(&format!(
        "cd '{}' && pulumi stack rename moved --stack local",
        project.display()
    ))?;
    place.shell(&format!("pulumi up --yes --skip-preview {moved}"))?;
    let shown = place.xtask(&["status"])?;
    ensure!(shown.contains("Stack moved:"), "{shown}");
    ensure!(!shown.contains("Stack local:"), "{shown}");
    let renamed = place.outputs_of("moved")?;
    assert_eq!(renamed["clicksBucket"], outputs["clicksBucket"]);
    send(&renamed, 1, 1).await?;

    let exported = place.home.join("state.json");
    place.shell(&format!(
        "pulumi stack export --stack moved --file '{0}' && \
         pulumi stack import --stack moved --file '{0}'",
        exported.display()
    ))?;
    place.shell(&format!("pulumi preview --expect-no-changes {moved}"))?;

    // A new stack of the old name is another one.
    let second = place.home.join("Pulumi.second.yaml");
    let lines = std::fs::read_to_string(place.root.join("Pulumi.local.yaml"))?;
    std::fs::write(
        &second,
        lines
            .lines()
            .filter(|line| !line.contains("manageApiGatewayAccount"))
            .fold(String::new(), |text, line| text + line + "\n")
            + "  mysfits:manageApiGatewayAccount: false\n",
    )?;
    let local = format!("--stack local --config-file '{}'", second.display());
    place.shell("pulumi stack init local --no-select --secrets-provider passphrase || true")?;
    place.shell(&format!("pulumi up --yes --skip-preview {local}"))?;
    let own = place.outputs_of("local")?;
    assert_ne!(own["clicksBucket"], renamed["clicksBucket"]);
    let other = books(&place).await?;
    ensure!(other.len() > before.len(), "{other:?}");

    // One resource alone, then the rest.
    let urns: Vec<String> = state_of(&place, "local")?.into_keys().collect();
    let object = urns.iter().find(|urn| urn.contains("BucketObjectv2"));
    let object = object.context("no object")?;
    place.shell(&format!(
        "pulumi destroy --yes --skip-preview {local} --target '{object}'"
    ))?;
    ensure!(!books(&place).await?.contains_key(object));
    place.shell(&format!(
        "pulumi up --yes --skip-preview {local} --target '{object}'"
    ))?;
    ensure!(books(&place).await?.contains_key(object));
    place.shell(&format!("pulumi destroy --yes --skip-preview {local}"))?;
    send(&renamed, 1, 1).await?;
    place.shell(&format!("pulumi destroy --yes --skip-preview {moved}"))?;
    assert_eq!(books(&place).await?, BTreeMap::new());
    place.assert_clean()
}

/// Takes the last resource whose URN has this in it, and all that depends on it, out of the state.
fn forget(place: &Place, part: &str) -> Result<()> {
    let mut urns = place.resources()?.into_iter().filter_map(|resource| {
        let urn = resource["urn"].as_str()?;
        urn.contains(part).then(|| urn.to_owned())
    });
    let urn = urns.next_back().with_context(|| format!("no {part}"))?;
    place.shell(&format!(
        "pulumi state delete '{urn}' --target-dependents --yes --stack local"
    ))?;
    Ok(())
}

/// Kills `pulumi up` without a warning as soon as it shows this.
fn kill_up_at(place: &Place, shown: &str) -> Result<()> {
    let mut up = place.start_shell(&format!("exec pulumi up {QUIET}"))?;
    let lines = BufReader::new(up.stdout.take().context("no output")?).lines();
    let mut all = String::new();
    let mut seen = false;
    for line in lines {
        let line = line?;
        all += &format!("{line}\n");
        if line.contains(shown) {
            seen = true;
            break;
        }
    }
    up.kill()?;
    up.wait()?;
    ensure!(seen, "{shown} was never shown:\n{all}");
    Ok(())
}

/// What the cloud's books hold: ids by URN.
async fn books(place: &Place) -> Result<BTreeMap<String, String>> {
    let url = format!("{}/_mysfits/resources", place.aws()?);
    let answer: Value = client()?.get(url).send().await?.json().await?;
    ids(answer["resources"].as_array().context("no resources")?)
}

fn state(place: &Place) -> Result<BTreeMap<String, String>> {
    state_of(place, "local")
}

/// The same of any stack.
fn state_of(place: &Place, stack: &str) -> Result<BTreeMap<String, String>> {
    let mut resources = place.resources_of(stack)?;
    resources.retain(|resource| {
        let kind = resource["type"].as_str().unwrap_or_default();
        kind.starts_with("aws:")
    });
    ids(&resources)
}

fn ids(resources: &[Value]) -> Result<BTreeMap<String, String>> {
    let id = |resource: &Value| {
        let text = |name: &str| resource[name].as_str().map(str::to_owned);
        text("urn").zip(text("id")).context("no URN or no id")
    };
    resources.iter().map(id).collect()
}
