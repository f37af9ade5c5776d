//! What is there under another name, or was made by somebody else: a stack that is renamed, imports
//! of what clients made, two owners of one thing.

use crate::cloud::Cloud;
use crate::declared::*;
use crate::support::diff_request;
use anyhow::{Context, Result};
use serde_json::json;

#[tokio::test]
async fn a_renamed_stack_keeps_its_resources_and_leaves_its_name() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let bucket = engine.deploy(&urn(BUCKET, "b"), json!({})).await?;
    let repository = json!({ "repositoryName": "of-dev" });
    let repository = engine.deploy(&urn(REPOSITORY, "r"), repository).await?;
    let api = Api::deploy(&mut engine, "dev").await?;
    engine.client.cancel(()).await?;

    // Under its new name the engine asks, changes, reads and previews.
    let mut renamed = session(&cloud, "prod").await?;
    let of_prod = |token: &str, name: &str| urn_in("prod", token, name);
    let request = diff_request(&of_prod(BUCKET, "b"), &bucket, &bucket.inputs)?;
    renamed.client.diff(request).await?;
    renamed
        .read(&of_prod(API, "a"), &api.api)
        .await?
        .context("gone")?;
    let other_name = json!({ "repositoryName": "of-prod" });
    let repository = renamed
        .update(&of_prod(REPOSITORY, "r"), &repository, other_name)
        .await?;
    let stacks = |cloud: &Cloud| -> Vec<String> {
        let records = records(cloud).into_iter();
        records.map(|record| record.resource.stack).collect()
    };
    assert_eq!(stacks(&cloud), ["prod", "prod", "prod"]);
    renamed.client.cancel(()).await?;
    let cloud = cloud.restart().await?;
    assert_eq!(stacks(&cloud), ["prod", "prod", "prod"]);

    // A new stack of the old name has ids of its own, and touches nothing of the other.
    let mut new = session(&cloud, "dev").await?;
    let own_bucket = new.deploy(&urn(BUCKET, "b"), json!({})).await?;
    assert_ne!(own_bucket.id, bucket.id);
    let own_api = Api::deploy(&mut new, "dev").await?;
    assert_ne!(own_api.api.id, api.api.id);
    let own = json!({ "repositoryName": "of-dev" });
    let own = new.deploy(&urn(REPOSITORY, "r"), own).await?;
    assert_ne!(
        own.outputs["repositoryId"],
        repository.outputs["repositoryId"]
    );
    new.delete(&urn(REPOSITORY, "r"), &own).await?;
    new.delete(&urn(BUCKET, "b"), &own_bucket).await?;
    new.delete(&urn(API, "a"), &own_api.api).await?;
    assert_eq!(stacks(&cloud), ["prod", "prod", "prod"]);
    let mut renamed = session(&cloud, "prod").await?;
    let read = renamed
        .read(&of_prod(REPOSITORY, "r"), &repository)
        .await?
        .context("gone")?;
    assert_eq!(read.inputs["repositoryName"], "of-prod");
    renamed
        .delete(&of_prod(REPOSITORY, "r"), &repository)
        .await?;
    assert_eq!(books(&cloud), ["Bucket b", "RestApi a"]);
    Ok(())
}

#[tokio::test]
async fn what_clients_made_can_be_imported_read_changed_and_deleted() -> Result<()> {
    let cloud = Cloud::start().await?;
    cloud.put("/made").send().await?.expect(200)?;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let call = cloud.put("/made").query("versioning", "").body(versioning);
    call.send().await?.expect(200)?;
    let block = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>\
                 </PublicAccessBlockConfiguration>";
    let call = cloud
        .put("/made")
        .query("publicAccessBlock", "")
        .body(block);
    call.send().await?.expect(200)?;
    let put = cloud
        .put("/made/a/page.html")
        .header("content-type", "text/html");
    put.body("<p>1</p>").send().await?.expect(200)?;

    let mut engine = session(&cloud, "dev").await?;
    for (token, id) in [
        (BUCKET, "nowhere"),
        (VERSIONING, "nowhere"),
        (OBJECT, "made/nowhere"),
        (OBJECT, "made"),
        (POLICY, "made"),
        (LIFECYCLE, "made"),
        (STREAM, "nowhere:s"),
        (GROUP, "nowhere"),
    ] {
        assert_eq!(
            engine.import(&urn(token, "i"), id).await?,
            None,
            "{token} {id}"
        );
    }
    let bucket = engine
        .import(&urn(BUCKET, "i"), "made")
        .await?
        .context("no bucket")?;
    assert_eq!(bucket.inputs, json!({ "bucket": "made" }));
    assert_eq!(bucket.outputs["arn"], "arn:aws:s3:::made");
    assert_eq!(bucket.outputs["region"], "us-east-1");
    let versioning = engine
        .import(&urn(VERSIONING, "i"), "made")
        .await?
        .context("none")?;
    assert_eq!(
        versioning.inputs["versioningConfiguration"]["status"],
        "Enabled"
    );
    let access = engine
        .import(&urn(ACCESS, "i"), "made")
        .await?
        .context("none")?;
    assert_eq!(access.inputs["blockPublicAcls"], true);
    assert_eq!(access.inputs["restrictPublicBuckets"], false);
    for token in [OWNERSHIP, ENCRYPTION] {
        engine
            .import(&urn(token, "i"), "made")
            .await?
            .context(token)?;
    }
    let object = urn(OBJECT, "i");
    let by_url = engine
        .import(&object, "s3://made/a/page.html")
        .await?
        .context("none")?;
    let imported = engine
        .import(&object, "made/a/page.html")
        .await?
        .context("none")?;
    assert_eq!(imported, by_url);
    let (key, kind) = (&imported.inputs["key"], &imported.inputs["contentType"]);
    assert_eq!((key, kind), (&json!("a/page.html"), &json!("text/html")));
    assert_eq!(
        books(&cloud),
        [] as [&str; 0],
        "who imports may think better of it"
    );

    // What an import has shown is what a refresh shows, and what an update changes.
    let read = engine.read(&object, &imported).await?.context("gone")?;
    assert_eq!(read, imported);
    let inputs = json!({ "bucket": "made", "key": "a/page.html", "content": "2" });
    let changed = engine.update(&object, &imported, inputs).await?;
    assert_eq!(cloud.get("/made/a/page.html").send().await?.text(), "2");
    let call = cloud
        .put("/made/a/page.html")
        .header("content-type", "text/css");
    call.body("2").send().await?.expect(200)?;
    let read = engine.read(&object, &changed).await?.context("gone")?;
    assert_eq!(read.inputs["contentType"], "text/css");
    assert_eq!(books(&cloud), ["BucketObjectv2 i"]);
    engine.delete(&object, &changed).await?;
    engine.delete(&urn(ACCESS, "i"), &access).await?;
    let gone = cloud
        .get("/made")
        .query("publicAccessBlock", "")
        .send()
        .await?;
    gone.refused(404, "NoSuchPublicAccessBlockConfiguration")?;
    engine.delete(&urn(BUCKET, "i"), &bucket).await?;
    cloud.head("/made").send().await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn names_that_are_unique_within_a_group_are_no_more_than_that() -> Result<()> {
    let cloud = Cloud::start().await?;
    let mut engine = session(&cloud, "dev").await?;
    let mut streams = Vec::new();
    for group in ["g", "h"] {
        engine
            .deploy(&urn(GROUP, group), json!({ "name": group }))
            .await?;
        let stream = json!({ "name": "same", "logGroupName": group });
        streams.push(engine.deploy(&urn(STREAM, group), stream).await?);
        let filter = json!({
            "name": "same", "logGroupName": group, "pattern": "",
            "metricTransformation": { "name": "n", "namespace": "s", "value": "1" },
        });
        engine.deploy(&urn(FILTER, group), filter).await?;
    }
    engine.delete(&urn(STREAM, "g"), &streams[0]).await?;
    assert_eq!(engine.read(&urn(STREAM, "g"), &streams[0]).await?, None);
    let other = engine.read(&urn(STREAM, "h"), &streams[1]).await?;
    assert_eq!(other.as_ref(), Some(&streams[1]));
    Ok(())
}

#[tokio::test]
async fn of_two_owners_of_the_accounts_settings_the_second_overwrites_with_a_warning() -> Result<()>
{
    let cloud = Cloud::start().await?;
    let warnings = crate::listener::Listener::start().await?;
    let mut owners = Vec::new();
    for stack in ["dev", "prod"] {
        let mut engine = session(&cloud, stack).await?;
        warnings.attach(&mut engine).await?;
        let role = json!({ "name": stack, "assumeRolePolicy": trust("apigateway.amazonaws.com") });
        let role = engine.deploy(&urn_in(stack, ROLE, "r"), role).await?;
        let policy = json!({ "name": "p", "role": stack, "policy": allow("logs:*") });
        engine
            .deploy(&urn_in(stack, ROLE_POLICY, "p"), policy)
            .await?;
        let account = json!({ "cloudwatchRoleArn": role.outputs["arn"] });
        let account = engine.deploy(&urn_in(stack, ACCOUNT, "a"), account).await?;
        engine.client.cancel(()).await?;
        owners.push((stack, account));
    }
    let told = warnings.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&urn_in("dev", ACCOUNT, "a")), "{told:?}");
    assert!(told[0].contains("as on AWS it is overwritten") || told[0].contains("As on AWS"));

    // The first sees what the second has set, and takes it from the second with its deletion.
    let (_, first) = &owners[0];
    let mut dev = session(&cloud, "dev").await?;
    let read = dev
        .read(&urn_in("dev", ACCOUNT, "a"), first)
        .await?
        .context("gone")?;
    let other = "arn:aws:iam::000000000000:role/prod";
    assert_eq!(read.inputs["cloudwatchRoleArn"], other);
    dev.delete(&urn_in("dev", ACCOUNT, "a"), first).await?;
    let (_, second) = &owners[1];
    let mut prod = session(&cloud, "prod").await?;
    let account = urn_in("prod", ACCOUNT, "a");
    let read = prod.read(&account, second).await?.context("gone")?;
    assert_eq!(read.inputs.get("cloudwatchRoleArn"), None);
    // The next update of the second sets it again.
    let inputs = second.inputs.clone();
    prod.update(&account, &read, inputs).await?;
    let read = prod.read(&account, second).await?.context("gone")?;
    assert_eq!(read.inputs["cloudwatchRoleArn"], other);
    Ok(())
}
