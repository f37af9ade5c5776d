//! Programs under a mock engine: what they register, and how they end.

mod assets;
mod calls;
mod changes;
mod components;
mod concurrency;
mod existing;
mod failures;
mod graph;
mod log;
mod mock;
mod nested;
mod numbers;
mod options;
mod providers;
mod recording;
mod secrets;
mod values;

use pulumi_mock::Mock;

const SAMPLES: &str = env!("CARGO_BIN_EXE_pulumi-program-samples");

/// An engine that runs the sample program of this name.
fn sample(program: &str) -> Mock {
    Mock::new().config("project:program", program)
}

fn thing(name: &str) -> String {
    format!("urn:pulumi:test::project::test:index:Thing::{name}")
}
