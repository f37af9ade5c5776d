//! Alarms, the dashboard, and the parts of the site that are there by configuration.

use anyhow::{Context, Result};
use pulumi_mock::{FAILED_AND_REPORTED, Severity, value};
use serde_json::{Value, json};

use super::{all, mock, one, run};

#[test]
fn a_stack_that_protects_its_clicks_warns_when_nobody_is_told_of_alarms() -> Result<()> {
    let protected = || mock().config("mysfits:protect", "true");
    let told = "operators@example.com";
    let cases = [
        (mock(), 0),
        (protected(), 1),
        (protected().config("mysfits:alarmEmail", told), 0),
    ];
    for (mock, warnings) in cases {
        let run = run(mock.preview())?;
        let operations = run.resource("operations")?;
        assert_eq!(run.logs.len(), warnings, "{run}");
        for log in &run.logs {
            assert_eq!(log.severity, Severity::Warning);
            assert_eq!(log.urn.as_ref(), Some(&operations.urn));
            assert!(log.message.contains("mysfits:alarmEmail"), "{run}");
        }
    }
    Ok(())
}

#[test]
fn an_address_that_is_a_secret_stays_one() -> Result<()> {
    let run = run(mock().secret("mysfits:alarmEmail", "operators@example.com"))?;
    let subscription = one(&run, "sns/topicSubscription", "mysfits-alarms")?;
    let endpoint = &subscription.inputs["endpoint"];
    assert_eq!(*endpoint, value::secret("operators@example.com"));
    assert!(run.logs.is_empty(), "{run}");
    Ok(())
}

#[test]
fn a_secret_that_does_not_stay_one_is_warned_of() -> Result<()> {
    let run = run(mock()
        .secret("mysfits:prefix", "hidden/")
        .secret("mysfits:tags", r#"{"team":"hidden"}"#)
        .secret("mysfits:alarmEmail", "operators@example.com"))?;
    assert_eq!(run.logs.len(), 1, "{run}");
    let log = &run.logs[0];
    assert_eq!(log.severity, Severity::Warning);
    assert!(
        log.message.contains("mysfits:prefix, mysfits:tags."),
        "{run}"
    );
    assert!(!log.message.contains("hidden"), "{run}");
    Ok(())
}

#[test]
fn alarms_go_to_the_configured_address_and_nowhere_without_one() -> Result<()> {
    let silent = run(mock())?;
    assert_eq!(all(&silent, "sns/topic").count(), 0);
    for alarm in all(&silent, "cloudwatch/metricAlarm") {
        assert_eq!(alarm.inputs["alarmActions"], json!([]), "{}", alarm.name);
    }

    let loud = run(mock().config("mysfits:alarmEmail", "operators@example.com"))?;
    let topic = "arn:aws:sns:eu-west-1:123456789012:mysfits-alarms-1a2b3c4";
    let subscription = one(&loud, "sns/topicSubscription", "mysfits-alarms")?;
    assert_eq!(
        subscription.inputs,
        json!({ "topic": topic, "protocol": "email", "endpoint": "operators@example.com" })
    );
    // SNS, "Allow CloudWatch alarms to publish": the alarms of this account and region alone.
    let policy = one(&loud, "sns/topicPolicy", "mysfits-alarms")?;
    assert_eq!(policy.inputs["arn"], topic);
    let policy = policy.inputs["policy"].as_str().unwrap_or_default();
    assert_eq!(
        serde_json::from_str::<Value>(policy)?["Statement"],
        json!([{
            "Sid": "Alarms",
            "Effect": "Allow",
            "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {
                "StringEquals": { "aws:SourceAccount": "123456789012" },
                "ArnLike": { "aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*" },
            },
        }])
    );
    let mut alarms = 0;
    for alarm in all(&loud, "cloudwatch/metricAlarm") {
        assert_eq!(
            alarm.inputs["alarmActions"],
            json!([topic]),
            "{}",
            alarm.name
        );
        assert_eq!(alarm.inputs["okActions"], json!([topic]), "{}", alarm.name);
        alarms += 1;
    }
    assert_eq!(alarms, 8);
    Ok(())
}

#[test]
fn each_alarm_has_its_section_in_the_runbook() -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/runbook.md");
    let runbook = std::fs::read_to_string(path)?;
    let run = run(mock())?;
    for alarm in all(&run, "cloudwatch/metricAlarm") {
        let description = alarm.inputs["alarmDescription"]
            .as_str()
            .unwrap_or_default();
        let (_, section) = description
            .split_once("docs/runbook.md#")
            .context("no section")?;
        assert!(runbook.contains(&format!("\n## {section}\n")), "{section}");
        assert_eq!(format!("mysfits-{section}"), alarm.name);
    }
    Ok(())
}

/// CloudWatch Logs, filter-and-pattern-syntax: a filter on a JSON field, whose number is what the
/// metric adds up. It asks for nothing that Lambda assigns by itself, such as the level.
#[test]
fn failed_records_are_counted_by_the_processor_s_own_number() -> Result<()> {
    let run = run(mock())?;
    let filter = one(&run, "cloudwatch/logMetricFilter", "mysfits-records-failed")?;
    assert_eq!(filter.inputs["pattern"], "{ $.recordsFailed > 0 }");
    assert_eq!(
        filter.inputs["metricTransformation"],
        json!({
            "namespace": "mysfits/dev",
            "name": "RecordsFailed",
            "value": "$.recordsFailed",
            "defaultValue": "0",
        })
    );
    let alarm = one(&run, "cloudwatch/metricAlarm", "mysfits-records-failed")?;
    assert_eq!(alarm.inputs["namespace"], "mysfits/dev");
    assert_eq!(alarm.inputs["metricName"], "RecordsFailed");
    assert_eq!(alarm.inputs["statistic"], "Sum");
    Ok(())
}

/// Each metric of one's own costs by the month: the stack makes those alone that an alarm or the
/// dashboard uses, and the processor's log makes none (embedded metric format).
#[test]
fn every_metric_that_is_paid_for_is_used() -> Result<()> {
    let run = run(mock())?;
    let board = one(&run, "cloudwatch/dashboard", "mysfits")?;
    let board = board.inputs["dashboardBody"].as_str().unwrap_or_default();
    let mut made = 0;
    for filter in all(&run, "cloudwatch/logMetricFilter") {
        let metric = &filter.inputs["metricTransformation"];
        let shown = json!([metric["namespace"], metric["name"]]).to_string();
        assert!(board.contains(&shown), "{shown}");
        let watched = |alarm: &pulumi_mock::Resource| {
            alarm.inputs["namespace"] == metric["namespace"]
                && alarm.inputs["metricName"] == metric["name"]
        };
        assert!(all(&run, "cloudwatch/metricAlarm").any(watched), "{shown}");
        made += 1;
    }
    assert_eq!(made, 1);
    Ok(())
}

/// API Gateway, "Variables for access logging": `$context.integrationStatus` is documented for
/// Lambda proxies, `$context.integration.status` for every integration.
#[test]
fn the_access_log_has_the_integration_s_status_by_both_its_names() -> Result<()> {
    let run = run(mock())?;
    let stage = one(&run, "apigateway/stage", "mysfits-api")?;
    let format = stage.inputs["accessLogSettings"]["format"].as_str();
    let format: Value = serde_json::from_str(format.unwrap_or_default())?;
    assert_eq!(format["integrationStatus"], "$context.integrationStatus");
    assert_eq!(
        format["integrationResponseStatus"],
        "$context.integration.status"
    );
    Ok(())
}

#[test]
fn delivery_is_late_after_its_own_buffers() -> Result<()> {
    let slow = mock()
        .config("mysfits:bufferInterval", "900")
        .config("mysfits:processorBufferInterval", "600");
    let threshold = |mock| -> Result<Value> {
        let run = run(mock)?;
        let alarm = one(&run, "cloudwatch/metricAlarm", "mysfits-delivery-late")?;
        Ok(alarm.inputs["threshold"].clone())
    };
    assert_eq!(threshold(mock())?, 60 + 30 + 900);
    assert_eq!(threshold(slow)?, 900 + 600 + 900);
    Ok(())
}

#[test]
fn the_dashboard_shows_what_the_alarms_watch() -> Result<()> {
    let run = run(mock().stack("eu.prod"))?;
    let board = one(&run, "cloudwatch/dashboard", "mysfits")?;
    // A dashboard's name has no period, a stack's may.
    assert_eq!(board.inputs["dashboardName"], "mysfits-eu-prod");
    let body = board.inputs["dashboardBody"].as_str().unwrap_or_default();
    let body: Value = serde_json::from_str(body)?;
    let shown: Vec<Value> = body["widgets"]
        .as_array()
        .context("no widgets")?
        .iter()
        .flat_map(|widget| {
            widget["properties"]["metrics"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .collect();
    for alarm in all(&run, "cloudwatch/metricAlarm") {
        let queries = alarm.inputs["metricQueries"].as_array();
        let queried = queries.into_iter().flatten().map(|query| &query["metric"]);
        let queried: Vec<&Value> = queried.filter(|metric| metric.is_object()).collect();
        let compared = if queried.is_empty() {
            vec![&alarm.inputs]
        } else {
            queried
        };
        for of in compared {
            let found = shown
                .iter()
                .any(|metric| metric[0] == of["namespace"] && metric[1] == of["metricName"]);
            assert!(found, "{} is not on the dashboard", alarm.name);
        }
    }
    Ok(())
}

/// A robot that asks a quiet API for paths that it does not have is no reason to wake anybody.
/// CloudWatch: an alarm has a metric of its own or queries, of which one is returned.
#[test]
fn refusals_are_a_share_of_requests_that_count() -> Result<()> {
    let run = run(mock())?;
    let alarm = one(&run, "cloudwatch/metricAlarm", "mysfits-api-refusing")?;
    for own in [
        "namespace",
        "metricName",
        "statistic",
        "period",
        "dimensions",
    ] {
        assert_eq!(alarm.inputs[own], Value::Null, "{own}");
    }
    let sum = |id: &str, metric: &str| {
        json!({
            "id": id,
            "metric": {
                "namespace": "AWS/ApiGateway",
                "metricName": metric,
                "dimensions": { "ApiName": "ClickProcessing API Service", "Stage": "prod" },
                "period": 300,
                "stat": "Sum",
            },
        })
    };
    assert_eq!(
        alarm.inputs["metricQueries"],
        json!([
            sum("counted", "4XXError"),
            sum("requests", "Count"),
            {
                "id": "share",
                "label": "Share of requests",
                "expression": "IF(requests >= 20, counted / requests, 0)",
                "returnData": true,
            },
        ])
    );
    Ok(())
}

#[test]
fn a_domain_of_one_s_own_brings_its_certificate_and_modern_tls() -> Result<()> {
    let certificate = "arn:aws:acm:us-east-1:123456789012:certificate/1";
    let run = run(mock()
        .config("mysfits:siteDomain", "mysfits.example.com")
        .config("mysfits:siteCertificateArn", certificate))?;
    let distribution = one(&run, "cloudfront/distribution", "mysfits-site")?;
    assert_eq!(
        distribution.inputs["aliases"],
        json!(["mysfits.example.com"])
    );
    assert_eq!(
        distribution.inputs["viewerCertificate"],
        json!({
            "acmCertificateArn": certificate,
            "sslSupportMethod": "sni-only",
            "minimumProtocolVersion": "TLSv1.2_2021",
        })
    );
    let outputs = run.outputs.clone().unwrap_or_default();
    assert_eq!(outputs["siteUrl"], "https://mysfits.example.com");
    assert_eq!(outputs["mysfitsApiEndpoint"], "https://mysfits.example.com");
    let answer = one(
        &run,
        "apigateway/integrationResponse",
        "mysfits-api-put-200",
    )?;
    let headers = &answer.inputs["responseParameters"];
    let origin = &headers["method.response.header.Access-Control-Allow-Origin"];
    assert_eq!(*origin, "'https://mysfits.example.com'");
    // The processor works before anybody has made the domain's record.
    let function = one(&run, "lambda/function", "mysfits-processor")?;
    let variables = &function.inputs["environment"]["variables"];
    assert_eq!(
        variables["MYSFITS_API_URL"],
        "https://d111111abcdef8.cloudfront.net"
    );
    Ok(())
}

#[test]
fn a_domain_without_a_certificate_is_refused() -> Result<()> {
    let run = mock()
        .config("mysfits:siteDomain", "mysfits.example.com")
        .run(env!("CARGO_BIN_EXE_infra"))?;
    assert_eq!(run.exit_code, Some(FAILED_AND_REPORTED));
    assert_eq!(
        run.errors().join("\n"),
        "1 mistake in the configuration of stack dev
  mysfits:siteCertificateArn is missing, mysfits:siteDomain needs it; fix it with: pulumi config set --stack dev mysfits:siteCertificateArn 'arn:aws:acm:us-east-1:123456789012:certificate/ID'"
    );
    Ok(())
}

/// CloudFront, standard logging (v2): source, destination and delivery are in us-east-1.
#[test]
fn the_site_s_access_log_is_in_the_one_region_that_has_it() -> Result<()> {
    assert_eq!(all(&run(mock())?, "cloudwatch/logDelivery").count(), 0);
    let run = run(mock().config("mysfits:siteAccessLogs", "true"))?;
    let kinds = [
        "cloudwatch/logDelivery",
        "cloudwatch/logDeliveryDestination",
        "cloudwatch/logDeliverySource",
        "cloudwatch/logGroup",
    ];
    for kind in kinds {
        let part = one(&run, kind, "mysfits-site")?;
        assert_eq!(part.inputs["region"], "us-east-1", "{kind}");
    }
    let source = one(&run, "cloudwatch/logDeliverySource", "mysfits-site")?;
    assert_eq!(source.inputs["logType"], "ACCESS_LOGS");
    assert!(source.depends_on("mysfits-site"));
    Ok(())
}
