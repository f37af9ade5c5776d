//! A small Pulumi program: a bucket that keeps old versions, and its name as an output.
//!
//! `cargo test --workspace --test program_under_a_mock` runs it without Pulumi's CLI and without an
//! account.

use aws::s3::{bucket, bucket_versioning as versioning};
use aws::types::s3::BucketVersioningVersioningConfiguration;
use pulumi_gestalt_providers_aws as aws;
use pulumi_program::{Options, Program};
use std::process::ExitCode;

fn main() -> ExitCode {
    pulumi_program::run(stack)
}

/// Describes what there is. Nothing is registered before it returns.
fn stack(program: &Program) -> anyhow::Result<()> {
    let orders = bucket::create_with_options(
        program,
        "orders",
        bucket::BucketArgs::builder()
            .force_destroy(false)
            .build_struct(),
        Options::new().protect(true),
    );
    versioning::create_with_options(
        program,
        "orders",
        versioning::BucketVersioningArgs::builder()
            // An output is an input as it is: the engine knows from it which comes first.
            .bucket(orders.bucket.clone())
            .versioning_configuration(
                BucketVersioningVersioningConfiguration::builder()
                    .status("Enabled")
                    .build_struct(),
            )
            .build_struct(),
        Options::new(),
    );
    program.export("bucket", &orders.bucket);
    Ok(())
}
