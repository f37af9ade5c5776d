//! The workgroup: what applies to each query, whatever the client says.

use aws::athena::workgroup;
use aws::types::athena::{
    WorkgroupConfiguration as Configuration, WorkgroupConfigurationEngineVersion as Engine,
    WorkgroupConfigurationManagedQueryResultsConfiguration as Results,
};
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Component, Options, Output};

use crate::scope::Scope;

/// Bytes that a query may read before Athena stops it: some 400 million clicks that are not
/// compressed. docs/cost-and-limits.md has the price.
const MOST_BYTES: f64 = 100e9;

pub struct Workgroup {
    pub name: Output<String>,
    pub arn: Output<String>,
}

pub fn create(scope: &Scope<'_>, parent: &Component) -> Workgroup {
    let configuration = Configuration::builder()
        .enforce_workgroup_configuration(true)
        .publish_cloudwatch_metrics_enabled(true)
        .bytes_scanned_cutoff_per_query(MOST_BYTES)
        .engine_version(
            Engine::builder()
                .selected_engine_version("Athena engine version 3")
                .build_struct(),
        )
        // Athena keeps the results itself, encrypted, for a day: no bucket of our own to guard.
        // <https://docs.aws.amazon.com/athena/latest/APIReference/API_ManagedQueryResultsConfiguration.html>
        .managed_query_results_configuration(Results::builder().enabled(true).build_struct())
        .build_struct();
    let workgroup = workgroup::create_with_options(
        scope.program,
        "mysfits",
        workgroup::WorkgroupArgs::builder()
            .description("Questions about the clicks on profiles of Mythical Mysfits")
            .configuration(configuration)
            // Or a workgroup in which a query was run could not be deleted.
            .force_destroy(true)
            .build_struct(),
        Options::new().parent(parent),
    );
    Workgroup {
        name: workgroup.name,
        arn: workgroup.arn,
    }
}
