//! Handshake, configuration, functions.

use crate::support::{Checked, Engine, TestCloud, json, refusal, secret, wire};
use anyhow::Result;
use pulumi_gestalt_proto::pulumi::pulumirpc as rpc;
use rpc::diff_response::DiffChanges;
use serde_json::{Value, json};

#[tokio::test]
async fn it_says_what_it_is() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut client = cloud.connect().await?.client;

    let hello = client
        .handshake(rpc::ProviderHandshakeRequest::default())
        .await?;
    let hello = hello.into_inner();
    assert!(hello.accept_secrets && hello.supports_autonaming_configuration);
    assert!(!hello.accept_outputs);
    client.attach(rpc::PluginAttach::default()).await?;
    assert_eq!(
        client.get_plugin_info(()).await?.into_inner().version,
        "7.48.0"
    );
    let schema = client.get_schema(rpc::GetSchemaRequest::default()).await?;
    assert_eq!(schema.into_inner().schema, include_str!("package.json"));
    let configured = client.configure(rpc::ConfigureRequest::default()).await?;
    let configured = configured.into_inner();
    assert!(configured.accept_secrets && configured.supports_preview);
    client.cancel(()).await?;

    let unimplemented = client.construct(rpc::ConstructRequest::default()).await;
    assert_eq!(
        unimplemented.map_err(|status| status.code()).err(),
        Some(tonic::Code::Unimplemented)
    );
    let unimplemented = client.call(rpc::CallRequest::default()).await;
    assert_eq!(
        unimplemented.map_err(|status| status.code()).err(),
        Some(tonic::Code::Unimplemented)
    );
    Ok(())
}

#[tokio::test]
async fn configuration_is_checked_like_the_real_providers() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut client = cloud.connect().await?.client;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &[]),
        (
            json!({ "version": "7.48.0", "region": "eu-west-1", "profile": "p" }),
            &[],
        ),
        (
            json!({ "region": "us-gov-west-1", "skipMetadataApiCheck": "true", "maxRetries": "3" }),
            &[],
        ),
        (json!({ "allowedAccountIds": r#"["000000000000"]"# }), &[]),
        (
            json!({ "allowedAccountIds": ["000000000000"], "insecure": true, "maxRetries": 3 }),
            &[],
        ),
        (
            json!({ "defaultTags": r#"{"tags":{"team":"x"}}"#, "secretKey": secret("k") }),
            &[],
        ),
        (
            json!({ "regoin": "eu-west-1" }),
            &["regoin|there is no such setting; did you mean region?"],
        ),
        (
            json!({ "nonsense": 1 }),
            &["nonsense|there is no such setting"],
        ),
        (
            json!({ "region": "Frankfurt" }),
            &[r#"region|must be a region such as us-east-1, found "Frankfurt""#],
        ),
        (
            json!({ "allowedAccountIds": "000000000000" }),
            &["allowedAccountIds|must be a list"],
        ),
        (
            json!({ "insecure": "maybe", "maxRetries": "many" }),
            &[
                "insecure|must be true or false",
                "maxRetries|must be a whole number",
            ],
        ),
        (
            json!({ "defaultTags": r#"{"tag":{}}"# }),
            &["|defaultTags.tag: there is no such property; did you mean tags?"],
        ),
        (
            json!({ "defaultTags": r#"{"tags":{"a":1}}"# }),
            &["|defaultTags.tags.a: must be a string"],
        ),
        (
            json!({ "assumeRoles": "[]" }),
            &[
                "assumeRoles|the embedded cloud cannot do this: leave it to the stacks that go to AWS",
            ],
        ),
    ];
    for (config, expected) in cases {
        let request = rpc::CheckRequest {
            news: Some(wire(config)?),
            ..Default::default()
        };
        let checked = Checked::from(client.check_config(request).await?.into_inner());
        assert_eq!(checked.failures, *expected, "{config}");
        assert_eq!(&checked.inputs, config, "the inputs come back as they are");
    }
    Ok(())
}

#[tokio::test]
async fn only_a_stack_that_may_use_this_account_is_configured() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.connect().await?;
    for allowed in [
        json!({}),
        json!({ "allowedAccountIds": "[]" }),
        json!({ "allowedAccountIds": r#"["123456789012","000000000000"]"# }),
        json!({ "forbiddenAccountIds": ["123456789012"] }),
    ] {
        engine.configure(allowed).await?;
    }
    let other = json!({ "allowedAccountIds": r#"["123456789012","210987654321"]"# });
    let refused = refusal(engine.configure(other).await)?;
    for part in [
        "000000000000",
        "aws:allowedAccountIds",
        "123456789012, 210987654321",
        "FailedPrecondition",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    let refused = refusal(
        engine
            .configure(json!({ "forbiddenAccountIds": ["000000000000"] }))
            .await,
    )?;
    assert!(refused.contains("aws:forbiddenAccountIds"), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_new_region_needs_a_new_provider() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut client = cloud.connect().await?.client;
    let cases = [
        (
            json!({ "region": "a" }),
            json!({ "region": "a" }),
            DiffChanges::DiffNone,
            false,
        ),
        (
            json!({ "region": "a" }),
            json!({ "region": "b" }),
            DiffChanges::DiffSome,
            true,
        ),
        (
            json!({}),
            json!({ "region": "b" }),
            DiffChanges::DiffSome,
            false,
        ),
        (
            json!({ "region": "a" }),
            json!({ "region": "a", "profile": "p" }),
            DiffChanges::DiffSome,
            false,
        ),
    ];
    for (old, new, changes, replaces) in cases {
        let request = rpc::DiffRequest {
            old_inputs: Some(wire(&old)?),
            news: Some(wire(&new)?),
            ..Default::default()
        };
        let diff = client.diff_config(request).await?.into_inner();
        assert_eq!(diff.changes(), changes, "{old} {new}");
        assert_eq!(!diff.replaces.is_empty(), replaces, "{old} {new}");
    }
    Ok(())
}

#[tokio::test]
async fn each_connection_has_the_region_it_was_configured_with() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut west = cloud.engine(json!({ "region": "us-west-2" })).await?;
    let mut east = cloud.engine(json!({ "region": "eu-central-1" })).await?;
    let mut plain = cloud.connect().await?;
    for (engine, region) in [
        (&mut west, "us-west-2"),
        (&mut east, "eu-central-1"),
        (&mut plain, "us-east-1"),
    ] {
        let answer = invoke(engine, "aws:index/getRegion:getRegion", json!({})).await?;
        assert_eq!(answer["region"], region);
    }
    Ok(())
}

#[tokio::test]
async fn a_connection_opened_in_between_knows_its_stack() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let provider = "urn:pulumi:other::test::pulumi:providers:aws::default";
    let mut first = cloud.connect().await?;
    first
        .configure_as(provider, json!({ "region": "eu-west-3" }))
        .await?;

    let mut second = cloud.connect().await?;
    let urn = "urn:pulumi:other::test::aws:test/thing:Thing::a";
    let created = second.deploy(urn, json!({})).await?;
    assert_eq!(created.outputs["region"], "eu-west-3");
    let urn = "urn:pulumi:another::test::aws:test/thing:Thing::a";
    let created = second.deploy(urn, json!({})).await?;
    assert_eq!(created.outputs["region"], "us-east-1");
    Ok(())
}

#[tokio::test]
async fn functions_answer_or_are_refused_by_name() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({ "region": "eu-west-1" })).await?;
    let identity = invoke(
        &mut engine,
        "aws:index/getCallerIdentity:getCallerIdentity",
        json!({}),
    )
    .await?;
    assert_eq!(identity["accountId"], "000000000000");
    let other = json!({ "region": "sa-east-1" });
    let region = invoke(&mut engine, "aws:index/getRegion:getRegion", other).await?;
    assert_eq!(region["region"], "sa-east-1");

    let wrong = json!({ "regoin": "sa-east-1" });
    let refused = refusal(invoke(&mut engine, "aws:index/getRegion:getRegion", wrong).await)?;
    assert!(refused.contains("did you mean region?"), "{refused}");
    let refused = refusal(invoke(&mut engine, "aws:ec2/getAmi:getAmi", json!({})).await)?;
    assert!(refused.contains("aws:ec2/getAmi:getAmi"), "{refused}");
    assert!(
        refused.contains("aws:index/getRegion:getRegion"),
        "{refused}"
    );
    Ok(())
}

async fn invoke(engine: &mut Engine, function: &str, arguments: Value) -> Result<Value> {
    let request = rpc::InvokeRequest {
        tok: function.to_owned(),
        args: Some(wire(&arguments)?),
        preview: false,
    };
    let answer = engine.client.invoke(request).await;
    let answer = answer
        .map_err(|status| anyhow::anyhow!("{}", status.message()))?
        .into_inner();
    match answer.failures.first() {
        None => Ok(json(answer.r#return)),
        Some(failure) => Err(anyhow::anyhow!("{}: {}", failure.property, failure.reason)),
    }
}
