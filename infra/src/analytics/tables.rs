//! The Glue database, and a table for the clicks and for the records that failed. Partitions are
//! projected from the hours in the keys: no crawler, nothing to add, nothing to wait for.

use std::collections::HashMap;

use aws::glue::{catalog_database, catalog_table};
use aws::types::glue::{
    CatalogTablePartitionKey as PartitionKey, CatalogTableStorageDescriptor as Storage,
    CatalogTableStorageDescriptorColumn as Column, CatalogTableStorageDescriptorSerDeInfo as SerDe,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, format_output};

use crate::bucket::PrivateBucket;
use crate::delivery::FAILED_PREFIX;
use crate::scope::Scope;

/// The first hour of the tables. An hour of the range is a request to S3 for a query that names no
/// first hour, so it begins in the year in which the first stack could be deployed.
const FIRST_HOUR: &str = "2026/01/01/00";

/// A line of the processor's. Glue has names in small letters, and the SerDe finds the keys in
/// camel case by them. `clickedAt` is a text: RFC 3339 is no timestamp of Hive's.
const CLICKS: [(&str, &str); 7] = [
    ("userid", "string"),
    ("mysfitid", "string"),
    ("goodevil", "string"),
    ("lawchaos", "string"),
    ("species", "string"),
    ("clickedat", "string"),
    ("clickid", "string"),
];

/// A record that the processor failed, as Firehose writes it:
/// <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html>.
const FAILED: [(&str, &str); 7] = [
    ("attemptsmade", "bigint"),
    ("arrivaltimestamp", "bigint"),
    ("errorcode", "string"),
    ("errormessage", "string"),
    ("attemptendingtimestamp", "bigint"),
    ("rawdata", "string"),
    ("lambdaarn", "string"),
];

pub struct Database {
    pub name: Output<String>,
    pub arn: Output<String>,
}

pub fn create(scope: &Scope<'_>, parent: &Component, bucket: &PrivateBucket) -> Database {
    let options = Options::new().parent(parent);
    let database = catalog_database::create_with_options(
        scope.program,
        "mysfits",
        catalog_database::CatalogDatabaseArgs::builder()
            .name(database_name(scope.program.stack()))
            .description("The clicks on profiles of Mythical Mysfits")
            .build_struct(),
        options.clone(),
    );
    let tables = [
        (
            "clicks",
            "A click each line, delivered at least once: clickid tells them apart",
            scope.config.delivery.prefix.clone(),
            &CLICKS,
        ),
        (
            "failed_clicks",
            "A record each line that the processor could make nothing of",
            FAILED_PREFIX.to_owned(),
            &FAILED,
        ),
    ];
    for (name, description, prefix, columns) in tables {
        let location = format_output!("s3://{}/{prefix}", bucket.name, prefix = prefix);
        let parameters = location.map(move |location| parameters(&location));
        let storage = location.map(move |location| storage(location, columns));
        catalog_table::create_with_options(
            scope.program,
            &format!("mysfits-{}", name.replace('_', "-")),
            catalog_table::CatalogTableArgs::builder()
                .database_name(database.name.clone())
                .name(name)
                .description(description)
                .table_type("EXTERNAL_TABLE")
                .parameters(parameters)
                .partition_keys(vec![
                    PartitionKey::builder()
                        .name("datehour")
                        .type_("string")
                        .comment("The hour of the object's oldest record, UTC: yyyy/MM/dd/HH")
                        .build_struct(),
                ])
                .storage_descriptor(storage)
                .build_struct(),
            options.clone(),
        );
    }
    Database {
        name: database.name,
        arn: database.arn,
    }
}

/// Athena takes small letters, digits and underscores alone:
/// <https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html>.
fn database_name(stack: &str) -> String {
    let letters = stack.chars().map(|letter| match letter {
        letter if letter.is_ascii_alphanumeric() => letter.to_ascii_lowercase(),
        _ => '_',
    });
    format!("mysfits_{}", letters.collect::<String>())
}

/// As Athena's guide has them for objects of Firehose; with hours in the format, interval and unit
/// must be given:
/// <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-kinesis-firehose-example.html>,
/// <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html>.
fn parameters(location: &str) -> HashMap<String, String> {
    let range = format!("{FIRST_HOUR},NOW");
    let template = format!("{location}${{datehour}}/");
    [
        ("EXTERNAL", "TRUE"),
        ("projection.enabled", "true"),
        ("projection.datehour.type", "date"),
        ("projection.datehour.format", "yyyy/MM/dd/HH"),
        ("projection.datehour.range", &range),
        ("projection.datehour.interval", "1"),
        ("projection.datehour.interval.unit", "HOURS"),
        ("storage.location.template", &template),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Lines of JSON, compressed or not, which Athena sees by the objects' names or bytes. The OpenX
/// SerDe is said to be non-deterministic by AWS:
/// <https://docs.aws.amazon.com/athena/latest/ug/hive-json-serde.html>,
/// <https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html>.
fn storage(location: String, columns: &[(&str, &str)]) -> Storage {
    let column = |(name, kind): &(&str, &str)| {
        Column::builder()
            .name(*name)
            .type_((*kind).to_owned())
            .build_struct()
    };
    Storage::builder()
        .location(location)
        .columns(columns.iter().map(column).collect::<Vec<_>>())
        .input_format("org.apache.hadoop.mapred.TextInputFormat")
        .output_format("org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
        .ser_de_info(
            SerDe::builder()
                .serialization_library("org.apache.hive.hcatalog.data.JsonSerDe")
                .build_struct(),
        )
        .build_struct()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_a_name_that_athena_takes() {
        assert_eq!(database_name("dev"), "mysfits_dev");
        assert_eq!(database_name("Feature-1.x"), "mysfits_feature_1_x");
    }
}
