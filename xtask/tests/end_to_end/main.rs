//! From the front door: `cargo xtask`, plain `pulumi`, and HTTP, with the real engine.
//!
//! Each test has a home, ports and a cloud of its own; programs and the Lambda's archive are built
//! once, by the first test that needs them.

#![allow(clippy::unwrap_used)]

mod browser;
mod checkouts;
mod clicks;
mod copy;
mod daily;
mod deployment;
mod dev;
mod disk;
mod forge;
mod hostile;
mod insights;
mod interrupts;
mod lives;
mod moves;
mod operations;
mod package;
mod pages;
mod permissions;
mod place;
mod previews;
mod records;
mod refusals;
mod repository;
mod shell;
mod stacks;
mod statements;
mod story;
mod workflows;
