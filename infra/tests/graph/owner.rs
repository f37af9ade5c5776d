//! Who owns API Gateway's role for logs, of which an account has one in a region.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use pulumi_mock::{Answer, FAILED_AND_REPORTED, Mock, Severity};
use serde_json::{Value, json};

use super::cloud::{self, kind};
use super::configuration::stack_file;
use super::{all, mock, one, run};

const NAME: &str = "logs-of-every-api-in-this-account-and-region";
const REMEDY: &str = "pulumi config set --stack dev mysfits:manageApiGatewayAccount true";

#[test]
fn each_stack_file_says_who_owns_it() -> Result<()> {
    let mut owners = BTreeMap::new();
    for stack in ["dev", "prod", "local"] {
        let mut mock = mock().stack(stack);
        let file = stack_file(stack)?;
        let key = |(key, _): &&(String, String)| key == "mysfits:manageApiGatewayAccount";
        let said = file.iter().find(key).context("the file does not say")?;
        for (key, value) in &file {
            mock = mock.config(key, value);
        }
        let run = run(mock)?;
        let account = one(&run, "apigateway/account", NAME)?;
        assert_eq!(account.read.is_none(), said.1 == "true", "{stack}");
        owners.insert(stack, account.read.is_none());
    }
    let expected = BTreeMap::from([("dev", true), ("local", true), ("prod", false)]);
    assert_eq!(owners, expected);
    Ok(())
}

/// `pulumi destroy` runs no program: of what a resource takes with it, its name alone can tell.
#[test]
fn its_name_says_what_goes_with_it() -> Result<()> {
    let run = run(mock())?;
    let account = one(&run, "apigateway/account", NAME)?;
    let former = &account.options.aliases;
    assert_eq!(former[0].name.as_deref(), Some("mysfits-api"));
    // The roles of a stack go with it, and none is left that nobody owns.
    for resource in &run.resources {
        assert_eq!(
            resource.options.retain_on_delete,
            None,
            "{}",
            cloud::label(resource)
        );
    }
    Ok(())
}

#[test]
fn a_stack_that_leaves_it_to_another_reads_it() -> Result<()> {
    let run = run(other(json!("arn:aws:iam::123456789012:role/logs")))?;
    let account = one(&run, "apigateway/account", NAME)?;
    assert_eq!(account.read.as_deref(), Some("123456789012"));
    let stage = one(&run, "apigateway/stage", "mysfits-api")?;
    assert!(stage.depends_on(NAME));
    assert!(stage.inputs["accessLogSettings"].is_object());
    Ok(())
}

/// The provider gives an empty text where there is none.
#[test]
fn where_there_is_none_the_stack_says_what_to_run_and_has_no_stage() -> Result<()> {
    for none in [json!(""), Value::Null] {
        let preview = run(other(none.clone()).preview())?;
        assert_eq!(preview.logs.len(), 1, "{preview}");
        assert_eq!(preview.logs[0].severity, Severity::Warning);
        assert!(preview.logs[0].message.contains(REMEDY), "{preview}");

        let update = other(none).run(env!("CARGO_BIN_EXE_infra"))?;
        assert_eq!(update.exit_code, Some(FAILED_AND_REPORTED), "{update}");
        let errors = update.errors();
        assert_eq!(errors.len(), 1, "{update}");
        let place = "no role for logs in account 123456789012, region eu-west-1";
        assert!(
            errors[0].contains(place) && errors[0].contains(REMEDY),
            "{update}"
        );
        assert_eq!(all(&update, "apigateway/stage").count(), 0);
        assert_eq!(all(&update, "apigateway/deployment").count(), 1);
    }
    Ok(())
}

/// A stack beside the owner, in an account whose role for logs is this.
fn other(role: Value) -> Mock {
    mock()
        .config("mysfits:manageApiGatewayAccount", "false")
        .answer(move |resource| match kind(resource) {
            "apigateway/account" => Answer::new().output("cloudwatchRoleArn", role.clone()),
            _ => cloud::answer(resource),
        })
}
