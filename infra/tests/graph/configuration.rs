//! Stack files, and what happens when one is wrong.

use anyhow::{Context, Result};
use pulumi_mock::FAILED_AND_REPORTED;
use serde_json::json;

use super::{all, mock, names, one, run};

/// The `mysfits:` keys of a committed stack file, which are plain values all, and the accounts that
/// it admits.
pub fn stack_file(stack: &str) -> Result<Vec<(String, String)>> {
    let path = format!("{}/../Pulumi.{stack}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("mysfits:"));
    let mut values = lines
        .map(|line| {
            let (key, value) = line.split_once(": ").context("not a plain value")?;
            Ok((format!("mysfits:{key}"), value.trim_matches('"').to_owned()))
        })
        .collect::<Result<Vec<_>>>()?;
    const ACCOUNTS: &str = "aws:allowedAccountIds";
    let mut lines = text.lines().map(str::trim);
    if lines.any(|line| line == format!("{ACCOUNTS}:")) {
        let accounts = lines.map_while(|line| line.strip_prefix("- "));
        let accounts: Vec<&str> = accounts.map(|id| id.trim_matches('"')).collect();
        values.push((ACCOUNTS.to_owned(), json!(accounts).to_string()));
    }
    Ok(values)
}

#[test]
fn every_committed_stack_file_is_accepted() -> Result<()> {
    for stack in ["dev", "prod", "local"] {
        let mut mock = mock().stack(stack);
        for (key, value) in stack_file(stack)? {
            mock = mock.config(&key, &value);
        }
        let run = run(mock)?;
        let repository = one(&run, "codecommit/repository", "mysfits-processor")?;
        let name = "MythicalMysfits-ClicksProcessingLambdaRepository";
        let expected = match stack {
            "dev" => name.to_owned(),
            _ => format!("{name}-{stack}"),
        };
        assert_eq!(repository.inputs["repositoryName"], expected);
        // CloudWatch knows an API by its name: two stacks would share metrics and alarms.
        let api = one(&run, "apigateway/restApi", "mysfits-api")?;
        let expected = match stack {
            "dev" => "ClickProcessing API Service".to_owned(),
            _ => format!("ClickProcessing API Service {stack}"),
        };
        assert_eq!(api.inputs["name"], expected);
        let failing = one(&run, "cloudwatch/metricAlarm", "mysfits-api-failing")?;
        assert_eq!(failing.inputs["dimensions"]["ApiName"], expected);
        let protected = run
            .resources
            .iter()
            .any(|one| one.options.protect == Some(true));
        assert_eq!(protected, stack == "prod");
        let thrown_away = all(&run, "s3/bucket").all(|one| one.inputs["forceDestroy"] == true);
        assert_eq!(thrown_away, stack != "prod");
    }
    Ok(())
}

#[test]
fn the_local_stack_sees_a_click_at_once() -> Result<()> {
    let mut mock = mock().stack("local");
    for (key, value) in stack_file("local")? {
        mock = mock.config(&key, &value);
    }
    let run = run(mock)?;
    let stream = one(&run, "kinesis/firehoseDeliveryStream", "mysfits-clicks")?;
    let s3 = &stream.inputs["extendedS3Configuration"];
    assert_eq!(s3["bufferingInterval"], 1);
    let parameters = &s3["processingConfiguration"]["processors"][0]["parameters"];
    assert_eq!(
        parameters[2],
        json!({ "parameterName": "BufferIntervalInSeconds", "parameterValue": "1" })
    );
    for (name, path) in [("mysfits-api", "*/*"), ("mysfits-api-put", "clicks/PUT")] {
        let settings = one(&run, "apigateway/methodSettings", name)?;
        assert_eq!(settings.inputs["methodPath"], path);
        assert_eq!(
            settings.inputs["settings"],
            json!({ "throttlingBurstLimit": 5000, "throttlingRateLimit": 10000 })
        );
    }
    let outputs = run.outputs.unwrap_or_default();
    assert_eq!(outputs["siteUrl"], "http://d111111abcdef8.cloudfront.net");
    Ok(())
}

/// Over plain HTTP the bucket would refuse the distribution: on AWS every page would be 403.
#[test]
fn visitors_get_to_the_site_over_tls_in_every_stack() -> Result<()> {
    for stack in ["dev", "prod", "local"] {
        let mut mock = mock().stack(stack);
        for (key, value) in stack_file(stack)? {
            mock = mock.config(&key, &value);
        }
        let run = run(mock)?;
        let site = one(&run, "cloudfront/distribution", "mysfits-site")?;
        let viewers = &site.inputs["defaultCacheBehavior"]["viewerProtocolPolicy"];
        assert_eq!(viewers, "redirect-to-https", "{stack}");
    }
    let refused = mock()
        .config("mysfits:siteScheme", "http")
        .run(env!("CARGO_BIN_EXE_infra"))?;
    assert_eq!(refused.exit_code, Some(FAILED_AND_REPORTED));
    assert!(refused.resources.is_empty(), "{refused}");
    assert!(
        refused
            .errors()
            .join("")
            .contains("mysfits:siteScheme https")
    );
    Ok(())
}

#[test]
fn a_wrong_configuration_registers_nothing_and_says_everything() -> Result<()> {
    let run = mock()
        .config("mysfits:bufferInterval", "1000")
        .config("mysfits:siteSheme", "http")
        .run(env!("CARGO_BIN_EXE_infra"))?;
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    assert_eq!(run.resources, []);
    let errors = run.errors().join("\n");
    assert_eq!(
        errors,
        "2 mistakes in the configuration of stack dev
  mysfits:bufferInterval is '1000', allowed: seconds from 0 to 900; fix it with: pulumi config set --stack dev mysfits:bufferInterval 900
  mysfits:siteSheme is no key, mysfits:siteScheme is; fix it with: pulumi config rm --stack dev mysfits:siteSheme"
    );
    Ok(())
}

#[test]
fn a_bucket_and_a_stream_that_exist_keep_their_names() -> Result<()> {
    let mock = mock()
        .config("mysfits:clicksBucketName", "old-clicks")
        .config("mysfits:deliveryStreamName", "old.stream");
    let run = run(mock)?;
    let bucket = one(&run, "s3/bucket", "mysfits-clicks")?;
    assert_eq!(bucket.inputs["bucket"], "old-clicks");
    let site = one(&run, "s3/bucket", "mysfits-site")?;
    assert_eq!(site.inputs["bucket"], serde_json::Value::Null);
    let stream = one(&run, "kinesis/firehoseDeliveryStream", "mysfits-clicks")?;
    assert_eq!(stream.inputs["name"], "old.stream");
    Ok(())
}

#[test]
fn parts_can_be_left_out() -> Result<()> {
    let mock = mock()
        .config("mysfits:repository", "false")
        .config("mysfits:manageApiGatewayAccount", "false");
    let run = run(mock)?;
    let names = names(&run);
    assert!(!names.iter().any(|name| name.starts_with("codecommit/")));
    assert!(all(&run, "apigateway/account").all(|one| one.read.is_some()));
    assert!(!names.iter().any(|name| name.contains("mysfits-api-logs")));
    let outputs = run.outputs.unwrap_or_default();
    assert!(outputs.get("repositoryCloneUrlHttp").is_none());
    Ok(())
}

#[test]
fn clicks_are_kept_forever_unless_the_configuration_says_otherwise() -> Result<()> {
    let rules = |mock| -> Result<serde_json::Value> {
        let run = run(mock)?;
        let lifecycle = one(
            &run,
            "s3/bucketLifecycleConfiguration",
            "mysfits-clicks-lifecycle",
        )?;
        Ok(lifecycle.inputs["rules"].clone())
    };
    let leftovers = json!({
        "id": "leftovers",
        "status": "Enabled",
        "filter": { "prefix": "" },
        "noncurrentVersionExpiration": { "noncurrentDays": 30 },
        "abortIncompleteMultipartUpload": { "daysAfterInitiation": 7 },
    });
    assert_eq!(rules(mock())?, json!([leftovers]));
    let clicks = json!({
        "id": "clicks",
        "status": "Enabled",
        "filter": { "prefix": "" },
        "expiration": { "days": 400 },
    });
    let configured = mock().config("mysfits:clicksRetention", "400");
    assert_eq!(rules(configured)?, json!([leftovers, clicks]));
    Ok(())
}
