//! A binding of a package that does not exist, whose schema says all that a schema can.

// The generated module answers to its generator's taste.
#[allow(
    warnings,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]
mod generated {
    pulumi_gestalt_rust::include_provider!("sample");
}

pub use generated::*;
