//! The stack's repository, as the workshop uses it: cloned, pushed to, cloned again.

use crate::place::Place;
use anyhow::{Context, Result, ensure};

const URL: &str = "$url";

/// What a person types instead, in the checkout.
const OF_STACK: &str = "url=$(pulumi stack output repositoryCloneUrlHttp -s local)";

/// A commit by nobody in particular, with nothing of this machine's git.
const GIT: &str = "git -c user.name=t -c user.email=t@example.com -c init.defaultBranch=trunk";

#[test]
fn the_repository_takes_commits_and_keeps_them() -> Result<()> {
    let place = Place::new()?;
    place.xtask(&["up"])?;
    let folder = tempfile::tempdir()?;
    let here = folder.path().display();
    // An empty one, as the workshop clones it.
    place.shell(&format!(
        "{OF_STACK}; set -e; cd '{here}'
         {GIT} clone \"{URL}\" first; cd first
         printf 'fn main() {{}}\\n' > main.rs; printf '#!/bin/sh\\n' > run; chmod +x run
         {GIT} add .; {GIT} commit -q -m one; {GIT} push origin HEAD:refs/heads/workshop
         cd ..; {GIT} clone -q \"{URL}\" second; test -f second/main.rs
         cd second; head -c 3000000 /dev/urandom > large; {GIT} add .; {GIT} commit -q -m two
         {GIT} push -q"
    ))?;

    // With the AWS CLI.
    let name = "MythicalMysfits-ClicksProcessingLambdaRepository-local";
    let branch = place.shell(&format!(
        "aws codecommit get-repository --repository-name {name} \
           --query repositoryMetadata.defaultBranch --output text"
    ))?;
    assert_eq!(branch.trim(), "workshop");
    let branches = place.shell(&format!(
        "aws codecommit list-branches --repository-name {name} --query 'branches[0]' --output text"
    ))?;
    assert_eq!(branches.trim(), "workshop");
    let file = place.shell(&format!(
        "aws codecommit get-file --repository-name {name} --file-path run \
           --query '[fileMode,fileContent]' --output text"
    ))?;
    assert_eq!(
        file.split_whitespace().collect::<Vec<_>>(),
        ["EXECUTABLE", "IyEvYmluL3NoCg=="]
    );
    for (arguments, error) in [
        (
            "get-file --repository-name NAME --file-path absent",
            "FileDoesNotExistException",
        ),
        (
            "get-file --repository-name NAME --file-path run --commit-specifier x",
            "CommitDoesNotExistException",
        ),
        (
            "get-repository --repository-name absent",
            "RepositoryDoesNotExistException",
        ),
        (
            "get-branch --repository-name NAME --branch-name x",
            "BranchDoesNotExistException",
        ),
    ] {
        let arguments = arguments.replace("NAME", name);
        let output = place.try_shell(&format!("aws codecommit {arguments}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(said.contains(error), "{arguments}: {said}");
    }

    // Nobody else gets in.
    for credentials in ["", "test:test@", "test:20260101T000000Z00@"] {
        let output = place.try_shell(&format!(
            "{OF_STACK}; GIT_CONFIG_COUNT=0 GIT_TERMINAL_PROMPT=0 {GIT} ls-remote \
               \"http://{credentials}${{url#http://}}\""
        ))?;
        ensure!(!output.status.success(), "{credentials}: {output:?}");
    }

    // It outlives a restart, and its name; not its destruction.
    place.xtask(&["stop"])?;
    place.xtask(&["start"])?;
    place.shell(&format!(
        "{OF_STACK}; set -e; cd '{here}'; {GIT} clone -q \"{URL}\" third; test -f third/large"
    ))?;

    // This checkout's own source.
    place.xtask(&["push", "--branch", "processor"])?;
    let pushed = place.shell(&format!(
        "{OF_STACK}; {GIT} ls-remote \"{URL}\" refs/heads/processor"
    ))?;
    let head = place.shell("git rev-parse HEAD")?;
    ensure!(pushed.starts_with(head.trim()), "{pushed}");

    let url = place.outputs()?["repositoryCloneUrlHttp"]
        .as_str()
        .context("no URL")?
        .to_owned();
    place.shell("pulumi destroy --yes --skip-preview -s local")?;
    let gone = place.try_shell(&format!("{GIT} ls-remote '{url}'"))?;
    ensure!(
        String::from_utf8_lossy(&gone.stderr).contains("not found"),
        "{gone:?}"
    );
    place.shell("pulumi up --yes --skip-preview -s local")?;
    let empty = place.shell(&format!("{OF_STACK}; {GIT} ls-remote \"{URL}\""))?;
    assert_eq!(empty, "");
    place.assert_clean()
}
