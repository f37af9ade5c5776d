//! Functions, logs and delivery streams at work: a whole cloud in-process, with real packages
//! and real processes.

mod backpressure;
#[path = "../../lambda/tests/lambda/calls.rs"]
mod calls;
mod clicks;
mod described;
mod events;
mod faults;
mod function_logs;
mod isolation;
#[path = "../shared/objects.rs"]
mod objects;
#[path = "../../firehose/tests/firehose/pipeline.rs"]
mod pipeline;
mod records;
mod reset;
mod support;
mod surroundings;
