//! `cargo xtask scan`: checkov over the stack, against the list of what stays open and why.

use crate::checkout::Checkout;
use crate::tools;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

#[derive(Args)]
pub struct Scan {}

/// The page that gives a reason for each check that stays open.
const REASONS: &str = "docs/security.md";

impl Scan {
    pub async fn run(self) -> Result<()> {
        let checkout = Checkout::find()?;
        if tools::on_path("checkov", Path::new("")).is_none() {
            bail!("checkov is not on PATH: install it with `pip install checkov==3.3.30`");
        }
        let folder = checkout.root.join("target/terraform");
        let mut write = tools::cargo(&checkout.root);
        write
            .args(["test", "--quiet", "--workspace", "--test", "graph"])
            .arg("the_stack_is_written_as_terraform")
            .env("MYSFITS_TERRAFORM", &folder);
        ensure!(
            write.status().await?.success(),
            "the stack cannot be written"
        );

        let output = tokio::process::Command::new("checkov")
            .args([
                "--framework",
                "terraform",
                "--output",
                "json",
                "--soft-fail",
            ])
            .args(["--skip-download", "--compact", "--directory"])
            .arg(&folder)
            .output()
            .await?;
        let report: Value = serde_json::from_slice(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("checkov's report cannot be read: {said}")
        })?;
        let failed = failed(&report)?;
        let reasons = fs::read_to_string(checkout.root.join(REASONS))?;
        let listed = listed(&reasons);

        let open = failed.iter().filter(|(id, _)| !listed.contains(*id));
        let open: Vec<String> = open.map(|(id, what)| format!("{id}: {what}")).collect();
        let closed: Vec<&String> = listed
            .iter()
            .filter(|id| !failed.contains_key(*id))
            .collect();
        ensure!(
            open.is_empty(),
            "checks that fail, and are not in {REASONS}:\n{}",
            open.join("\n")
        );
        ensure!(
            closed.is_empty(),
            "checks in {REASONS} that pass, or do not exist: {closed:?}"
        );
        println!(
            "{} checks fail, each with its reason in {REASONS}",
            failed.len()
        );
        Ok(())
    }
}

/// The checks that failed, and on what first.
fn failed(report: &Value) -> Result<BTreeMap<String, String>> {
    let failed = report["results"]["failed_checks"].as_array();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let mut first = BTreeMap::new();
    for check in failed.context("checkov's report has no results")? {
        let what = format!(
            "{} ({})",
            text(check, "check_name"),
            text(check, "resource")
        );
        first.entry(text(check, "check_id")).or_insert(what);
    }
    Ok(first)
}

/// The ids in the first column of a table.
fn listed(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| CKV"))
        .filter_map(|row| row.split('|').next())
        .flat_map(|rest| {
            let cell = format!("CKV{rest}");
            let ids = cell
                .split([',', ' '])
                .filter(|word| word.starts_with("CKV"));
            ids.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_in_the_first_column() {
        let page = "## CKV_AWS_1\n\n| check | why |\n| --- | --- |\n\
                    | CKV_AWS_2, CKV2_AWS_3, with a key | not CKV_AWS_4 |\n";
        let expected = ["CKV2_AWS_3", "CKV_AWS_2"].map(str::to_owned);
        assert_eq!(listed(page), BTreeSet::from(expected));
    }

    #[test]
    fn a_check_is_named_with_what_fails_it_first() -> Result<()> {
        let check =
            |on: &str| json!({ "check_id": "CKV_AWS_1", "check_name": "a", "resource": on });
        let report = json!({ "results": { "failed_checks": [check("b"), check("c")] } });
        let failed = failed(&report)?;
        assert_eq!(failed["CKV_AWS_1"], "a (b)");
        assert_eq!(failed.len(), 1);
        Ok(())
    }
}
