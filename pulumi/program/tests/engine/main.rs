//! Programs under the real engine: the Pulumi CLI, this workspace's language host, and a provider
//! inside the test.
//!
//! `pulumi` has to be on PATH; `cargo xtask test` sees to that.

mod elsewhere;
mod existing;
mod failures;
mod life;
mod log;
mod options;
mod provider;
mod settings;
mod stack;
mod values;
