//! The whole life of a stack, as a team lives it: an account is prepared, the stack is deployed to it,
//! a pull request is previewed, merged and deployed, somebody changes something by hand, the change is
//! taken back, and in the end everything is destroyed. The account is the embedded cloud; the states are
//! in the bucket that the bootstrap made, and the commits in a remote.

use crate::copy::Copy;
use crate::forge::Forge;
use crate::place::{Place, run};
use crate::records::client;
use anyhow::{Context, Result, ensure};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tokio::runtime::Runtime;

const PULL_REQUEST: &str = "refs/pull/7/merge";
const MAIN: &str = "refs/heads/main";
const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

struct Team {
    place: Place,
    forge: Forge,
    /// Lines for a shell after which plain `pulumi` uses the bucket of the states.
    backend: String,
}

impl Team {
    /// A command of a workflow, in a job.
    fn job(&self, reference: &str, arguments: &str) -> Result<Output> {
        let script = format!("{}\n\"{XTASK}\" {arguments}", self.backend);
        let mut command = self.place.prepared(&script);
        self.forge.enter(&mut command, reference);
        command.env("GITHUB_OUTPUT", self.outputs());
        fs::write(self.outputs(), "")?;
        Ok(command.output()?)
    }

    /// The same, which must end with an exit code; gives what it wrote.
    fn ends(&self, code: i32, reference: &str, arguments: &str) -> Result<String> {
        let output = self.job(reference, arguments)?;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        ensure!(
            output.status.code() == Some(code),
            "{arguments}: {}\n{said}",
            output.status
        );
        Ok(said)
    }

    fn outputs(&self) -> std::path::PathBuf {
        self.place.home.join("job-outputs")
    }

    /// What the workflow does on main: shows, deploys what was shown, and clicks.
    fn deploy(&self, more: &str) -> Result<()> {
        self.ends(0, MAIN, &format!("preview -s dev {more}"))?;
        let outputs = fs::read_to_string(self.outputs())?;
        let approval = outputs
            .lines()
            .find_map(|line| line.strip_prefix("approval="));
        let approval = approval.context("nothing to approve")?.to_owned();
        self.ends(
            0,
            MAIN,
            &format!("deploy -s dev --approved {approval} {more}"),
        )?;
        let smoke = self.ends(0, MAIN, "click -s dev --user smoke-test --within 120")?;
        ensure!(smoke.contains("\"userId\":\"smoke-test\""), "{smoke}");
        Ok(())
    }

    fn git(&self, arguments: &str) -> Result<String> {
        git(&self.place.root, arguments)
    }

    fn shell(&self, script: &str) -> Result<String> {
        self.place.shell(&format!("{}\n{script}", self.backend))
    }
}

fn git(root: &Path, arguments: &str) -> Result<String> {
    run(Command::new("sh")
        .arg("-c")
        .arg(format!(
            "git -c user.name=t -c user.email=t@example.com {arguments}"
        ))
        .current_dir(root))
}

fn edit(root: &Path, file: &str, from: &str, to: &str) -> Result<()> {
    let path = root.join(file);
    let text = fs::read_to_string(&path)?;
    ensure!(text.contains(from), "{file} has no {from}");
    Ok(fs::write(path, text.replacen(from, to, 1))?)
}

#[test]
fn a_stack_lives_from_the_bootstrap_to_its_destruction() -> Result<()> {
    let copy = Copy::new()?;
    let place = Place::of_copy(&copy)?;
    let root = copy.root.clone();
    git(
        &root,
        "branch -M main && git init -q --bare .git/remote && git remote add origin .git/remote && git push -q origin main",
    )?;

    // The account.
    let bootstrap = [
        "bootstrap",
        "aws",
        "--against",
        "embedded",
        "--yes",
        "--repository",
        "octo-org/click-stream",
        "--owner-id",
        "12",
        "--repository-id",
        "345",
    ];
    let ready = place.xtask(&bootstrap)?;
    let backend = "s3://pulumi-state-of-mysfits-000000000000-us-east-1?region=us-east-1";
    ensure!(ready.contains(backend), "{ready}");
    ensure!(ready.contains("role/deploy-of-mysfits-prod"), "{ready}");
    let again = place.xtask(&bootstrap)?;
    ensure!(again.contains("nothing changes"), "{again}");
    let team = Team {
        place,
        forge: Forge::start()?,
        backend: format!("export PULUMI_BACKEND_URL='{backend}'"),
    };

    // The stack, with a key of the account for its secrets.
    let file = fs::read_to_string(root.join("Pulumi.local.yaml"))?;
    let (_, config) = file.split_once("config:\n").context("no configuration")?;
    fs::write(root.join("Pulumi.dev.yaml"), format!("config:\n{config}"))?;
    team.shell("pulumi stack init dev --secrets-provider 'awskms://alias/pulumi-of-mysfits?region=us-east-1'")?;
    let file = fs::read_to_string(root.join("Pulumi.dev.yaml"))?;
    ensure!(file.contains("alias/pulumi-of-mysfits"), "{file}");
    team.git("commit -qam 'Configure dev' && git push -q origin main")?;
    team.deploy("")?;
    let first = team.git("rev-parse HEAD")?;

    // A pull request: a role may do more, and the bucket has another name.
    team.git("switch -qc change")?;
    edit(
        &root,
        "infra/src/api/put.rs",
        "&[\"firehose:PutRecord\"]",
        "&[\"firehose:PutRecord\", \"firehose:PutRecordBatch\"]",
    )?;
    edit(
        &root,
        "Pulumi.dev.yaml",
        "config:\n",
        "config:\n  mysfits:clicksBucketName: clicks-of-the-team\n",
    )?;
    team.git("commit -qam 'Change a policy and a bucket' && git push -q origin change")?;
    team.ends(2, PULL_REQUEST, "preview -s dev --comment")?;
    let comments = team.forge.comments(7)?;
    let comment = comments[0]["body"].as_str().context("no text")?.to_owned();
    let plain = comment.replace('\\', "").replace("&#58;", ":");
    for part in [
        ":warning: Bucket mysfits-clicks",
        "\"clicks-of-the-team\"",
        "may now firehose:PutRecordBatch on arn:aws:firehose:",
    ] {
        ensure!(plain.contains(part), "the comment has no {part}:\n{plain}");
    }
    team.ends(0, PULL_REQUEST, "preview -s dev --comment --allow-loss")?;
    assert_eq!(team.forge.writes(), ["POST /issues/7/comments"]);

    // It is merged and deployed.
    team.git("switch -q main && git merge -q --no-ff -m 'Merge the change' change && git push -q origin main")?;
    team.deploy("--allow-loss")?;
    let outputs: Value = serde_json::from_str(&team.shell("pulumi stack output --json -s dev")?)?;
    assert_eq!(outputs["clicksBucket"], "clicks-of-the-team");

    // Somebody changes something by hand, and it is reported until it is put back.
    let site = outputs["siteBucket"]
        .as_str()
        .context("no bucket")?
        .to_owned();
    let site = Bucket::new(
        team.place.aws()?.parse()?,
        UrlStyle::Path,
        site,
        "us-east-1",
    )?;
    let keys = Credentials::new("test", "test");
    let delete = site
        .delete_object(Some(&keys), "index.html")
        .sign(Duration::from_secs(60));
    let deleted = Runtime::new()?.block_on(client()?.delete(delete).send())?;
    assert_eq!(deleted.status(), 204);
    team.ends(2, MAIN, "drift -s dev --issue")?;
    assert_eq!(team.forge.writes(), ["POST /issues"]);
    team.shell("pulumi up --yes --skip-preview --refresh -s dev")?;
    team.ends(0, MAIN, "drift -s dev --issue")?;
    assert_eq!(team.forge.titled("Drift in stack dev")?["state"], "closed");

    // The change is taken back.
    team.git("revert --no-edit -m 1 HEAD && git push -q origin main")?;
    let back = team.ends(2, MAIN, "preview -s dev")?;
    ensure!(
        back.contains("may no longer firehose:PutRecordBatch"),
        "{back}"
    );
    team.deploy("--allow-loss")?;
    let history = team.ends(0, MAIN, "history -s dev")?;
    let head = team.git("rev-parse HEAD")?;
    for commit in [&first, &head] {
        ensure!(history.contains(&commit[..10]), "{history}");
    }

    // The end: of the stack, not of the account.
    team.ends(0, MAIN, "down -s dev --name dev")?;
    let state: Value = serde_json::from_str(&team.shell("pulumi stack export -s dev")?)?;
    assert_eq!(state["deployment"]["resources"], Value::Null);
    let account = team.place.xtask(&bootstrap)?;
    ensure!(account.contains("nothing changes"), "{account}");
    team.place.assert_clean()
}

#[test]
fn an_account_is_described_for_cloudformation_without_one() -> Result<()> {
    let place = Place::new()?;
    let print = |more: &[&str]| {
        let arguments = [
            "bootstrap",
            "aws",
            "--print",
            "--repository",
            "octo-org/click-stream",
        ];
        place.try_xtask(&[&arguments[..], more].concat())
    };
    let printed = print(&["--owner-id", "12", "--repository-id", "345"])?;
    let template: Value = serde_json::from_slice(&printed.stdout)?;
    let text = template.to_string();
    ensure!(
        text.contains("repo:octo-org@12/click-stream@345:environment:prod"),
        "{text}"
    );
    let old = print(&["--subject", "names", "--existing-provider"])?;
    let template: Value = serde_json::from_slice(&old.stdout)?;
    let text = template.to_string();
    ensure!(
        text.contains("repo:octo-org/click-stream:pull_request"),
        "{text}"
    );
    ensure!(!text.contains("AWS::IAM::OIDCProvider"), "{text}");
    // Where nobody knows the numbers, nothing is guessed.
    let mut unknown = place.command(&[
        "bootstrap",
        "aws",
        "--print",
        "--repository",
        "octo-org/click-stream",
    ]);
    let unknown = unknown
        .env("GITHUB_API_URL", "http://127.0.0.1:1")
        .output()?;
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    ensure!(said.contains("--owner-id"), "{said}");
    place.assert_clean()
}
