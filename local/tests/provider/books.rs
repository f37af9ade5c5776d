//! What the cloud's books say of what is there: after a lost answer, a second creation, a deletion
//! by hand. Through the provider protocol, in the aws package itself; what clients do goes through
//! AWS's own protocols.

use crate::cloud::Cloud;
use crate::declared::*;
use crate::support::{ResourceState, refusal};
use anyhow::{Context, Result};
use serde_json::{Value, json};

#[tokio::test]
async fn what_aws_puts_is_overwritten_however_often_it_is_created() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    for (urn, inputs) in all_that_is_put(&mut engine).await? {
        let first = engine
            .deploy(&urn, inputs.clone())
            .await
            .context(urn.clone())?;
        let before = records(&cloud).len();
        // In the same session, and by an engine that knows of nothing.
        for mut engine in [engine.clone(), session(&cloud, "dev").await?] {
            let again = engine
                .deploy(&urn, inputs.clone())
                .await
                .context(urn.clone())?;
            assert_eq!(again.id, first.id, "{urn}");
            assert_eq!(records(&cloud).len(), before, "{urn}");
        }
        let read = engine.read(&urn, &first).await?;
        assert!(read.is_some(), "{urn}");
    }
    let cloud = cloud.restart().await?;
    let now = cloud.server.cloud();
    for status in now.account.deployments.statuses(&now.account.package) {
        let text = serde_json::to_string(&status)?;
        assert!(!text.contains("notLive"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn what_aws_creates_is_refused_where_it_is_with_the_way_to_take_it_over() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let api = Api::deploy(&mut engine, "dev").await?;
    engine
        .deploy(&urn(INTEGRATION, "i"), api.integration())
        .await
        .err()
        .context("no method")?;
    let method = engine.deploy(&urn(METHOD, "m"), api.method()).await?;
    engine
        .deploy(&urn(INTEGRATION, "i"), api.integration())
        .await?;
    let deployment = json!({ "restApi": api.api.id });
    let deployment = engine.deploy(&urn(DEPLOYMENT, "d"), deployment).await?;
    let stage = json!({ "restApi": api.api.id, "stageName": "s", "deployment": deployment.id });
    let (api_id, root) = (&api.api.id, api.root.as_str().context("no root")?);
    for (token, inputs, id) in [
        (BUCKET, json!({ "bucket": "bucket" }), "bucket".to_owned()),
        (GROUP, json!({ "name": "g" }), "g".to_owned()),
        (
            ROLE,
            json!({ "name": "r", "assumeRolePolicy": trust("lambda.amazonaws.com") }),
            "r".to_owned(),
        ),
        (
            STREAM,
            json!({ "name": "s", "logGroupName": "g" }),
            "g:s".to_owned(),
        ),
        (REPOSITORY, json!({ "repositoryName": "c" }), "c".to_owned()),
        (
            METHOD_RESPONSE,
            api.answer(),
            format!("{api_id}/{root}/GET/200"),
        ),
        (STAGE, stage, format!("{api_id}/s")),
        (
            ORIGIN_ACCESS,
            json!({
                "name": "o", "originAccessControlOriginType": "s3", "signingBehavior": "always",
                "signingProtocol": "sigv4",
            }),
            String::new(),
        ),
    ] {
        let created = engine.deploy(&urn(token, "x"), inputs.clone()).await?;
        // Some ids are not to be told before.
        let id = Some(id).filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| created.id.clone());
        let refused = refusal(engine.deploy(&urn(token, "x"), inputs.clone()).await)?;
        let hint = format!("pulumi import {token} x '{id}'");
        assert!(refused.contains(&hint), "{token}: {refused}");
        // What the message says works, for another stack too.
        let mut other = session(&cloud, "other").await?;
        let imported = other.import(&urn_in("other", token, "y"), &id).await?;
        let imported = imported.context(hint)?;
        assert_eq!(imported.id, created.id);
        for (name, value) in inputs.as_object().context("no object")? {
            assert_eq!(imported.inputs[name], *value, "{token}.{name}");
        }
    }
    let again = refusal(engine.deploy(&urn(METHOD, "m"), api.method()).await)?;
    assert!(
        again.contains("Method already exists for this resource"),
        "{again}"
    );
    engine.delete(&urn(METHOD, "m"), &method).await?;
    engine.delete(&urn(METHOD, "m"), &method).await?;
    Ok(())
}

#[tokio::test]
async fn a_creation_of_which_a_killed_engine_never_heard_goes_on_with_what_is_there() -> Result<()>
{
    let cloud = Cloud::start().await?;
    let wanted = [
        (BUCKET, json!({ "forceDestroy": true })),
        (GROUP, json!({ "name": "g" })),
        (REPOSITORY, json!({ "repositoryName": "c" })),
        (
            ROLE,
            json!({ "assumeRolePolicy": trust("lambda.amazonaws.com") }),
        ),
    ];
    let mut killed = session(&cloud, "dev").await?;
    let mut ids = Vec::new();
    for (token, inputs) in &wanted {
        ids.push(killed.deploy(&urn(token, "x"), inputs.clone()).await?.id);
    }
    let api = Api::deploy(&mut killed, "dev").await?;
    killed.deploy(&urn(METHOD, "m"), api.method()).await?;
    drop(killed);

    // The cloud may have been killed as well.
    let cloud = cloud.restart().await?;
    let bucket = &ids[0];
    cloud
        .put(&format!("/{bucket}/kept"))
        .body("1")
        .send()
        .await?
        .expect(200)?;
    let before = books(&cloud);
    let mut next = session(&cloud, "dev").await?;
    for ((token, inputs), id) in wanted.iter().zip(&ids) {
        let created = next.deploy(&urn(token, "x"), inputs.clone()).await?;
        assert_eq!(&created.id, id, "{token}");
    }
    let same = Api::deploy(&mut next, "dev").await?;
    assert_eq!(same.api.id, api.api.id);
    next.deploy(&urn(METHOD, "m"), api.method()).await?;
    assert_eq!(books(&cloud), before, "nothing is there twice");
    cloud
        .get(&format!("/{bucket}/kept"))
        .send()
        .await?
        .expect(200)?;

    // A session that ended orderly has heard of all it created.
    next.client.cancel(()).await?;
    let mut later = session(&cloud, "dev").await?;
    let refused = refusal(later.deploy(&urn(METHOD, "m"), api.method()).await)?;
    assert!(refused.contains("already exists"), "{refused}");
    let (_, inputs) = &wanted[0];
    let another = later.deploy(&urn(BUCKET, "x"), inputs.clone()).await?;
    assert_ne!(&another.id, bucket);
    Ok(())
}

#[tokio::test]
async fn what_an_engine_knows_is_not_created_once_more() -> Result<()> {
    let cloud = Cloud::start().await?;
    let bucket = urn(BUCKET, "b");
    let mut killed = session(&cloud, "dev").await?;
    let first = killed.deploy(&bucket, json!({})).await?;
    // The engine has it in its state, and replaces it without asking what differs.
    let mut next = session(&cloud, "dev").await?;
    next.check(&bucket, first.inputs.clone(), json!({})).await?;
    let second = next.deploy(&bucket, json!({})).await?;
    assert_ne!(second.id, first.id);
    next.delete(&bucket, &first).await?;
    cloud
        .head(&format!("/{}", second.id))
        .send()
        .await?
        .expect(200)?;
    cloud
        .head(&format!("/{}", first.id))
        .send()
        .await?
        .expect(404)?;
    Ok(())
}

#[tokio::test]
async fn what_was_deleted_by_hand_is_forgotten_and_made_again() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let bucket = engine
        .deploy(&urn(BUCKET, "b"), json!({ "bucket": "bucket" }))
        .await?;
    let object = json!({ "bucket": "bucket", "key": "o", "content": "1" });
    let page = urn(OBJECT, "o");
    let created = engine.deploy(&page, object.clone()).await?;
    let access = json!({ "bucket": "bucket", "blockPublicAcls": true });
    let access = engine.deploy(&urn(ACCESS, "a"), access).await?;
    for refreshed in [true, false] {
        cloud.delete("/bucket/o").send().await?.expect(204)?;
        if refreshed {
            assert_eq!(engine.read(&page, &created).await?, None);
            assert!(!books(&cloud).contains(&"BucketObjectv2 o".to_owned()));
        }
        engine.deploy(&page, object.clone()).await?;
        cloud.get("/bucket/o").send().await?.expect(200)?;
    }

    // With the bucket goes all that was in it or set on it.
    for path in ["/bucket/o", "/bucket"] {
        cloud.delete(path).send().await?.expect(204)?;
    }
    assert_eq!(engine.read(&urn(BUCKET, "b"), &bucket).await?, None);
    assert_eq!(books(&cloud), [] as [&str; 0]);
    assert_eq!(engine.read(&urn(ACCESS, "a"), &access).await?, None);
    let again = engine
        .deploy(&urn(BUCKET, "b"), json!({ "bucket": "bucket" }))
        .await?;
    assert_eq!(again.id, "bucket");
    Ok(())
}

#[tokio::test]
async fn what_a_killed_engine_left_can_be_asked_away() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut orderly = session(&cloud, "dev").await?;
    orderly
        .deploy(&urn(GROUP, "kept"), json!({ "name": "kept" }))
        .await?;
    orderly.client.cancel(()).await?;
    let mut killed = session(&cloud, "dev").await?;
    killed
        .deploy(&urn(BUCKET, "b"), json!({ "bucket": "bucket" }))
        .await?;
    let access = json!({ "bucket": "bucket", "blockPublicAcls": true });
    killed.deploy(&urn(ACCESS, "a"), access).await?;
    let mut other = session(&cloud, "other").await?;
    let of_other = urn_in("other", GROUP, "other");
    other.deploy(&of_other, json!({ "name": "other" })).await?;
    drop(killed);
    let asked = cloud
        .delete("/_mysfits/leftovers/dev")
        .send()
        .await?
        .expect(200)?;
    assert!(asked.text().contains(&urn(BUCKET, "b")), "{}", asked.text());
    assert_eq!(books(&cloud), ["LogGroup kept", "LogGroup other"]);
    cloud.head("/bucket").send().await?.expect(404)?;
    Ok(())
}

/// An engine that has lost part of its state deletes the rest.
#[tokio::test]
async fn nothing_is_left_of_what_belonged_to_what_was_deleted() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let mut holders = Vec::new();
    for (urn, inputs) in all_that_is_put(&mut engine).await? {
        engine.deploy(&urn, inputs).await?;
    }
    for record in records(&cloud).into_iter().rev() {
        let resource = record.resource;
        let held = [BUCKET, GROUP, API, ROLE, TOPIC];
        if held.contains(&record.token.as_str()) {
            holders.push((resource.urn, resource.id, resource.inputs));
        }
    }
    for (urn, id, mut inputs) in holders {
        if urn.contains(BUCKET) {
            cloud.delete("/bucket/o").send().await?;
            inputs.insert("forceDestroy".into(), true.into());
        }
        if urn.contains(ROLE) {
            inputs.insert("forceDetachPolicies".into(), true.into());
        }
        let state = ResourceState {
            id,
            inputs: Value::Object(inputs.clone()),
            outputs: json!({}),
        };
        let state = engine.update(&urn, &state, Value::Object(inputs)).await?;
        engine.delete(&urn, &state).await.context(urn)?;
    }
    assert_eq!(books(&cloud), ["Account p", "Dashboard p", "MetricAlarm p"]);
    Ok(())
}

/// The table of docs/compatibility/resources.md.
#[tokio::test]
async fn each_type_is_created_as_the_documentation_says() -> Result<()> {
    let cloud = Cloud::start().await?;
    let now = cloud.server.cloud();
    let page = include_str!("../../../docs/compatibility/resources.md");
    let mut documented = Vec::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, kind, _, how @ ("put" | "create"), _] = cells[..] {
            documented.push((kind.to_owned(), how == "put"));
        }
    }
    let of_code = now.account.package.tokens().filter_map(|token| {
        let declared = now.account.package.resource_type(token)?;
        let (module, name) = token.strip_prefix("aws:")?.split_once(':')?;
        let module = module.split('/').next()?;
        Some((format!("{module}:{name}"), declared.of.overwrites()))
    });
    let mut of_code: Vec<_> = of_code.collect();
    of_code.sort();
    documented.sort();
    assert_eq!(documented, of_code);
    Ok(())
}
