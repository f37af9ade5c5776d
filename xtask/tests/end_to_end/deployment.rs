//! Stack `local`: up, unchanged, and gone.

use crate::place::Place;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The outputs that are a contract.
const OUTPUTS: [&str; 10] = [
    "clicksBucket",
    "clicksEndpoint",
    "deliveryStream",
    "mysfitsApiEndpoint",
    "processor",
    "region",
    "repositoryCloneUrlHttp",
    "repositoryCloneUrlSsh",
    "siteBucket",
    "siteUrl",
];

#[test]
fn a_stack_comes_up_changes_nothing_and_goes_away() -> Result<()> {
    let place = Place::new()?;
    let said = place.xtask(&["up"])?;
    for name in OUTPUTS {
        assert!(said.contains(name), "{name} is not in:\n{said}");
    }
    assert!(said.contains("The embedded cloud started in"), "{said}");
    place.assert_clean()?;

    place.shell("pulumi preview --stack local --expect-no-changes")?;
    place.shell("pulumi refresh --stack local --yes --expect-no-changes")?;
    let before = place.resources()?;
    let again = place.xtask(&["up"])?;
    assert!(again.contains("The embedded cloud was running"), "{again}");
    assert!(urns(&place.resources()?) == urns(&before));
    place.assert_clean()?;

    let cloud = place.cloud()?.context("no cloud")?;
    place.xtask(&["down"])?;
    assert!(!is_running(cloud), "the cloud still runs");
    assert_eq!(place.cloud()?, None);
    place.assert_clean()?;

    let said = place.xtask(&["down"])?;
    assert!(said.contains("Stack local was not deployed"), "{said}");
    assert_eq!(urns(&place.resources()?), BTreeSet::new());

    // `resources` has a shell, and so a cloud. After that there is nothing a cloud is needed for.
    place.xtask(&["down"])?;
    let log = place.home.join("cloud.log");
    std::fs::remove_file(&log)?;
    place.xtask(&["down"])?;
    assert!(!log.exists(), "a cloud was started to destroy nothing");
    Ok(())
}

#[test]
fn destroy_deletes_what_depends_before_what_it_depends_on() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let resources = place.resources()?;

    let events = place.home.join("events");
    place.shell(&format!(
        "PULUMI_DEBUG_COMMANDS=true pulumi destroy --stack local --yes --event-log '{}'",
        events.display()
    ))?;
    let events = std::fs::read_to_string(events)?;
    let order = Deletions::parse(&events)?;
    let mut compared = 0;
    for resource in &resources {
        let urn = resource["urn"].as_str().context("no urn")?;
        let dependencies = resource["dependencies"].as_array();
        for dependency in dependencies.into_iter().flatten() {
            let dependency = dependency.as_str().context("no urn")?;
            let (Some(ended), Some(began)) = (order.ended.get(urn), order.began.get(dependency))
            else {
                continue;
            };
            assert!(ended < began, "{dependency} went before {urn}");
            compared += 1;
        }
    }
    assert!(compared > 30, "only {compared} dependencies were compared");
    assert_eq!(urns(&place.resources()?), BTreeSet::new());
    Ok(())
}

/// When the deletion of each resource began and ended, as positions in the engine's events.
#[derive(Default)]
struct Deletions {
    began: HashMap<String, usize>,
    ended: HashMap<String, usize>,
}

impl Deletions {
    fn parse(events: &str) -> Result<Self> {
        let mut order = Self::default();
        for (position, line) in events.lines().enumerate() {
            let event: Value = serde_json::from_str(line)?;
            for (name, times) in [
                ("resourcePreEvent", &mut order.began),
                ("resOutputsEvent", &mut order.ended),
            ] {
                let metadata = &event[name]["metadata"];
                if metadata["op"] == "delete"
                    && let Some(urn) = metadata["urn"].as_str()
                {
                    times.insert(urn.to_owned(), position);
                }
            }
        }
        Ok(order)
    }
}

fn urns(resources: &[Value]) -> BTreeSet<String> {
    resources
        .iter()
        .map(|resource| resource["urn"].to_string())
        .collect()
}

/// A process that has ended may be left for its parent to notice.
fn is_running(pid: i32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    }
}
