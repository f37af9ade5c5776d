//! The life of resources: created, updated, read, deleted; through failures and restarts.

use crate::support::{ResourceState, TestCloud, archive, create_request, refusal, secret, urn};
use crate::world::{NOTE, THING};
use anyhow::{Context, Result};
use cloud_resource::status::Condition;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_resource_is_created_updated_read_and_deleted() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({ "region": "eu-west-1" })).await?;
    let thing = urn(THING, "t");

    let inputs = json!({
        "name": "n", "password": secret("p"), "labels": {"open": "a", "hidden": secret("b")},
        "zones": ["a", secret("b")], "code": archive("h"), "tags": {"a": secret("b")},
        "place": secret("home"),
    });
    let created = engine.deploy(&thing, inputs.clone()).await?;
    assert_eq!(created.id, "n");
    assert_eq!(
        created.outputs,
        json!({
            "name": "n", "password": secret("p"), "labels": {"open": "a", "hidden": secret("b")},
            "zones": ["a", secret("b")], "code": archive("h"), "tags": {"a": secret("b")},
            "place": secret("HOME"), "tagsAll": {"a": secret("b")}, "region": "eu-west-1",
            "arn": "arn:aws:test:eu-west-1:000000000000:n",
            "share": 0.5, "version": "1", "generation": 1, "token": secret("s3cr3t"),
        })
    );
    // The type saw plain values.
    assert_eq!(cloud.world.state().live["n"]["password"], "p");
    assert_eq!(cloud.world.state().live["n"]["labels"]["hidden"], "b");

    let refreshed = engine.read(&thing, &created).await?;
    assert_eq!(
        refreshed.as_ref(),
        Some(&created),
        "a refresh shows no change"
    );

    let updated = engine
        .update(&thing, &created, json!({ "name": "n", "count": 7 }))
        .await?;
    assert_eq!(updated.outputs["version"], "2");
    assert_eq!(updated.outputs.get("password"), None);
    assert_eq!(updated.outputs["tagsAll"], json!({}));
    assert_eq!(cloud.world.state().live["n"]["count"], 7);

    engine.delete(&thing, &updated).await?;
    assert!(cloud.world.live().is_empty());
    assert_eq!(engine.read(&thing, &updated).await?, None);
    engine.delete(&thing, &updated).await?;
    let gone = refusal(
        engine
            .update(&thing, &updated, json!({ "name": "n" }))
            .await,
    )?;
    assert!(
        gone.contains("no aws:test/thing:Thing n: run pulumi refresh"),
        "{gone}"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_changed_by_hand_is_seen() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let thing = urn(THING, "t");
    let zones = json!(["a", secret("b")]);
    let inputs = json!({
        "count": 1, "password": secret("p"), "zones": zones, "labels": {"a": "b"}, "share": null,
    });
    let created = engine.deploy(&thing, inputs).await?;

    let mut drifted = cloud.world.state().live[&created.id].clone();
    drifted.insert("count".into(), json!(2));
    drifted.remove("labels");
    drifted.insert("password".into(), json!("q"));
    drifted.insert("zones".into(), json!(["b", "a"]));
    cloud
        .world
        .state()
        .drift
        .insert(created.id.clone(), Some(drifted));
    let read = engine.read(&thing, &created).await?.context("is there")?;
    assert_eq!(read.inputs["count"], 2);
    assert_eq!(read.inputs["password"], secret("q"));
    // Which of them was the secret one is not to be told any more.
    assert_eq!(read.inputs["zones"], secret(json!(["b", "a"])));
    assert_eq!(read.inputs["__defaults"], json!(["name"]));
    assert_eq!(read.inputs.get("labels"), None);
    assert_eq!(read.outputs["count"], 2);

    cloud.world.state().drift.insert(created.id.clone(), None);
    assert_eq!(engine.read(&thing, &created).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_exists_can_be_imported() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    // Left over by a stack that was told to retain it.
    let left = engine
        .deploy(&urn(THING, "old"), json!({ "name": "left" }))
        .await?;
    let new = urn(THING, "new");
    let imported = engine.import(&new, "left").await?.context("is there")?;
    assert_eq!(imported.inputs, json!({ "name": "left" }));
    assert_eq!(imported.outputs, left.outputs);

    // Made by hand.
    let by_hand = json!({ "name": "hand", "count": 1 });
    let by_hand = by_hand.as_object().cloned();
    cloud.world.state().drift.insert("hand".into(), by_hand);
    let imported = engine.import(&new, "hand").await?.context("is there")?;
    assert_eq!(imported.inputs, json!({ "name": "hand", "count": 1 }));
    cloud.world.state().drift.clear();
    assert_eq!(engine.import(&new, "nowhere").await?, None);
    Ok(())
}

#[tokio::test]
async fn a_creation_that_fails_leaves_nothing() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    for step in ["create", "activate"] {
        cloud.world.fail(step);
        let failed = refusal(
            engine
                .deploy(&urn(THING, "t"), json!({ "name": "n" }))
                .await,
        )?;
        assert_eq!(
            failed,
            format!("FailedPrecondition: ToldToFail: {step} was told to fail")
        );
        assert!(
            cloud.server.cloud().account.deployments.all().is_empty(),
            "{step}"
        );
        assert!(cloud.world.live().is_empty(), "{step}");
        cloud.world.recover();
    }
    let taken = engine
        .deploy(&urn(THING, "t"), json!({ "name": "n" }))
        .await?;
    let twice = refusal(
        engine
            .deploy(&urn(THING, "u"), json!({ "name": "n" }))
            .await,
    )?;
    assert!(twice.contains(&urn(THING, "t")), "{twice}");

    cloud.world.fail("delete");
    let failed = refusal(engine.delete(&urn(THING, "t"), &taken).await)?;
    assert!(failed.contains("ToldToFail"), "{failed}");
    cloud.world.recover();
    assert_eq!(
        cloud.restart().await?.world.live(),
        ["n"],
        "it is still deployed"
    );
    Ok(())
}

#[tokio::test]
async fn an_update_that_fails_leaves_the_old_one_live() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let thing = urn(THING, "t");
    let created = engine
        .deploy(&thing, json!({ "name": "n", "count": 1 }))
        .await?;

    let unlucky = json!({ "name": "n", "count": 13 });
    let failed = refusal(engine.update(&thing, &created, unlucky).await)?;
    assert!(failed.contains("13 cannot be activated"), "{failed}");
    cloud.world.fail("update");
    let failed = refusal(
        engine
            .update(&thing, &created, json!({ "name": "n", "count": 2 }))
            .await,
    )?;
    assert!(failed.contains("ToldToFail"), "{failed}");
    cloud.world.recover();

    assert_eq!(cloud.world.state().live["n"]["count"], 1);
    assert_eq!(engine.read(&thing, &created).await?, Some(created.clone()));
    let cloud = cloud.restart().await?;
    assert_eq!(cloud.world.state().live["n"]["count"], 1);
    Ok(())
}

#[tokio::test]
async fn everything_is_live_again_after_a_restart() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({})).await?;
    for name in ["c", "a", "b"] {
        engine
            .deploy(&urn(THING, name), json!({ "name": name }))
            .await?;
    }
    // An update lets the oldest depend on the youngest.
    let oldest = ResourceState {
        id: "c".into(),
        inputs: json!({ "name": "c" }),
        outputs: json!({}),
    };
    let inputs = json!({ "name": "c", "dependsOnThing": "b" });
    let oldest = engine.update(&urn(THING, "c"), &oldest, inputs).await?;

    let cloud = cloud.restart().await?;
    assert_eq!(
        cloud.world.state().calls,
        ["activate a", "activate b", "activate c"]
    );
    let mut engine = cloud.engine(json!({})).await?;
    assert_eq!(engine.read(&urn(THING, "c"), &oldest).await?, Some(oldest));

    // What cannot be made live does not keep the rest from it, and is not forgotten.
    let unlucky = json!({ "name": "a", "count": 13 }).as_object().cloned();
    let mut record = cloud
        .server
        .cloud()
        .account
        .deployments
        .find(THING, "a", None)
        .context("a is deployed")?;
    record.resource.inputs = unlucky.context("an object")?;
    let json = serde_json::to_vec(&record)?;
    let key = format!("{:020}", record.sequence);
    let batch = cloud_core::store::Batch::new().put("resources", &key, json);
    cloud.server.cloud().context.store.commit(batch).await?;
    let cloud = cloud.restart().await?;
    assert_eq!(cloud.world.live(), ["b", "c"]);
    let now = cloud.server.cloud();
    let statuses = now.account.deployments.statuses(&now.account.package);
    drop(now);
    let conditions = statuses.into_iter().map(|of| (of.id, of.condition));
    let dead = Condition::NotLive("Unlucky: 13 cannot be activated".into());
    assert_eq!(
        conditions.collect::<Vec<_>>(),
        [
            ("c".to_owned(), Condition::Live),
            ("a".to_owned(), dead),
            ("b".to_owned(), Condition::Live),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn ids_are_the_same_after_destroy_and_never_within_a_stacks_life() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let note = urn(NOTE, "n");
    let mut lives = Vec::new();
    for _ in 0..2 {
        let mut engine = cloud.engine(json!({})).await?;
        let first = engine.deploy(&note, json!({ "text": "1" })).await?;
        // Deleted before it is replaced, which leaves the stack empty for a moment.
        engine.delete(&note, &first).await?;
        let second = engine.deploy(&note, json!({ "text": "2" })).await?;
        let third = engine.deploy(&note, json!({ "text": "3" })).await?;
        engine.delete(&note, &second).await?;
        engine.delete(&note, &third).await?;
        let ids = [first.id, second.id, third.id];
        assert_eq!(BTreeSet::from(ids.clone()).len(), 3, "{ids:?}");
        lives.push(ids);
    }
    assert_eq!(lives[0], lives[1]);

    let cloud = cloud.restart().await?;
    let mut engine = cloud.engine(json!({})).await?;
    let first = engine.deploy(&note, json!({ "text": "1" })).await?;
    assert_eq!(first.id, lives[0][0]);
    // Another stack counts by itself.
    let mut other = cloud.connect().await?;
    let provider = "urn:pulumi:other::test::pulumi:providers:aws::default";
    other.configure_as(provider, json!({})).await?;
    let elsewhere = note.replace(":dev:", ":other:");
    let elsewhere = other.deploy(&elsewhere, json!({ "text": "1" })).await?;
    assert_ne!(elsewhere.id, first.id);
    Ok(())
}

#[tokio::test]
async fn a_change_goes_on_when_the_engine_goes_away() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let engine = cloud.engine(json!({})).await?;
    let mut client = engine.client.clone();
    let request = create_request(&urn(THING, "t"), &json!({ "name": "slow" }), false)?;
    let call = tokio::spawn(async move { client.create(request).await.map(drop) });
    cloud.world.started.notified().await;
    call.abort();
    drop(engine);
    cloud.world.proceed.notify_one();
    // The cloud waits for it when it stops.
    assert_eq!(cloud.restart().await?.world.live(), ["slow"]);
    Ok(())
}

#[tokio::test]
async fn of_two_that_want_one_id_one_gets_it() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let engine = cloud.engine(json!({})).await?;
    let mut calls = tokio::task::JoinSet::new();
    for name in ["a", "b"] {
        let mut engine = engine.clone();
        calls.spawn(async move {
            engine
                .create(&urn(THING, name), json!({ "name": "slow" }))
                .await
        });
        cloud.world.started.notified().await;
    }
    cloud.world.proceed.notify_waiters();
    let mut answers = Vec::new();
    while let Some(answer) = calls.join_next().await {
        answers.push(answer?);
    }
    let refused: Vec<String> = answers
        .into_iter()
        .filter_map(|answer| refusal(answer).ok())
        .collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("AlreadyExists"), "{refused:?}");
    assert_eq!(cloud.server.cloud().account.deployments.all().len(), 1);
    assert_eq!(cloud.world.live(), ["slow"]);
    Ok(())
}

#[tokio::test]
async fn many_at_once_are_all_there() -> Result<()> {
    const COUNT: usize = 60;
    let cloud = TestCloud::start().await?;
    let engine = cloud.engine(json!({})).await?;
    let mut calls = tokio::task::JoinSet::new();
    for index in 0..COUNT {
        let mut engine = engine.clone();
        // Three connections, in no particular order.
        if index % 3 == 1 {
            engine = cloud.engine(json!({})).await?;
        }
        calls.spawn(async move {
            let urn = urn(THING, &format!("t{}", index * 37 % COUNT));
            let created = engine.deploy(&urn, json!({ "count": 100 + index })).await?;
            if index % 5 == 0 {
                engine.delete(&urn, &created).await?;
                return anyhow::Ok(None);
            }
            Ok(Some(created.id))
        });
    }
    let mut expected = BTreeSet::new();
    while let Some(done) = calls.join_next().await {
        expected.extend(done??);
    }
    let ids = |live: Vec<String>| live.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(expected.len(), COUNT - COUNT / 5);
    assert_eq!(ids(cloud.world.live()), expected);

    let records = cloud.server.cloud().account.deployments.all();
    let order: Vec<String> = records
        .into_iter()
        .map(|record| record.resource.id)
        .collect();
    let cloud = cloud.restart().await?;
    assert_eq!(ids(cloud.world.live()), expected);
    let activated: Vec<String> = order.iter().map(|id| format!("activate {id}")).collect();
    assert_eq!(
        cloud.world.state().calls,
        activated,
        "in the order of creation"
    );
    Ok(())
}

#[tokio::test]
async fn a_region_of_its_own_is_where_a_resource_goes() -> Result<()> {
    let cloud = TestCloud::start().await?;
    let mut engine = cloud.engine(json!({ "region": "eu-west-1" })).await?;
    let here = engine
        .deploy(&urn(THING, "a"), json!({ "name": "n" }))
        .await?;
    let there = json!({ "name": "n", "region": "eu-west-2" });
    let there = engine.deploy(&urn(THING, "b"), there).await?;
    let arn = |state: &ResourceState| state.outputs["arn"].as_str().map(str::to_owned);
    assert_eq!(
        arn(&here).as_deref(),
        Some("arn:aws:test:eu-west-1:000000000000:n")
    );
    assert_eq!(
        arn(&there).as_deref(),
        Some("arn:aws:test:eu-west-2:000000000000:n")
    );
    // Of the two that have one id, each call finds its own.
    engine.delete(&urn(THING, "b"), &there).await?;
    assert_eq!(engine.read(&urn(THING, "b"), &there).await?, None);
    let still: Option<Value> = engine
        .read(&urn(THING, "a"), &here)
        .await?
        .map(|state| state.outputs);
    assert_eq!(still, Some(here.outputs));
    Ok(())
}
