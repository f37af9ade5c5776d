//! The real `bootstrap`, driven over the Runtime API against a mysfits service that behaves
//! well or badly.

mod events;
// The benchmark drives functions as well, and does more with them.
#[allow(dead_code)]
mod function;
mod service;

mod deadlines;
mod lookups;
mod outcomes;
mod seen;
mod sharing;
mod start;
mod tls;

use std::time::Duration;

use anyhow::Result;

use function::Function;
use service::Service;

/// As much as the deployed function has.
const PLENTY: Duration = Duration::from_secs(30);

async fn function(service: &Service, vars: &[(&str, &str)]) -> Result<Function> {
    let vars = [&[("MYSFITS_API_URL", service.url.as_str())], vars].concat();
    Function::start(&[env!("CARGO_BIN_EXE_bootstrap")], &vars).await
}
