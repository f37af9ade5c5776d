//! The questions of analysts, and their permissions.

use anyhow::{Context, Result};
use pulumi_mock::FAILED_AND_REPORTED;
use serde_json::{Value, json};

use super::{all, mock, names, one, run};

/// Each value as Athena's guide has it for objects of Firehose: "Amazon Data Firehose example",
/// "Supported types for partition projection" (interval and unit are mandatory for hours), "Hive
/// JSON SerDe".
#[test]
fn tables_find_the_objects_that_firehose_writes() -> Result<()> {
    let run = run(mock().config("mysfits:prefix", "clicks-"))?;
    let places = [
        ("mysfits-clicks", "clicks", "clicks-"),
        (
            "mysfits-failed-clicks",
            "failed_clicks",
            "processing-failed/",
        ),
    ];
    for (name, table, prefix) in places {
        let inputs = &one(&run, "glue/catalogTable", name)?.inputs;
        let location = format!("s3://mysfits-clicks-1a2b3c4/{prefix}");
        assert_eq!(inputs["name"], table);
        assert_eq!(inputs["databaseName"], "mysfits_dev");
        assert_eq!(inputs["tableType"], "EXTERNAL_TABLE");
        assert_eq!(
            inputs["parameters"],
            json!({
                "EXTERNAL": "TRUE",
                "projection.enabled": "true",
                "projection.datehour.type": "date",
                "projection.datehour.format": "yyyy/MM/dd/HH",
                "projection.datehour.range": "2026/01/01/00,NOW",
                "projection.datehour.interval": "1",
                "projection.datehour.interval.unit": "HOURS",
                "storage.location.template": format!("{location}${{datehour}}/"),
            })
        );
        let keys = inputs["partitionKeys"].as_array().context("no keys")?;
        assert_eq!(keys.len(), 1);
        assert_eq!(keys[0]["name"], "datehour");
        let storage = &inputs["storageDescriptor"];
        assert_eq!(storage["location"], location);
        assert_eq!(
            storage["serDeInfo"]["serializationLibrary"],
            "org.apache.hive.hcatalog.data.JsonSerDe"
        );
        assert_eq!(
            storage["inputFormat"],
            "org.apache.hadoop.mapred.TextInputFormat"
        );
        assert_eq!(
            storage["outputFormat"],
            "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
        );
        let columns = storage["columns"].as_array().context("no columns")?;
        let lower = |column: &Value| {
            let name = column["name"].as_str().unwrap_or_default();
            name == name.to_lowercase()
        };
        assert!(columns.len() == 7 && columns.iter().all(lower));
    }
    // RFC 3339 is no timestamp of Hive's.
    let clicks = one(&run, "glue/catalogTable", "mysfits-clicks")?;
    let columns = &clicks.inputs["storageDescriptor"]["columns"];
    assert_eq!(columns[5], json!({ "name": "clickedat", "type": "string" }));
    Ok(())
}

/// Athena: API_WorkGroupConfiguration, API_ManagedQueryResultsConfiguration, engine-versions.
#[test]
fn a_query_is_limited_whatever_the_client_says() -> Result<()> {
    let run = run(mock())?;
    let workgroup = one(&run, "athena/workgroup", "mysfits")?;
    assert_eq!(
        workgroup.inputs["configuration"],
        json!({
            "bytesScannedCutoffPerQuery": 100_000_000_000_u64,
            "enforceWorkgroupConfiguration": true,
            "engineVersion": { "selectedEngineVersion": "Athena engine version 3" },
            "managedQueryResultsConfiguration": { "enabled": true },
            "publishCloudwatchMetricsEnabled": true,
        })
    );
    assert_eq!(workgroup.inputs["forceDestroy"], true);
    Ok(())
}

#[test]
fn every_question_is_a_named_query_as_it_is_in_its_file() -> Result<()> {
    let run = run(mock())?;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../analytics/queries");
    let mut files = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.context("no name")?;
        let query = one(&run, "athena/namedQuery", &format!("mysfits-{name}"))?;
        assert_eq!(query.inputs["query"], std::fs::read_to_string(&path)?);
        assert_eq!(query.inputs["name"], name);
        assert_eq!(query.inputs["workgroup"], "mysfits-1a2b3c4");
        assert_eq!(query.inputs["database"], "mysfits_dev");
        files += 1;
    }
    assert_eq!(all(&run, "athena/namedQuery").count(), files);
    assert!(files >= 9, "{files} questions");
    Ok(())
}

#[test]
fn an_analyst_reads_clicks_and_asks_in_one_workgroup() -> Result<()> {
    let run = run(mock())?;
    let policy = one(&run, "iam/policy", "mysfits-analyst")?;
    let text = policy.inputs["policy"].as_str().context("no policy")?;
    let document: Value = serde_json::from_str(text)?;
    let statement = |sid: &str| {
        let statements = document["Statement"].as_array();
        let found = statements.and_then(|all| all.iter().find(|one| one["Sid"] == sid));
        found.cloned().unwrap_or_default()
    };
    let region = "eu-west-1:123456789012";
    assert_eq!(
        statement("Ask")["Resource"],
        json!([format!("arn:aws:athena:{region}:workgroup/mysfits-1a2b3c4")])
    );
    assert_eq!(
        statement("KnowTables")["Resource"],
        json!([
            format!("arn:aws:glue:{region}:catalog"),
            format!("arn:aws:glue:{region}:database/default"),
            format!("arn:aws:glue:{region}:database/mysfits_dev"),
            format!("arn:aws:glue:{region}:table/mysfits_dev/*"),
        ])
    );
    let bucket = "arn:aws:s3:::mysfits-clicks-1a2b3c4";
    assert_eq!(
        statement("ReadObjects"),
        json!({
            "Sid": "ReadObjects",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": [format!("{bucket}/firehose/*"), format!("{bucket}/processing-failed/*")],
        })
    );
    assert_eq!(statement("FindObjects")["Resource"], json!([bucket]));
    assert!(!text.contains("Put") && !text.contains("Delete") && !text.contains("Create"));
    Ok(())
}

#[test]
fn a_stack_can_be_without_analytics() -> Result<()> {
    let run = run(mock().config("mysfits:analytics", "false"))?;
    let named = names(&run);
    let of_analytics = |name: &&String| {
        ["athena/", "glue/", "iam/policy "]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    assert_eq!(named.iter().find(of_analytics), None);
    let outputs = run.outputs.unwrap_or_default();
    assert!(outputs.get("queryWorkgroup").is_none());
    Ok(())
}

#[test]
fn what_tables_cannot_read_is_refused_with_them() -> Result<()> {
    let zip = || mock().config("mysfits:compression", "ZIP");
    let dated = || mock().config("mysfits:prefix", "a/!{timestamp:yyyy}/");
    for (mock, key) in [(zip(), "compression"), (dated(), "prefix")] {
        let refused = mock.run(env!("CARGO_BIN_EXE_infra"))?;
        assert_eq!(refused.exit_code, Some(FAILED_AND_REPORTED));
        let errors = refused.errors().join("");
        assert!(errors.contains(&format!("mysfits:{key} is")), "{errors}");
        assert!(errors.contains("mysfits:analytics false"), "{errors}");
    }
    for mock in [zip(), dated()] {
        run(mock.config("mysfits:analytics", "false"))?;
    }
    run(mock().config("mysfits:compression", "GZIP"))?;
    Ok(())
}

/// A page that says more than the API's model admits would have its clicks refused.
#[test]
fn scripts_go_up_after_the_api_that_admits_what_they_send() -> Result<()> {
    let run = run(mock())?;
    let stage = one(&run, "apigateway/stage", "mysfits-api")?;
    let scripts = all(&run, "s3/bucketObjectv2").filter(|object| object.name.ends_with(".js"));
    let scripts: Vec<_> = scripts.collect();
    assert!(!scripts.is_empty());
    for script in scripts {
        assert!(script.asked_after.contains(&stage.urn), "{}", script.name);
    }
    Ok(())
}
