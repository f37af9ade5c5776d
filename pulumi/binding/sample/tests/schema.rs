//! What a schema says beyond types, as the engine gets it.

use anyhow::{Context as _, Result};
use pulumi_mock::value::secret;
use pulumi_mock::{Answer, FAILED_AND_REPORTED, Mock, Run, Severity};
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_pulumi-binding-sample");

fn mock() -> Mock {
    Mock::new()
        .function("sample:index/lookUp:lookUp", json!({ "value": "found" }))
        .function("sample:index/ping:ping", json!({}))
        .answer(|_| Answer::new().output("key", "k").output("arn", "a"))
}

fn run() -> Result<Run> {
    let run = mock().run(PROGRAM)?;
    assert_eq!((run.exit_code, run.errors()), (Some(0), vec![]));
    Ok(run)
}

#[test]
fn defaults_constants_and_secrets_are_the_schemas() -> Result<()> {
    let run = run()?;
    assert_eq!(
        run.resource("plain")?.inputs,
        json!({ "name": "plain", "kind": "account", "owner": "nobody", "size": 3 })
    );
    assert_eq!(
        run.resource("said")?.inputs,
        json!({
            "name": "said", "kind": "account", "owner": "ann", "size": 5,
            "password": secret("hunter2"),
        })
    );
    let options = &run.resource("plain")?.options;
    assert_eq!(options.additional_secret_outputs, ["key"]);
    assert_eq!(options.replace_on_changes, ["name"]);
    Ok(())
}

#[test]
fn a_default_of_the_environment_comes_first() -> Result<()> {
    let mock = mock()
        .env("SAMPLE_OWNER", "eve")
        .env("SAMPLE_VERBOSE", "True");
    let run = mock.run(PROGRAM)?;
    let inputs = &run.resource("plain")?.inputs;
    assert_eq!(
        (&inputs["owner"], &inputs["verbose"]),
        (&json!("eve"), &json!(true))
    );
    assert_eq!(run.resource("said")?.inputs["owner"], json!("ann"));
    Ok(())
}

#[test]
fn a_former_type_is_an_alias() -> Result<()> {
    let run = run()?;
    let [alias] = &run.resource("plain")?.options.aliases[..] else {
        anyhow::bail!("{run}");
    };
    assert_eq!(alias.r#type.as_deref(), Some("sample:index/user:User"));
    Ok(())
}

#[test]
fn what_is_deprecated_says_so_once() -> Result<()> {
    let run = run()?;
    let warning = run.logs.first().context("no warning")?;
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(
        warning.message,
        "sample:index/legacy:Legacy is deprecated: use Account"
    );
    assert_eq!(warning.urn.as_ref(), Some(&run.resource("legacy")?.urn));
    assert_eq!(run.logs.len(), 1);
    Ok(())
}

#[test]
fn a_package_with_parameters_is_registered_once_and_referred_to() -> Result<()> {
    let run = run()?;
    let [package] = &run.packages[..] else {
        anyhow::bail!("{:?}", run.packages);
    };
    assert_eq!(
        (package.name.as_str(), package.version.as_str()),
        ("any-provider", "0.9.0")
    );
    assert_eq!(package.download_url, "https://example.org/plugins");
    let parameters = package.parameterization.as_ref().context("no parameters")?;
    assert_eq!(
        (parameters.name.as_str(), parameters.version.as_str()),
        ("sample", "2.0.0")
    );
    assert_eq!(parameters.value, b"remote:sample");
    for name in ["plain", "there", "london"] {
        let options = &run.resource(name)?.options;
        assert_eq!(options.package.as_deref(), Some("package-0"), "{name}");
        let url = options.plugin_download_url.as_deref();
        assert_eq!(url, Some("https://example.org/plugins"), "{name}");
    }

    let old = mock().without_feature("parameterization").run(PROGRAM)?;
    assert_eq!(old.exit_code, Some(FAILED_AND_REPORTED));
    let says = "does not know packages with parameters, and would ignore it: install Pulumi 3.";
    assert!(
        old.errors().iter().any(|error| error.contains(says)),
        "{old}"
    );
    Ok(())
}

#[test]
fn a_provider_is_typed_and_its_inputs_travel_as_texts() -> Result<()> {
    let run = run()?;
    let london = run.resource("london")?;
    assert_eq!(london.r#type, "pulumi:providers:sample");
    assert_eq!(
        london.inputs,
        json!({
            "region": "london",
            "allowedAccountIds": r#"["123456789012"]"#,
            "endpoints": r#"[{"service":"s3","url":"https://example.org"}]"#,
            "token": secret("hunter2"),
        })
    );
    let reference = format!("{}::london-id", london.urn);
    let there = &run.resource("there")?.options.provider;
    assert_eq!(there.as_ref(), Some(&reference));
    let call = |token: &str| run.invokes.iter().find(|call| call.token == token);
    let looked_up = call("sample:index/lookUp:lookUp").context("no call")?;
    assert_eq!(looked_up.provider.as_ref(), Some(&reference));
    let pinged = call("sample:index/ping:ping").context("no call")?;
    assert_eq!(
        (&pinged.provider, &pinged.arguments),
        (&None, &json!({ "name": "x" }))
    );
    assert_eq!(run.resource("plain")?.options.provider, None);
    Ok(())
}

#[test]
fn a_resource_is_what_options_refer_to() -> Result<()> {
    let run = run()?;
    let after = run.resource("after")?;
    assert!(after.depends_on("plain"));
    assert_eq!(after.parent, run.resource("plain")?.urn);
    Ok(())
}
