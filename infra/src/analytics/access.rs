//! The policy of an analyst: asks the questions, and reads what they read.

use aws::iam::policy as managed_policy;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output, all};

use super::tables::Database;
use super::workgroup::Workgroup;
use crate::bucket::PrivateBucket;
use crate::delivery::FAILED_PREFIX;
use crate::policy;
use crate::scope::Scope;

/// A policy that somebody else attaches; gives its ARN.
pub fn policy(
    scope: &Scope<'_>,
    parent: &Component,
    bucket: &PrivateBucket,
    workgroup: &Workgroup,
    database: &Database,
) -> Output<String> {
    let prefix = scope.config.delivery.prefix.clone();
    let document = all((&bucket.arn, &workgroup.arn, &database.arn))
        .map(move |(bucket, workgroup, database)| document(&bucket, &prefix, workgroup, &database));
    let policy = managed_policy::create_with_options(
        scope.program,
        "mysfits-analyst",
        managed_policy::PolicyArgs::builder()
            .description("Asks questions about the clicks on profiles of Mythical Mysfits")
            .policy(document)
            .build_struct(),
        Options::new().parent(parent),
    );
    policy.arn
}

/// What Athena does in the name of the analyst, by
/// <https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html>,
/// <https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html> (the
/// catalog and database `default` belong to every query) and
/// <https://docs.aws.amazon.com/athena/latest/ug/s3-permissions.html>. Projected partitions need no
/// permission.
fn document(bucket: &str, prefix: &str, workgroup: String, database: &str) -> String {
    let (catalog, name) = database.rsplit_once(":database/").unwrap_or((database, ""));
    let catalog_resources = [
        format!("{catalog}:catalog"),
        format!("{catalog}:database/default"),
        database.to_owned(),
        format!("{catalog}:table/{name}/*"),
    ];
    policy::document(&[
        policy::allow(
            "Ask",
            &[
                "athena:BatchGetNamedQuery",
                "athena:GetNamedQuery",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetQueryResultsStream",
                "athena:GetWorkGroup",
                "athena:ListNamedQueries",
                "athena:ListQueryExecutions",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            &[workgroup],
        ),
        policy::allow(
            "KnowTables",
            &["glue:GetDatabase", "glue:GetTable", "glue:GetTables"],
            &catalog_resources,
        ),
        policy::allow(
            "FindObjects",
            &["s3:GetBucketLocation", "s3:ListBucket"],
            &[bucket.to_owned()],
        ),
        policy::allow(
            "ReadObjects",
            &["s3:GetObject"],
            &[
                format!("{bucket}/{prefix}*"),
                format!("{bucket}/{FAILED_PREFIX}*"),
            ],
        ),
    ])
}
