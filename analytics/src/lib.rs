//! Answers from clicks: the questions, in SQL that Athena and DuckDB take in the same meaning, how
//! DuckDB is asked on this machine, and how answers look.
//!
//! This crate knows what the clicks bucket holds, and nothing of where the bucket is: its callers
//! fetch objects, and [`store::Store`] keeps them.

pub mod answer;
pub mod duckdb;
pub mod embedded;
pub mod generate;
pub mod popular;
pub mod question;
pub mod report;
pub mod span;
pub mod store;
pub mod table;
