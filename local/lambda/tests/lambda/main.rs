//! Functions at work, with real packages and real processes.

mod documented;
mod failures;
mod functions;
mod parameters;
mod support;
