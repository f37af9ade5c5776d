//! The stack.

pub mod config;
