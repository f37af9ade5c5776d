//! Several stacks on one cloud, each deployed as its file says.

use crate::clicks::send;
use crate::permissions;
use crate::place::Place;
use crate::records::{Records, client};
use crate::refusals;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What stacks beside the first say: API Gateway's settings are one for account and region.
const SECOND: &str = "  mysfits:manageApiGatewayAccount: false\n";
/// What the first one says.
const OWNER: &str = "  mysfits:manageApiGatewayAccount: true\n";

#[tokio::test]
async fn three_stacks_share_nothing_and_one_is_protected() -> Result<()> {
    let place = Place::new()?;
    let owner = file_of(&place, "prod", OWNER)?;
    pulumi(&place, "up --skip-preview", "prod", &owner)?;
    let dev = file_of(&place, "dev", SECOND)?;
    let local = file_of(&place, "local", SECOND)?;
    for (stack, file) in [("dev", &dev), ("local", &local)] {
        pulumi(&place, "up --skip-preview", stack, file)?;
    }

    let mut ids = BTreeMap::new();
    for (stack, file) in [("prod", &owner), ("dev", &dev), ("local", &local)] {
        pulumi(
            &place,
            "refresh --skip-preview --expect-no-changes",
            stack,
            file,
        )?;
        place.shell(&format!(
            "pulumi preview --expect-no-changes --stack {stack} --config-file '{}'",
            file.display()
        ))?;
        let resources = place.resources_of(stack)?;
        permissions::check(&resources).context(stack)?;
        for resource in resources
            .iter()
            // What a stack only reads is another's, as API Gateway's settings are.
            .filter(|resource| resource["custom"] == true && resource["external"] != true)
        {
            let id = (resource["type"].to_string(), resource["id"].to_string());
            let other = ids.insert(id, resource["urn"].clone());
            assert_eq!(other, None, "{} is shared", resource["urn"]);
        }
        let outputs = place.outputs_of(stack)?;
        send(&outputs, 1, 1).await?;
        refusals::check(&outputs).await.context(stack)?;
    }
    for (stack, file) in [("dev", &dev), ("local", &local)] {
        pulumi(&place, "destroy --skip-preview", stack, file)?;
    }
    place.shell("pulumi refresh --stack prod --yes --skip-preview --expect-no-changes")?;
    send(&place.outputs_of("prod")?, 1, 1).await?;

    let before = urns(&place.resources_of("prod")?);
    let refused = refusal(&place, "pulumi destroy --stack prod --yes")?;
    for explained in [
        "mysfits-clicks",
        "it is protected",
        "remove the `protect` flag",
    ] {
        assert!(refused.contains(explained), "{explained}: {refused}");
    }
    assert!(urns(&place.resources_of("prod")?) == before);

    let destroyable = format!("{OWNER}  mysfits:forceDestroy: true\n  mysfits:protect: false\n");
    let prod = file_of(&place, "prod", &destroyable)?;
    pulumi(&place, "up --skip-preview", "prod", &prod)?;
    // What goes with the owner of API Gateway's role for logs, its destruction says beforehand.
    let preview = place.shell(&format!(
        "pulumi destroy --preview-only --stack prod --config-file '{}'",
        prod.display()
    ))?;
    assert!(
        preview.contains("logs-of-every-api-in-this-account-and-region"),
        "{preview}"
    );
    pulumi(&place, "destroy --skip-preview", "prod", &prod)?;
    assert_eq!(place.resources_of("prod")?, [] as [Value; 0]);
    place.assert_clean()
}

/// The error of a stack that leaves the role for logs to another one, when there is none.
const NO_ROLE: [&str; 2] = [
    "API Gateway has no role for logs",
    "pulumi config set --stack prod mysfits:manageApiGatewayAccount true",
];

#[tokio::test]
async fn a_stack_without_the_role_for_logs_says_what_to_run_until_another_one_owns_it() -> Result<()>
{
    let place = Place::new()?;
    let prod = file_of(&place, "prod", SECOND)?;
    let preview = format!(
        "pulumi preview --stack prod --config-file '{}' 2>&1",
        prod.display()
    );
    let up = format!(
        "pulumi up --skip-preview --yes --stack prod --config-file '{}' 2>&1",
        prod.display()
    );
    // A preview goes on: the owner may be deployed before the stack is.
    for said in [place.shell(&preview)?, refusal(&place, &up)?] {
        for told in NO_ROLE {
            assert!(said.contains(told), "{told}: {said}");
        }
    }

    let dev = file_of(&place, "dev", OWNER)?;
    pulumi(&place, "up --skip-preview", "dev", &dev)?;
    let said = place.shell(&preview)?;
    assert!(!said.contains(NO_ROLE[0]), "{said}");
    place.shell(&up)?;
    settings_outlive_a_refresh(&place, &dev).await?;
    // `prod` is protected.
    let free = format!("{SECOND}  mysfits:forceDestroy: true\n  mysfits:protect: false\n");
    let prod = file_of(&place, "prod", &free)?;
    pulumi(&place, "up --skip-preview", "prod", &prod)?;
    for (stack, file) in [("prod", &prod), ("dev", &dev)] {
        pulumi(&place, "destroy --skip-preview", stack, file)?;
    }
    place.assert_clean()
}

/// A refresh whose read writes lifecycle rules, versioning and encryption into the buckets
/// (<https://github.com/pulumi/pulumi-aws/issues/6244>), and the update after it.
async fn settings_outlive_a_refresh(place: &Place, dev: &Path) -> Result<()> {
    let faults = format!("{}/_mysfits/faults", place.aws()?);
    let fault = json!({ "service": "provider", "operation": "ReadBucket", "fault": "settings" });
    let switched = client()?.put(&faults).json(&fault).send().await?;
    switched.error_for_status()?;
    pulumi(place, "refresh --skip-preview", "dev", dev)?;
    let resources = place.resources_of("dev")?;
    let written = |resource: &&Value| resource["inputs"]["lifecycleRules"].is_array();
    assert!(resources.iter().any(|resource| written(&resource)));
    place.shell(&format!(
        "pulumi preview --expect-no-changes --stack dev --config-file '{}'",
        dev.display()
    ))?;
    // Tags make the update go through every bucket.
    let tagged = dev.with_extension("tagged.yaml");
    let text = fs::read_to_string(dev)?;
    fs::write(&tagged, text + "  mysfits:tags: {after: refresh}\n")?;
    pulumi(place, "up --skip-preview", "dev", &tagged)?;
    // Each setting is a resource of its own, which is read as it was declared.
    let refresh = "refresh --skip-preview --expect-no-changes";
    pulumi(place, refresh, "dev", &tagged)?;
    client()?.delete(&faults).send().await?.error_for_status()?;
    Ok(())
}

/// The way of docs/adopting.md, with the file that is given there.
#[tokio::test]
async fn a_stack_takes_over_the_bucket_and_the_stream_of_another() -> Result<()> {
    let place = Place::new()?;
    let dev = file_of(&place, "dev", "  mysfits:protect: true\n")?;
    pulumi(&place, "up --skip-preview", "dev", &dev)?;
    let old = place.outputs_of("dev")?;
    let (bucket, stream) = (text(&old["clicksBucket"])?, text(&old["deliveryStream"])?);
    let records = Records::of(&place, &old)?;
    let kept = json!({ "userId": "of old" });
    let put = records.put_json(bucket, "firehose/2026/kept", kept.to_string());
    put.await?;
    pulumi(&place, "destroy --exclude-protected", "dev", &dev)?;
    place.shell("pulumi stack rm dev --yes --force --preserve-config")?;

    let names = format!(
        "{OWNER}  mysfits:clicksBucketName: {bucket}\n  mysfits:deliveryStreamName: {stream}\n"
    );
    let prod = file_of(&place, "prod", &names)?;
    let adopt = documented(&place.root)?
        .replace("BUCKET", bucket)
        .replace("STREAM", stream)
        .replace("REGION", "us-east-1")
        .replace("ACCOUNT", "000000000000");
    let file = place.home.join("adopt.json");
    fs::write(&file, adopt)?;
    let import = format!(
        "import --skip-preview --generate-code=false --file '{}'",
        file.display()
    );
    pulumi(&place, &import, "prod", &prod)?;

    let preview = place.shell(&format!(
        "pulumi preview --json --stack prod --config-file '{}'",
        prod.display()
    ))?;
    let preview: Value = serde_json::from_str(&preview)?;
    let mut taken_over = 0;
    for step in preview["steps"].as_array().context("no steps")? {
        let operation = text(&step["op"])?;
        let of_old = [
            "s3/bucket:Bucket::mysfits-clicks",
            "FirehoseDeliveryStream::",
        ]
        .iter()
        .any(|end| step["urn"].as_str().is_some_and(|urn| urn.contains(end)));
        if of_old {
            ensure!(["same", "update"].contains(&operation), "{step}");
            taken_over += 1;
        }
    }
    assert_eq!(taken_over, 2);
    pulumi(&place, "up --skip-preview", "prod", &prod)?;
    let new = place.outputs_of("prod")?;
    assert_eq!(new["clicksBucket"], bucket);
    assert_eq!(new["deliveryStream"], stream);
    records
        .wait_until(|records| records.contains(&kept))
        .await?;

    // A stream by another name is another stream; the bucket is the same.
    let renamed = names.replace(stream, "renamed");
    let unprotected = format!("{renamed}  mysfits:protect: false\n");
    let prod = file_of(&place, "prod", &unprotected)?;
    pulumi(&place, "up --skip-preview", "prod", &prod)?;
    let new = place.outputs_of("prod")?;
    assert_eq!(new["deliveryStream"], "renamed");
    assert_eq!(new["clicksBucket"], bucket);
    send(&new, 1, 1).await?;
    records
        .wait_until(|records| records.contains(&kept))
        .await?;
    place.assert_clean()
}

/// A stack's file with more in it, beside the home: the committed one is not touched.
fn file_of(place: &Place, stack: &str, more: &str) -> Result<PathBuf> {
    let name = format!("Pulumi.{stack}.yaml");
    let mut lines = fs::read_to_string(place.root.join(&name))?;
    let key = |line: &str| line.split_once(": ").map(|(key, _)| key.to_owned());
    let replaced: BTreeSet<_> = more.lines().filter_map(key).collect();
    lines = lines
        .lines()
        .filter(|line| key(line).is_none_or(|key| !replaced.contains(&key)))
        .fold(String::new(), |text, line| text + line + "\n");
    fs::create_dir_all(&place.home)?;
    let file = place.home.join(name);
    fs::write(&file, lines + more)?;
    Ok(file)
}

fn pulumi(place: &Place, command: &str, stack: &str, file: &Path) -> Result<String> {
    place.shell(&format!(
        "pulumi {command} --yes --stack {stack} --config-file '{}'",
        file.display()
    ))
}

/// What a command says that must fail.
fn refusal(place: &Place, script: &str) -> Result<String> {
    let output = place.try_shell(script)?;
    ensure!(!output.status.success(), "{script} succeeded");
    let said = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The file for `pulumi import` in docs/adopting.md.
fn documented(root: &Path) -> Result<String> {
    let page = fs::read_to_string(root.join("docs/adopting.md"))?;
    let (_, rest) = page.split_once("```json\n").context("no JSON")?;
    let (file, _) = rest.split_once("```").context("the JSON has no end")?;
    Ok(file.to_owned())
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().context("not a text")
}

fn urns(resources: &[Value]) -> BTreeSet<String> {
    let urns = resources.iter().map(|resource| resource["urn"].to_string());
    urns.collect()
}
