//! REST APIs: declared as the provider does it, and asked over HTTP.

mod access_log;
mod clicks;
mod features;
mod gateway_responses;
mod integration_responses;
mod life;
mod listener;
#[path = "../../testing/objects.rs"]
mod objects;
mod refusals;
mod requests;
mod routes;
mod schema;
mod stack;
mod support;
mod throttling;
