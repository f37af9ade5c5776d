//! A slow provider, which refuses what AWS refuses when a resource comes before what it needs.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use pulumi_mock::{Answer, Resource};

use super::cloud::{self, kind};
use super::{all, mock, one, run};

/// Seeds of delays: each shuffles the answers in another way.
const SEEDS: std::ops::Range<u64> = 0..6;

/// What a deployment does not capture, for it comes after it.
const LIVE: [&str; 3] = [
    "apigateway/deployment",
    "apigateway/stage",
    "apigateway/methodSettings",
];

/// What was asked for so far.
#[derive(Default, Clone)]
struct Strict(Arc<Mutex<Vec<Resource>>>);

impl Strict {
    fn answer(&self, resource: &Resource) -> Answer {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refusal = refusal(&asked, resource);
        asked.push(resource.clone());
        match refusal {
            None => cloud::answer(resource),
            Some(refusal) => Answer::fail(&format!("{}: {refusal}", cloud::label(resource))),
        }
    }
}

/// Why AWS would refuse a resource now. Only what had been answered when it was asked for exists.
fn refusal(asked: &[Resource], new: &Resource) -> Option<&'static str> {
    let existing: Vec<&Resource> = asked
        .iter()
        .filter(|resource| new.asked_after.contains(&resource.urn))
        .collect();
    let exists = |of: &str, properties: &[&str]| {
        existing.iter().any(|old| {
            let same = |name: &&str| old.inputs[*name] == new.inputs[*name];
            kind(old) == of && properties.iter().all(same)
        })
    };
    let method = ["restApi", "resourceId", "httpMethod"];
    let status = ["restApi", "resourceId", "httpMethod", "statusCode"];
    let known = |fact: bool, refusal: &'static str| (!fact).then_some(refusal);
    match kind(new) {
        "apigateway/methodResponse" | "apigateway/integration" => known(
            exists("apigateway/method", &method),
            "Invalid Method identifier specified",
        ),
        "apigateway/integrationResponse" => known(
            exists("apigateway/integration", &method),
            "Invalid Integration identifier specified",
        )
        .or(known(
            exists("apigateway/methodResponse", &status) && declares_headers(&existing, new),
            "Invalid mapping expression parameter specified",
        )),
        "apigateway/deployment" => {
            let methods: Vec<_> = existing
                .iter()
                .filter(|old| kind(old) == "apigateway/method")
                .collect();
            let integrated = methods.iter().all(|one| {
                existing.iter().any(|old| {
                    kind(old) == "apigateway/integration"
                        && old.inputs["httpMethod"] == one.inputs["httpMethod"]
                })
            });
            known(
                !methods.is_empty(),
                "The REST API doesn't contain any methods",
            )
            .or(known(integrated, "No integration defined for method"))
        }
        "apigateway/stage" => known(
            exists("apigateway/account", &[]),
            "CloudWatch Logs role ARN must be set in account settings to enable logging",
        ),
        "apigateway/account" => known(
            policy_of(&existing, new, "/cloudwatchRoleArn"),
            "The role ARN does not have required permissions set to API Gateway",
        ),
        "kinesis/firehoseDeliveryStream" => known(
            policy_of(&existing, new, "/extendedS3Configuration/roleArn"),
            "Firehose is unable to assume role",
        ),
        "s3/bucketLifecycleConfiguration" => known(
            exists("s3/bucketVersioning", &["bucket"]),
            "a rule for old versions of a bucket without versions",
        ),
        _ => None,
    }
}

fn declares_headers(existing: &[&Resource], new: &Resource) -> bool {
    let declared = existing.iter().find(|old| {
        kind(old) == "apigateway/methodResponse"
            && old.inputs["httpMethod"] == new.inputs["httpMethod"]
            && old.inputs["statusCode"] == new.inputs["statusCode"]
    });
    let used = new.inputs["responseParameters"].as_object();
    used.into_iter().flatten().all(|(header, _)| {
        declared.is_some_and(|old| old.inputs["responseParameters"].get(header).is_some())
    })
}

/// Whether the role that `new` names at `pointer` has its policy already.
fn policy_of(existing: &[&Resource], new: &Resource, pointer: &str) -> bool {
    let arn = new.inputs.pointer(pointer).and_then(|arn| arn.as_str());
    let role = arn.and_then(|arn| arn.rsplit('/').next());
    existing
        .iter()
        .any(|old| kind(old) == "iam/rolePolicy" && old.inputs["role"].as_str() == role)
}

#[test]
fn nothing_comes_too_early_whatever_takes_how_long() -> Result<()> {
    for seed in SEEDS {
        let strict = Strict::default();
        let mock = mock()
            .shuffle(seed)
            .answer(move |resource| strict.answer(resource));
        let run = run(mock)?;
        let deployment = one(&run, "apigateway/deployment", "mysfits-api")?;
        let api = &deployment.inputs["restApi"];
        for part in &run.resources {
            let of_api = part.inputs["restApi"] == *api || part.inputs["restApiId"] == *api;
            ensure!(
                !of_api || LIVE.contains(&kind(part)) || deployment.asked_after.contains(&part.urn),
                "seed {seed}: the deployment misses {}",
                cloud::label(part)
            );
        }
    }
    Ok(())
}

/// The provider above is of use only if it does refuse.
#[test]
fn the_provider_refuses_each_of_them_when_nothing_is_there_yet() -> Result<()> {
    let run = run(mock())?;
    let mut refused = 0;
    for resource in &run.resources {
        let mut early = resource.clone();
        early.asked_after.clear();
        refused += usize::from(refusal(&run.resources, &early).is_some());
        assert_eq!(
            refusal(&run.resources, resource),
            None,
            "{}",
            cloud::label(resource)
        );
    }
    // Two integrations; four answers, each twice; deployment, stage, account, stream, lifecycle.
    assert_eq!(refused, 2 + 4 * 2 + 5);
    Ok(())
}

#[test]
fn a_deployment_is_made_again_when_the_api_changes_and_only_then() -> Result<()> {
    let digest = |mock| -> Result<serde_json::Value> {
        let run = run(mock)?;
        let deployment = all(&run, "apigateway/deployment").next();
        Ok(deployment
            .map(|deployment| deployment.inputs["triggers"].clone())
            .unwrap_or_default())
    };
    let plain = digest(mock())?;
    assert!(plain["definition"].is_string());
    assert_eq!(digest(mock().shuffle(7))?, plain);
    assert_eq!(digest(mock().config("mysfits:throttleRate", "7"))?, plain);
    let origins = mock().config("mysfits:allowedOrigins", r#"["https://a.example"]"#);
    assert_ne!(digest(origins)?, plain);
    let another_stream = mock().answer(|resource| match kind(resource) {
        "kinesis/firehoseDeliveryStream" => cloud::answer(resource).output("name", "another"),
        _ => cloud::answer(resource),
    });
    assert_ne!(digest(another_stream)?, plain);
    Ok(())
}
