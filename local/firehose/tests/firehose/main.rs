//! Delivery streams from outside: declared as the provider does it, and sent records in
//! Firehose's protocol.

mod delivery;
mod documented;
mod pipeline;
mod refusals;
mod support;
