//! Each command of the workflows as a job runs it: against the embedded cloud, and a substitute for
//! GitHub.

use crate::forge::Forge;
use crate::place::Place;
use crate::records::client;
use anyhow::{Context, Result, ensure};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::Value;
use std::process::Output;
use std::time::Duration;
use tokio::runtime::Runtime;

const PULL_REQUEST: &str = "refs/pull/7/merge";
const MAIN: &str = "refs/heads/main";

/// A command in a job: its exit code, what it wrote, and the outputs and summary of the job.
struct Job {
    code: Option<i32>,
    said: String,
    outputs: String,
    summary: String,
}

fn job(place: &Place, forge: &Forge, reference: &str, arguments: &[&str]) -> Result<Job> {
    let (outputs, summary) = (place.home.join("outputs"), place.home.join("summary"));
    for file in [&outputs, &summary] {
        std::fs::write(file, "")?;
    }
    let mut command = place.command(arguments);
    forge.enter(&mut command, reference);
    command
        .env("GITHUB_OUTPUT", &outputs)
        .env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output()?;
    Ok(Job {
        code: output.status.code(),
        said: said(&output),
        outputs: std::fs::read_to_string(outputs)?,
        summary: std::fs::read_to_string(summary)?,
    })
}

fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(error)
    )
}

impl Job {
    fn output(&self, name: &str) -> Result<&str> {
        let mut lines = self.outputs.lines().filter_map(|line| line.split_once('='));
        let found = lines.find(|(key, _)| *key == name);
        Ok(found
            .with_context(|| format!("no output {name}: {}", self.outputs))?
            .1)
    }

    fn ends_with_code(&self, code: i32) -> Result<()> {
        ensure!(self.code == Some(code), "{:?}: {}", self.code, self.said);
        Ok(())
    }
}

#[test]
fn a_pull_request_has_one_comment_that_is_kept_up_to_date() -> Result<()> {
    let (place, forge) = (Place::new()?, Forge::start()?);
    place.xtask(&["up"])?;
    let file = place.home.join("Pulumi.other.yaml");
    let config = file.to_str().context("not UTF-8")?;
    std::fs::copy(place.root.join("Pulumi.local.yaml"), &file)?;
    let preview = [
        "preview",
        "-s",
        "local",
        "--comment",
        "--config-file",
        config,
    ];

    // More comments than a page has, and one of somebody who knows the mark.
    for number in 0..120 {
        forge.say(7, &format!("comment {number}"));
    }
    forge.say(
        7,
        "<!-- mysfits: preview of local -->\nDo not look further.",
    );
    let first = job(&place, &forge, PULL_REQUEST, &preview)?;
    first.ends_with_code(0)?;
    assert_eq!(forge.writes(), ["POST /issues/7/comments"]);
    assert_eq!(first.output("changes")?, "false");
    assert!(
        first.summary.contains("### Stack local: nothing changes"),
        "{}",
        first.summary
    );

    // The same again says nothing new.
    job(&place, &forge, PULL_REQUEST, &preview)?.ends_with_code(0)?;
    assert_eq!(forge.writes(), [] as [&str; 0]);

    place.shell(&format!(
        "pulumi config set mysfits:throttleRate 50 -s local --config-file '{config}'"
    ))?;
    let second = job(&place, &forge, PULL_REQUEST, &preview)?;
    second.ends_with_code(0)?;
    assert_eq!(second.output("changes")?, "true");
    let writes = forge.writes();
    assert!(
        writes.len() == 1 && writes[0].starts_with("PATCH /issues/comments/"),
        "{writes:?}"
    );
    let comments = forge.comments(7)?;
    assert_eq!(comments.len(), 122);
    let ours = comments.last().context("no comment")?["body"]
        .as_str()
        .unwrap_or_default();
    assert!(ours.contains("throttlingRateLimit"), "{ours}");
    assert_eq!(
        comments[120]["body"]
            .as_str()
            .map(|body| body.contains("Do not look")),
        Some(true)
    );

    // What is lost makes the job fail, and the comment says it all the same.
    place.shell(&format!(
        "pulumi config set mysfits:repository false -s local --config-file '{config}'"
    ))?;
    let third = job(&place, &forge, PULL_REQUEST, &preview)?;
    third.ends_with_code(2)?;
    assert_eq!(third.output("loses")?, "true");
    assert_eq!(forge.writes().len(), 1);
    let allowed = [&preview[..], &["--allow-loss"]].concat();
    job(&place, &forge, PULL_REQUEST, &allowed)?.ends_with_code(0)?;

    let nowhere = job(&place, &forge, MAIN, &preview)?;
    nowhere.ends_with_code(1)?;
    assert!(
        nowhere.said.contains("--pull-request NUMBER"),
        "{}",
        nowhere.said
    );
    let mut refused = place.command(&allowed);
    forge.enter(&mut refused, PULL_REQUEST);
    let refused = said(&refused.env("GITHUB_TOKEN", "wrong").output()?);
    assert!(
        refused.contains("401") && refused.contains("Bad credentials"),
        "{refused}"
    );
    place.assert_clean()
}

#[test]
fn what_was_approved_is_deployed_and_nothing_else() -> Result<()> {
    let (place, forge) = (Place::new()?, Forge::start()?);
    place.xtask(&["up"])?;
    let file = place.home.join("Pulumi.other.yaml");
    let config = file.to_str().context("not UTF-8")?;
    std::fs::copy(place.root.join("Pulumi.local.yaml"), &file)?;
    let set = |key: &str, value: &str| {
        place.shell(&format!(
            "pulumi config set {key} {value} -s local --config-file '{config}'"
        ))
    };
    let preview = ["preview", "-s", "local", "--config-file", config];
    set("mysfits:throttleRate", "50")?;
    let approved = job(&place, &forge, MAIN, &preview)?;
    let approval = approved.output("approval")?.to_owned();
    assert!(approved.summary.contains(&approval), "{}", approved.summary);
    let deploy = [
        "deploy",
        "-s",
        "local",
        "--config-file",
        config,
        "--approved",
        &approval,
    ];

    // Somebody has changed something meanwhile.
    set("mysfits:throttleBurst", "49")?;
    let refused = job(&place, &forge, MAIN, &deploy)?;
    refused.ends_with_code(3)?;
    assert!(
        refused.said.contains("throttlingBurstLimit: 5000 → 49"),
        "{}",
        refused.said
    );
    assert!(
        job(&place, &forge, MAIN, &preview)?
            .said
            .contains("throttlingRateLimit")
    );

    set("mysfits:throttleBurst", "5000")?;
    job(&place, &forge, MAIN, &deploy)?.ends_with_code(0)?;
    assert_eq!(
        job(&place, &forge, MAIN, &preview)?.output("changes")?,
        "false"
    );
    let smoke = [
        "click",
        "-s",
        "local",
        "--user",
        "smoke-test",
        "--within",
        "60",
    ];
    let smoke = job(&place, &forge, MAIN, &smoke)?;
    smoke.ends_with_code(0)?;
    assert!(
        smoke.said.contains("\"userId\":\"smoke-test\""),
        "{}",
        smoke.said
    );

    // Without a word, data are not lost; and nobody is asked where nobody can answer.
    set("mysfits:repository", "false")?;
    let deploy = ["deploy", "-s", "local", "--config-file", config];
    job(&place, &forge, MAIN, &[&deploy[..], &["--yes"]].concat())?.ends_with_code(2)?;
    let unasked = job(
        &place,
        &forge,
        MAIN,
        &[&deploy[..], &["--allow-loss"]].concat(),
    )?;
    unasked.ends_with_code(1)?;
    assert!(unasked.said.contains("--yes"), "{}", unasked.said);
    job(
        &place,
        &forge,
        MAIN,
        &[&deploy[..], &["--allow-loss", "--yes"]].concat(),
    )?
    .ends_with_code(0)?;

    let history = place.xtask(&["history", "-s", "local"])?;
    let head = crate::place::run(
        std::process::Command::new("git")
            .args(["rev-parse", "HEAD"])
            .current_dir(&place.root),
    )?;
    let rows: Vec<&str> = history.lines().collect();
    assert_eq!(rows.len(), 4, "{history}");
    assert!(
        rows[1].contains("delete") && rows[3].contains("create"),
        "{history}"
    );
    assert!(
        rows[1..].iter().all(|row| row.contains(&head[..10])),
        "{history}"
    );
    place.assert_clean()
}

#[test]
fn drift_is_an_issue_as_long_as_there_is_some() -> Result<()> {
    let (place, forge) = (Place::new()?, Forge::start()?);
    place.xtask(&["up"])?;
    let drift = ["drift", "-s", "local", "--issue"];
    job(&place, &forge, MAIN, &drift)?.ends_with_code(0)?;
    assert_eq!(forge.writes(), [] as [&str; 0]);

    let bucket = place.outputs()?["siteBucket"]
        .as_str()
        .context("no bucket")?
        .to_owned();
    let address = place.aws()?.parse()?;
    let bucket = Bucket::new(address, UrlStyle::Path, bucket, "us-east-1")?;
    let change_by_hand = |file: &str| -> Result<()> {
        let keys = Credentials::new("test", "test");
        let delete = bucket.delete_object(Some(&keys), file);
        let delete = client()?.delete(delete.sign(Duration::from_secs(60)));
        let answer = Runtime::new()?.block_on(delete.send())?;
        ensure!(answer.status() == 204, "{}", answer.status());
        Ok(())
    };
    change_by_hand("index.html")?;
    let found = job(&place, &forge, MAIN, &drift)?;
    found.ends_with_code(2)?;
    assert!(found.said.contains("index.html"), "{}", found.said);
    assert_eq!(forge.writes(), ["POST /issues"]);
    let issue = forge.issue(101)?;
    assert_eq!(issue["title"], "Drift in stack local");
    let body = issue["body"].as_str().unwrap_or_default();
    assert!(body.contains("1 file gone&#58; index.html"), "{body}");

    change_by_hand("404.html")?;
    job(&place, &forge, MAIN, &drift)?.ends_with_code(2)?;
    assert_eq!(forge.writes(), ["PATCH /issues/101"]);
    job(&place, &forge, MAIN, &drift)?.ends_with_code(2)?;
    assert_eq!(forge.writes(), [] as [&str; 0]);

    place.shell("pulumi up --yes --skip-preview --refresh -s local")?;
    job(&place, &forge, MAIN, &drift)?.ends_with_code(0)?;
    assert_eq!(
        forge.writes(),
        ["POST /issues/101/comments", "PATCH /issues/101"]
    );
    assert_eq!(forge.issue(101)?["state"], "closed");
    place.assert_clean()
}

#[test]
fn a_stack_is_destroyed_by_its_typed_name_unless_it_is_protected() -> Result<()> {
    let (place, forge) = (Place::new()?, Forge::start()?);
    place.xtask(&["up"])?;
    let down = |name: &str| {
        job(
            &place,
            &forge,
            MAIN,
            &["down", "-s", "local", "--name", name],
        )
    };
    let other = down("dev")?;
    other.ends_with_code(1)?;
    assert!(
        other.said.contains("nothing was destroyed"),
        "{}",
        other.said
    );
    let unasked = job(&place, &forge, MAIN, &["down", "-s", "local"])?;
    unasked.ends_with_code(1)?;
    assert!(unasked.said.contains("--name local"), "{}", unasked.said);

    place.shell("pulumi state protect --all --yes -s local")?;
    let refused = down("local")?;
    refused.ends_with_code(1)?;
    for part in [
        "Bucket mysfits-clicks",
        "mysfits:protect false",
        "mysfits:forceDestroy true",
    ] {
        assert!(refused.said.contains(part), "{}", refused.said);
    }
    place.shell("pulumi state unprotect --all --yes -s local")?;
    down("local")?.ends_with_code(0)?;
    let resources: Vec<Value> = place.resources()?;
    assert!(resources.is_empty(), "{resources:?}");
    place.assert_clean()
}
