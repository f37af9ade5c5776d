//! `cargo xtask preview` against prepared changes: the real engine compares the program with a stack
//! whose file says something else, or whose state does. Each kind of finding once, and nothing.

mod stack;

use crate::place::Place;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stack::Stack;

/// Replaces a part of a text, which has to be there.
fn replace(value: &mut Value, from: &str, to: &str) {
    let text = value.as_str().unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    *value = text.replace(from, to).into();
}

#[test]
fn every_kind_of_change_is_told() -> Result<()> {
    let stack = Stack::deployed()?;
    nothing(&stack)?;
    what_is_lost(&stack)?;
    what_is_allowed(&stack)?;
    what_is_seen(&stack)?;
    what_it_costs(&stack)?;
    the_rest(&stack)?;
    stack.place.assert_clean()
}

fn nothing(stack: &Stack) -> Result<()> {
    let shown = stack.preview(&[])?;
    assert_eq!(shown.code, Some(0));
    assert_eq!(shown.review["changes"], false);
    for section in ["lost", "access", "seen", "rest"] {
        assert_eq!(shown.review[section], json!([]), "{section}");
    }
    for table in shown.review["cost"]["tables"]
        .as_array()
        .context("no tables")?
    {
        assert_eq!(table["before"], table["after"], "{table}");
        assert_eq!(table["changes"], json!([]), "{table}");
    }
    let text = stack.place.xtask(&["preview", "-s", "local"])?;
    assert!(
        text.starts_with("Stack local: nothing changes.\n"),
        "{text}"
    );
    Ok(())
}

fn what_is_lost(stack: &Stack) -> Result<()> {
    // A bucket of another name, and with it all that depends on its name.
    let shown = stack.configured(&["mysfits:clicksBucketName: clicks-of-another-name"])?;
    assert_eq!(shown.code, Some(2));
    shown.says(
        "lost",
        &[
            "Bucket mysfits-clicks",
            "replaced",
            "bucket",
            "clicks-of-another-name",
        ],
    )?;
    // Its ARN is not known before it exists, so neither is what others may do with it.
    shown.says(
        "access",
        &["RolePolicy mysfits-delivery", "known after the deployment"],
    )?;
    let output = stack.place.try_xtask(&[
        "preview",
        "-s",
        "local",
        "--config-file",
        stack
            .file(&["mysfits:clicksBucketName: clicks-of-another-name"])?
            .to_str()
            .unwrap(),
        "--allow-loss",
    ])?;
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout)?;
    assert!(text.contains("Stack local: data is lost, "), "{text}");

    let shown = stack.configured(&["mysfits:repository: false"])?;
    assert_eq!(shown.code, Some(2));
    shown.says(
        "lost",
        &["Repository mysfits-processor", "deleted", "every commit"],
    )?;

    let shown = stack.configured(&["mysfits:analytics: false"])?;
    shown.says("lost", &["Workgroup", "deleted"])?;

    let shown = stack.configured(&["mysfits:logRetention: 7"])?;
    assert_eq!(shown.code, Some(2));
    shown.says(
        "lost",
        &["LogGroup mysfits-api", "keptForLess", "retentionInDays"],
    )?;
    let longer = stack.configured(&["mysfits:logRetention: 90"])?;
    assert_eq!(longer.code, Some(0), "{:#}", longer.review);

    let shown = stack.configured(&["mysfits:clicksRetention: 30"])?;
    shown.says("lost", &["BucketLifecycleConfiguration", "keptForLess"])?;

    // What is protected is said to be so.
    let mut state = stack.state.clone();
    for resource in state["deployment"]["resources"].as_array_mut().unwrap() {
        if resource["type"] == "aws:codecommit/repository:Repository" {
            resource["protect"] = true.into();
        }
    }
    stack.import(&state)?;
    let output = stack.place.try_xtask(&[
        "preview",
        "-s",
        "local",
        "--config-file",
        stack
            .file(&["mysfits:repository: false"])?
            .to_str()
            .unwrap(),
    ])?;
    stack.import(&stack.state)?;
    let said = format!("{output:?}");
    assert!(said.contains("protected"), "{said}");
    Ok(())
}

fn what_is_allowed(stack: &Stack) -> Result<()> {
    let role_policy = "aws:iam/rolePolicy:RolePolicy";
    let shown = stack.with_past(role_policy, "mysfits-delivery", |values| {
        replace(
            &mut values["policy"],
            "\"s3:PutObject\"",
            "\"s3:DeleteObject\"",
        );
    })?;
    assert_eq!(shown.code, Some(0));
    shown.says(
        "access",
        &[
            "RolePolicy mysfits-delivery",
            "may now s3:PutObject on arn:aws:s3:::",
        ],
    )?;
    shown.says(
        "access",
        &["may no longer s3:DeleteObject on arn:aws:s3:::"],
    )?;

    // Who may assume a role, under which condition.
    let shown = stack.with_past("aws:iam/role:Role", "mysfits-delivery", |values| {
        replace(
            &mut values["assumeRolePolicy"],
            "000000000000",
            "111111111111",
        );
    })?;
    shown.says(
        "access",
        &[
            "firehose.amazonaws.com may now sts:AssumeRole",
            "000000000000",
        ],
    )?;
    shown.says(
        "access",
        &[
            "firehose.amazonaws.com may no longer sts:AssumeRole",
            "111111111111",
        ],
    )?;

    // A refusal that was not there.
    let shown = stack.with_past(
        "aws:s3/bucketPolicy:BucketPolicy",
        "mysfits-clicks-policy",
        |values| {
            let document = values["policy"].as_str().unwrap();
            let mut document: Value = serde_json::from_str(document).unwrap();
            document["Statement"] = json!([]);
            values["policy"] = document.to_string().into();
        },
    )?;
    shown.says(
        "access",
        &["anybody is now refused s3:*", "aws:SecureTransport false"],
    )?;

    let shown = stack.configured(&["mysfits:allowedOrigins: [https://shop.example]"])?;
    shown.says(
        "access",
        &["pages of https://shop.example may now read its answers"],
    )?;

    let shown = stack.configured(&["mysfits:throttleRate: 77"])?;
    shown.says("access", &["throttlingRateLimit", "10000", "77"])?;

    let block = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
    let shown = stack.with_past(block, "mysfits-clicks-access", |values| {
        values["blockPublicPolicy"] = false.into();
    })?;
    shown.says("access", &["blockPublicPolicy: false → true"])
}

fn what_is_seen(stack: &Stack) -> Result<()> {
    let response = "aws:apigateway/integrationResponse:IntegrationResponse";
    let shown = stack.with_past(response, "mysfits-api-put-200", |values| {
        values["responseTemplates"]["application/json"] = "{\"status\":\"WELL\"}".into();
    })?;
    shown.says(
        "seen",
        &[
            "IntegrationResponse mysfits-api-put-200",
            "WELL",
            "#set($origin",
        ],
    )?;

    let object = "aws:s3/bucketObjectv2:BucketObjectv2";
    let shown = stack.with_past(object, "mysfits-site/index.html", |values| {
        values["content"] = "<title>before</title>".into();
    })?;
    shown.says("seen", &["Files of Site: 1 file changed: index.html"])?;
    assert!(
        !shown.review.to_string().contains("<title>"),
        "{:#}",
        shown.review
    );

    let shown = stack.with_past(object, "mysfits-site/index.html", |values| {
        values["cacheControl"] = "max-age=60".into();
    })?;
    shown.says(
        "seen",
        &["index.html: cacheControl", "max-age=60", "no-cache"],
    )?;

    let shown = stack.with_past(object, "mysfits-site/config.json", |values| {
        replace(&mut values["content"], "us-east-1", "eu-west-1");
    })?;
    shown.says(
        "seen",
        &["config.json: content.awsRegion", "eu-west-1", "us-east-1"],
    )
}

/// With the buffers of stack `dev`, which docs/cost-and-limits.md is about.
fn what_it_costs(stack: &Stack) -> Result<()> {
    let shown = stack.configured(&[
        "mysfits:bufferInterval: 60",
        "mysfits:processorBufferInterval: 30",
    ])?;
    let tables = shown.review["cost"]["tables"].as_array();
    let tables = tables.context("no tables")?;
    assert_eq!(tables.len(), 3);
    for table in tables {
        is_on_the_page(&stack.place, table)?;
    }
    let busy = &tables[1];
    let puts = busy["changes"].as_array().into_iter().flatten();
    let puts: Vec<&Value> = puts
        .filter(|item| item["price"] == "S3, PUT requests")
        .collect();
    // 2,592,000 objects of one second each, or 43,200 of a minute, at 0.005 a thousand.
    assert_eq!(puts.len(), 1, "{busy:#}");
    let dollars = |when: &str| puts[0][when].as_f64();
    assert_eq!(
        (dollars("before"), dollars("after")),
        (Some(12.96), Some(0.216))
    );
    Ok(())
}

/// Whether what a stack would cost is the sum on the page.
fn is_on_the_page(place: &Place, table: &Value) -> Result<()> {
    let page = std::fs::read_to_string(place.root.join("docs/cost-and-limits.md"))?;
    let title = table["of"].as_str().context("no title")?;
    let (_, of_page) = page
        .split_once(&format!("## {title}\n"))
        .context("no such table")?;
    let (_, sum) = of_page
        .split_once("| **together** | | | **")
        .context("no sum on the page")?;
    let sum: f64 = sum.split("**").next().unwrap_or_default().parse()?;
    let after = table["after"].as_f64().context("no sum")?;
    ensure!(
        (after - sum).abs() < 0.006,
        "{title}: {after}, and on the page {sum}"
    );
    Ok(())
}

fn the_rest(stack: &Stack) -> Result<()> {
    let shown = stack.configured(&["mysfits:bufferInterval: 60"])?;
    let rest = shown.rest().join("\n");
    assert!(rest.contains("bufferingInterval: 1 → 60"), "{rest}");

    let shown = stack.with_past(
        "aws:lambda/function:Function",
        "mysfits-processor",
        |values| {
            let hash = values["code"]["hash"].as_str().unwrap().to_owned();
            values["code"]["hash"] = hash
                .replace(|letter: char| letter.is_ascii_digit(), "0")
                .into();
        },
    )?;
    let rest = shown.rest().join("\n");
    assert!(rest.contains(" MB, was built from other sources"), "{rest}");

    // A secret is nowhere, in no form.
    let file = stack.file(&[])?;
    let file = file.display();
    stack.place.shell(&format!(
        "pulumi config set --secret mysfits:alarmEmail hidden@example.com --stack local --config-file '{file}'"
    ))?;
    for format in ["text", "markdown", "json"] {
        let shown = stack.place.xtask(&[
            "preview",
            "-s",
            "local",
            "--format",
            format,
            "--config-file",
            &file.to_string(),
        ])?;
        assert!(shown.contains("TopicSubscription"), "{shown}");
        assert!(!shown.contains("hidden@example.com"), "{shown}");
    }
    Ok(())
}

/// A first deployment, asked of no account.
#[test]
fn a_first_deployment_loses_nothing_and_says_what_is_not_known() -> Result<()> {
    let place = Place::new()?;
    std::fs::create_dir_all(&place.home)?;
    // The function is not what is looked at here, and is built in minutes for AWS.
    let file = place.home.join("Pulumi.quick.yaml");
    let text = std::fs::read_to_string(place.root.join("Pulumi.dev.yaml"))?;
    let quick = "  mysfits:architecture: host\n  mysfits:packageProfile: quick\n";
    std::fs::write(&file, text + quick)?;
    let config = file.to_str().context("not UTF-8")?;
    let preview = |format| {
        let embedded = ["preview", "-s", "dev", "--against", "embedded"];
        place.xtask(
            &[
                &embedded[..],
                &["--config-file", config, "--format", format],
            ]
            .concat(),
        )
    };
    let shown = preview("json")?;
    let shown: Value = serde_json::from_str(&shown)?;
    assert_eq!(
        (&shown["changes"], &shown["loses"]),
        (&json!(true), &json!(false))
    );
    let tables = shown["cost"]["tables"].as_array().context("no tables")?;
    for table in tables {
        assert_eq!(table["before"], 0.0, "{table}");
    }
    is_on_the_page(&place, &tables[0])?;
    // The rest depends on the stream, which the engine knows nothing of before there are ARNs.
    assert_eq!(tables[1]["after"], Value::Null);
    let markdown = preview("markdown")?;
    assert!(markdown.starts_with("### Stack dev: "), "{markdown}");
    assert!(markdown.contains("**Lost**\n\nNothing."), "{markdown}");
    place.assert_clean()
}

/// As a job does for a fork: on a machine where nothing is deployed, against the commit before.
#[tokio::test]
async fn a_change_is_previewed_against_what_it_is_based_on() -> Result<()> {
    let place = Place::new()?;
    // The files as they are, committed or not.
    let stash = place.shell(&format!("git -C '{}' stash create", place.root.display()))?;
    let base = match stash.trim() {
        "" => "HEAD",
        commit => commit,
    };
    let against = ["preview", "-s", "local", "--against", "embedded", "--base"];
    let arguments = [&against[..], &[base, "--format", "json"]].concat();
    let output = place.try_xtask(&arguments)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let review: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{arguments:?} printed no JSON: {said}"))?;
    ensure!(review["changes"] == false, "{review:#}");
    ensure!(!place.home.join("base").exists(), "its files are left");

    let missing = place.try_xtask(&[&against[..], &["no-such-commit"]].concat())?;
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    ensure!(
        said.contains("the files of no-such-commit cannot be had"),
        "{said}"
    );
    place.xtask(&["down"])?;
    place.assert_clean()
}
