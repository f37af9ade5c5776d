//! Functions at work, with real packages and real processes.

mod calls;
mod code;
mod documented;
mod failures;
mod functions;
mod parameters;
mod support;
