//! Functions, logs and delivery streams at work: a whole cloud in-process, with real packages
//! and real processes.

mod backpressure;
mod clicks;
mod delivery;
mod documented;
mod events;
mod failures;
mod faults;
mod functions;
mod isolation;
mod logs;
#[path = "../shared/objects.rs"]
mod objects;
mod pipeline;
mod reset;
mod support;
