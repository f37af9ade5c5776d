//! Names and places: a resource by another name, a state in another backend. The embedded cloud goes
//! along, or says what to do.

use crate::place::Place;
use crate::records::client;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

const QUIET: &str = "--yes --skip-preview --stack local";

#[tokio::test]
async fn a_resource_that_is_renamed_in_the_state_is_the_same_one() -> Result<()> {
    let place = Place::new()?;
    place.shell(&format!("pulumi up {QUIET}"))?;
    // One that others depend on, and one that is served.
    for (kind, name) in [
        ("aws:cloudwatch/logGroup:LogGroup", "mysfits-api"),
        ("aws:s3/bucket:Bucket", "mysfits-clicks"),
        ("aws:lambda/function:Function", "mysfits-processor"),
    ] {
        let resource = find(&place, kind, name)?;
        let urn = resource["urn"].as_str().context("no URN")?.to_owned();
        let other = "renamed";
        place.shell(&format!(
            "pulumi state rename '{urn}' {other} --yes --stack local"
        ))?;
        let renamed = find(&place, kind, other)?;
        assert_eq!(renamed["id"], resource["id"]);
        place.shell(&format!("pulumi refresh {QUIET} --expect-no-changes"))?;
        // The program has not followed: it would be another resource.
        let would = place.try_xtask(&["preview", "-s", "local", "--format", "json"])?;
        let would: Value = serde_json::from_slice(&would.stdout)?;
        ensure!(would["changes"] == true, "{would:#}");

        let renamed = renamed["urn"].as_str().context("no URN")?;
        place.shell(&format!(
            "pulumi state rename '{renamed}' {name} --yes --stack local"
        ))?;
        place.shell("pulumi preview --stack local --expect-no-changes")?;
    }
    // What is destroyed under its new name is gone.
    let bucket = find(&place, "aws:s3/bucket:Bucket", "mysfits-clicks")?;
    let urn = bucket["urn"].as_str().context("no URN")?;
    place.shell(&format!(
        "pulumi state rename '{urn}' renamed --yes --stack local"
    ))?;
    place.shell(&format!("pulumi destroy {QUIET}"))?;
    ensure!(books(&place).await?.is_empty());
    place.assert_clean()
}

#[tokio::test]
async fn a_state_moves_into_another_backend() -> Result<()> {
    let place = Place::new()?;
    place.shell(&format!("pulumi up {QUIET}"))?;
    let before = books(&place).await?;
    let (file, other) = (place.home.join("state.json"), place.home.join("other"));
    std::fs::create_dir(&other)?;
    // The characters of the home's path that an URL has to quote.
    let url = format!("file://{}", other.display())
        .replace('%', "%25")
        .replace('#', "%23")
        .replace('?', "%3F");
    place.shell(&format!(
        "pulumi stack export --stack local --file '{file}'
         export PULUMI_BACKEND_URL='{url}'
         pulumi stack init local --secrets-provider awskms://alias/pulumi &&
         pulumi stack import --stack local --file '{file}' &&
         pulumi preview --stack local --expect-no-changes &&
         pulumi refresh {QUIET} --expect-no-changes &&
         pulumi up {QUIET} --expect-no-changes",
        file = file.display()
    ))?;
    assert_eq!(books(&place).await?, before);
    place.shell(&format!(
        "export PULUMI_BACKEND_URL='{url}'; pulumi destroy {QUIET}"
    ))?;
    ensure!(books(&place).await?.is_empty());
    // The state in the first backend does not know that: a refresh tells it. What is left is the
    // one that an account always has.
    place.shell(&format!("pulumi refresh {QUIET}"))?;
    let left = place.resources()?.into_iter().filter(|resource| {
        let kind = resource["type"].as_str().unwrap_or_default();
        kind.starts_with("aws:") && kind != "aws:apigateway/account:Account"
    });
    let left: Vec<Value> = left.map(|resource| resource["urn"].clone()).collect();
    assert_eq!(left, [] as [Value; 0]);
    place.assert_clean()
}

fn find(place: &Place, kind: &str, name: &str) -> Result<Value> {
    let mut resources = place.resources()?.into_iter().filter(|resource| {
        let urn = resource["urn"].as_str().unwrap_or_default();
        resource["type"] == kind && urn.ends_with(&format!("::{name}"))
    });
    resources
        .next()
        .with_context(|| format!("no {kind} {name}"))
}

async fn books(place: &Place) -> Result<Vec<Value>> {
    let url = format!("{}/_mysfits/resources", place.aws()?);
    let answer: Value = client()?.get(url).send().await?.json().await?;
    Ok(answer["resources"]
        .as_array()
        .context("no resources")?
        .clone())
}
